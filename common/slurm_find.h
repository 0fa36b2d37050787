/* slurm_find.h: which Slurm would a program with this environment use? Answered from files and
 * variables alone, without libslurm and without a question to slurmctld. */
#ifndef DRACO_COMMON_SLURM_FIND_H
#define DRACO_COMMON_SLURM_FIND_H

#include <jansson.h>

#include "common/slurm_site.h"

struct err;

/* Where slurm.conf is without SLURM_CONF: first where libslurm looks, then other usual places, as
 * a libslurm that was built for them would. Ended by NULL. */
extern const char *const slurm_find_places[];

/* The variables that decide which Slurm it is. */
#define SLURM_VARIABLE_CONF	       "SLURM_CONF"
#define SLURM_VARIABLE_SERVER	       "SLURM_CONF_SERVER"
#define SLURM_VARIABLE_CLUSTERS	       "SLURM_CLUSTERS"
#define SLURM_VARIABLE_SBATCH_CLUSTERS "SBATCH_CLUSTERS"

struct slurm_found {
	struct slurm_site site; /* of slurm.conf; not known where there is none */
	char *conf;		/* the file that tells; NULL: none */
	char *server; /* SLURM_CONF_SERVER, which must be asked, as no file tells; NULL: none */
	char *other;  /* another cluster that is asked for, ... */
	const char *asked_by; /* ... by SLURM_CLUSTERS or SBATCH_CLUSTERS; NULL: none */
	/* As another program on this host with the same variables has it; NULL: none. */
	json_t *key;
};

#define SLURM_FOUND_INIT                \
	{                               \
		.site = SLURM_SITE_INIT \
	}

/* environment is {NAME: value}, or NULL for that of this process; directory is where a relative
 * path begins, NULL for that of this process; places is slurm_find_places, or those of a test. 0;
 * or -ENOTUNIQ with err when SLURM_CLUSTERS names several clusters. *ret is to be finished in any
 * case. */
int slurm_find(const json_t *environment, const char *directory, const char *const *places,
	struct slurm_found *ret, struct err *err) __attribute__((warn_unused_result));
void slurm_found_finish(struct slurm_found *found);

/* The Slurm that the program means: the other cluster, of which only the name is known, or that
 * of slurm.conf. *ret is to be finished. */
void slurm_found_meant(const struct slurm_found *found, struct slurm_site *ret);

/* A cluster can be started only in the Slurm of slurm.conf: -ENOTSUP with err when another one is
 * meant. */
int slurm_found_check_start(const struct slurm_found *found, struct err *err)
	__attribute__((warn_unused_result));

#endif
