/* binding.h: the one Slurm that this dracod is for, and slurm.json, which keeps it.
 *
 * A name has a state directory for each Slurm (common/instances.h). What this dracod remembers
 * there, above all the clusters that may have jobs, is true in that Slurm only: nothing may be
 * submitted, ended or forgotten by what another one says. */
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
 * take its lock (instance.h). With exact, name is that of the directory; slurm is its Slurm, as
 * slurm_site_encode() has it, or NULL: by this program's own environment. NULL with err; paths
 * and tenure then may be set. */
struct binding *binding_occupy(const char *name, bool exact, const json_t *slurm,
	struct paths *ret_paths, struct tenure **ret_tenure, struct err *err)
	__attribute__((warn_unused_result));
struct binding *binding_destroy(struct binding *binding);

/* What a start brings along for draco-slurm. */
struct binding_start {
	struct strv variables; /* for slurm_variables_make() */
	json_t *site;	       /* the Slurm that it means; null: it does not know */
	json_t *key;	       /* of its environment, as slurm_find() has it */
	bool silent;	       /* it says nothing: this program's own environment counts */
};

void binding_start_finish(struct binding_start *start);

/* Does a start in this environment ({NAME: value}) and directory mean this dracod's Slurm? 0 with
 * *ret; or, with err, -ENOTSUP, -ENOTUNIQ or -EXDEV when it means another one, or several. */
int binding_check(const struct binding *binding, const json_t *environment,
	const char *directory, struct binding_start *ret, struct err *err)
	__attribute__((warn_unused_result));

/* It begins: remember what is new about this Slurm. */
void binding_begin(struct binding *binding, const struct binding_start *start);

/* slurmctld has said which Slurm it is, as slurm_site_encode() has it. */
void binding_told(struct binding *binding, const json_t *slurm);

/* What draco-slurm has to make sure of, for its hello; NULL: nothing. pledged: jobs may be left
 * from earlier. The caller owns it. */
json_t *binding_expected(const struct binding *binding, bool pledged);

/* The name of Slurm's cluster; NULL: not known. */
const char *binding_cluster(const struct binding *binding);

#endif
