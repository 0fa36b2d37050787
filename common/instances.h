/* instances.h: the state directories of a cluster name, one for each Slurm where it is used.
 *
 *	NAME		of the Slurm that has used the name first
 *	NAME@CLUSTER	of another one, by its ClusterName
 *	NAME@CLUSTER.2	of yet another one, which has the same ClusterName and other controllers
 *
 * Each of these can be given as a name, and NAME@CLUSTER, or NAME@CLUSTER.1 where that is
 * another one, for NAME itself.
 */
#ifndef DRACO_COMMON_INSTANCES_H
#define DRACO_COMMON_INSTANCES_H

#include <stdbool.h>
#include <stddef.h>

#include "common/slurm_record.h"

struct err;

struct instance {
	char *name; /* of the directory */
	struct slurm_record record;
	char *host;	/* where its dracod says that it runs; NULL: none says so */
	bool elsewhere; /* that is another host, and it may live there (holder.h) */
	bool alive;	/* it lives */
	bool remembers; /* it remembers clusters that may have jobs */
};

struct instances {
	struct instance *items;
	size_t count;
};

/* What there is of a name, or with NULL of all names, below the directory of all states;
 * "NAME@..." is read as NAME. Sorted by name. */
void instances_read(const char *directory, const char *name, struct instances *ret);
void instances_finish(struct instances *instances);

/* Which of them a program means that says name, and whose Slurm is site (not known: it has no
 * slurm.conf). It need not exist. Pure. 0 with *ret, which the caller frees; or -ENOTUNIQ with
 * err when it could be several. */
int instances_choose(const struct instances *instances, const char *name,
	const struct slurm_site *site, char **ret, struct err *err)
	__attribute__((warn_unused_result));

/* The one of that name; NULL: none. */
const struct instance *instances_find(const struct instances *instances, const char *name);

/* The one whose record has seen this key (slurm_find.h); NULL: none. */
const struct instance *instances_seen(const struct instances *instances, const json_t *key);

/* A dracod that has this Slurm may use the directory: it is of that Slurm, of none yet, or
 * nothing of another one has to be kept there. */
bool instance_is_free_for(const struct instance *instance, const struct slurm_site *site);

#endif
