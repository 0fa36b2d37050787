/* slurm_record.h: slurm.json: which Slurm a state directory belongs to. dracod writes it, and
 * clients read it. */
#ifndef DRACO_COMMON_SLURM_RECORD_H
#define DRACO_COMMON_SLURM_RECORD_H

#include <jansson.h>
#include <stdbool.h>

#include "common/slurm_site.h"

/* {version, cluster, controllers, told, seen} */
struct slurm_record {
	struct slurm_site
		site; /* as slurm.conf has it, on all hosts that used it; not known: no record */
	struct strv told; /* its controllers in slurmctld's own words, which may be others */
	json_t *seen;	  /* the keys (slurm_find.h) of environments that mean it; NULL: none */
};

#define SLURM_RECORD_INIT               \
	{                               \
		.site = SLURM_SITE_INIT \
	}

/* What is there, or an empty record; to be finished. */
void slurm_record_load(const char *path, struct slurm_record *ret);
json_t *slurm_record_encode(const struct slurm_record *record);
void slurm_record_finish(struct slurm_record *record);

/* Does it belong to this Slurm, as slurm.conf tells of it? */
bool slurm_record_fits(const struct slurm_record *record, const struct slurm_site *site);

/* Does it belong to the Slurm that slurmctld itself tells of? */
bool slurm_record_fits_told(const struct slurm_record *record, const struct slurm_site *told);

bool slurm_record_has_seen(const struct slurm_record *record, const json_t *key);

/* Add what is new in these, each of which may be NULL; true when anything was. The record must
 * fit, or be empty. */
bool slurm_record_add(struct slurm_record *record, const struct slurm_site *site,
	const struct slurm_site *told, const json_t *key);

#endif
