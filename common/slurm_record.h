/* slurm_record.h: slurm.json, which records the Slurm of a state directory. dracod writes it, and
 * clients read it. */
#ifndef DRACO_COMMON_SLURM_RECORD_H
#define DRACO_COMMON_SLURM_RECORD_H

#include <jansson.h>
#include <stdbool.h>

#include "common/slurm_site.h"

/* {version, cluster, controllers, told, seen} */
struct slurm_record {
	struct slurm_site
		site; /* from slurm.conf of all hosts that were used; not known: no record */
	struct strv told; /* its controllers in slurmctld's own words, which may differ */
	json_t *seen;	  /* keys (slurm_find.h) of environments that mean it; NULL: none */
};

#define SLURM_RECORD_INIT               \
	{                               \
		.site = SLURM_SITE_INIT \
	}

/* Load the record, or an empty one. *ret must be finished. */
void slurm_record_load(const char *path, struct slurm_record *ret);
json_t *slurm_record_encode(const struct slurm_record *record);
void slurm_record_finish(struct slurm_record *record);

/* Does the record belong to this Slurm, which slurm.conf has identified? */
bool slurm_record_fits(const struct slurm_record *record, const struct slurm_site *site);

/* Does the record belong to this Slurm, which slurmctld has identified? */
bool slurm_record_fits_told(const struct slurm_record *record, const struct slurm_site *told);

bool slurm_record_has_seen(const struct slurm_record *record, const json_t *key);

/* Add new facts from these arguments, each of which may be NULL. Returns whether there were any.
 * The record must fit them, or be empty. */
bool slurm_record_add(struct slurm_record *record, const struct slurm_site *site,
	const struct slurm_site *told, const json_t *key);

#endif
