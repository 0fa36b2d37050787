/* binding.h: ties this dracod to one Slurm, which slurm.json records.
 *
 * A name has one state directory for each Slurm (common/instances.h). The records in it, above all
 * the clusters that may have jobs, are true in that Slurm only. No answer of another Slurm may
 * cause a submission, the end of a job, or the loss of a record. */
#ifndef DRACO_DAEMON_SLURM_BINDING_H
#define DRACO_DAEMON_SLURM_BINDING_H

#include <jansson.h>
#include <stdbool.h>

#include "common/strv.h"

struct binding;
struct err;
struct paths;
struct tenure;

/* Become the dracod of a name: choose the state directory of this program's Slurm, make it, and
 * take its lock (instance.h).
 *
 * exact: name is the name of the directory itself. slurm: the Slurm of the directory, as
 * slurm_site_encode() writes it; NULL: the one of this program's environment. Returns NULL with
 * err; *ret_paths and the tenure may be set even then. */
struct binding *binding_occupy(const char *name, bool exact, const json_t *slurm,
	struct paths *ret_paths, struct tenure **ret_tenure, struct err *err)
	__attribute__((warn_unused_result));
struct binding *binding_destroy(struct binding *binding);

/* The Slurm that a start means. */
struct binding_start {
	struct strv variables; /* for slurm_variables_make() */
	json_t *site;	       /* null: the start does not know its Slurm */
	json_t *key;	       /* of the start's environment, from slurm_find() */
	bool silent;	       /* it names no Slurm: this program's own environment counts */
};

void binding_start_finish(struct binding_start *start);

/* Does a start in this environment ({NAME: value}) and directory mean this dracod's Slurm? Returns
 * 0 with *ret. Returns -ENOTSUP, -ENOTUNIQ or -EXDEV with err if it means another Slurm, or
 * several. */
int binding_check(const struct binding *binding, const json_t *environment,
	const char *directory, struct binding_start *ret, struct err *err)
	__attribute__((warn_unused_result));

/* The start begins: record new facts about this Slurm. */
void binding_begin(struct binding *binding, const struct binding_start *start);

/* slurmctld has identified its Slurm. slurm: as slurm_site_encode() writes it. */
void binding_told(struct binding *binding, const json_t *slurm);

/* The Slurm that draco-slurm must check in its hello; NULL: none. pledged: jobs may be left from
 * earlier. The caller owns the result. */
json_t *binding_expected(const struct binding *binding, bool pledged);

/* The name of Slurm's cluster; NULL: not known. */
const char *binding_cluster(const struct binding *binding);

#endif
