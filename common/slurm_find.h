/* slurm_find.h: finds the Slurm that a program with a given environment would use. It needs only
 * files and variables: neither libslurm nor a question to slurmctld. */
#ifndef DRACO_COMMON_SLURM_FIND_H
#define DRACO_COMMON_SLURM_FIND_H

#include <jansson.h>

#include "common/slurm_site.h"

struct err;

/* The places of slurm.conf without SLURM_CONF: first those of this libslurm, then usual places of
 * others. Ends with NULL. */
extern const char *const slurm_find_places[];

/* The variables that decide about the Slurm. */
#define SLURM_VARIABLE_TOKEN	       "SLURM_JWT"
#define SLURM_VARIABLE_CONF	       "SLURM_CONF"
#define SLURM_VARIABLE_SERVER	       "SLURM_CONF_SERVER"
#define SLURM_VARIABLE_CLUSTERS	       "SLURM_CLUSTERS"
#define SLURM_VARIABLE_SBATCH_CLUSTERS "SBATCH_CLUSTERS"

struct slurm_found {
	struct slurm_site site; /* from slurm.conf; not known: there is none */
	char *conf;		/* the slurm.conf; NULL: none */
	char *server; /* SLURM_CONF_SERVER, to be asked because there is no file; NULL: none */
	char *other;  /* another cluster that a variable names; NULL: none */
	const char *asked_by; /* that variable: SLURM_CLUSTERS or SBATCH_CLUSTERS; NULL: none */
	/* Equal for all programs on this host with the same variables; NULL: none. */
	json_t *key;
};

#define SLURM_FOUND_INIT                \
	{                               \
		.site = SLURM_SITE_INIT \
	}

/* Find the Slurm. environment is {NAME: value}; NULL: this process's. Relative paths start in
 * directory; NULL: this process's. places is slurm_find_places, or a test's list. 0, or -ENOTUNIQ
 * with err: SLURM_CLUSTERS names several clusters. *ret must be finished in all cases. */
int slurm_find(const json_t *environment, const char *directory, const char *const *places,
	struct slurm_found *ret, struct err *err) __attribute__((warn_unused_result));
void slurm_found_finish(struct slurm_found *found);

/* The Slurm that the program means: the other cluster, of which only the name is known, otherwise
 * the one of slurm.conf. *ret must be finished. */
void slurm_found_meant(const struct slurm_found *found, struct slurm_site *ret);

/* Check that the Slurm of slurm.conf is meant, as a cluster can only be started there. -ENOTSUP
 * with err: another one is meant. */
int slurm_found_check_start(const struct slurm_found *found, struct err *err)
	__attribute__((warn_unused_result));

#endif
