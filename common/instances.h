/* instances.h: the state directories of a cluster name, one for each Slurm that it is used with.
 *
 *	NAME		the Slurm that has used the name first
 *	NAME@CLUSTER	another Slurm, with its ClusterName
 *	NAME@CLUSTER.2	a third one, with the same ClusterName and other controllers
 *
 * Each directory's name can be given as a cluster name. NAME@CLUSTER also means the directory NAME
 * if there is no directory NAME@CLUSTER; otherwise NAME@CLUSTER.1 does.
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
	char *host;	/* the host of its dracod, from daemon.json; NULL: not known */
	bool elsewhere; /* that is another host, and the dracod may live there (holder.h) */
	bool alive;	/* its dracod lives */
	bool remembers; /* its state lists clusters that may have jobs */
};

struct instances {
	struct instance *items;
	size_t count;
};

/* Read the directories of a name (NULL: of all names) below the root of all states. "NAME@..." is
 * read as NAME. Sorted by name. */
void instances_read(const char *directory, const char *name, struct instances *ret);
void instances_finish(struct instances *instances);

/* Choose the directory for a program that gives name and uses the Slurm site (not known: it has no
 * slurm.conf). The directory need not exist. Pure. 0 with *ret, which the caller frees. -ENOTUNIQ
 * with err: several are possible. */
int instances_choose(const struct instances *instances, const char *name,
	const struct slurm_site *site, char **ret, struct err *err)
	__attribute__((warn_unused_result));

/* The directory with this name; NULL: none. */
const struct instance *instances_find(const struct instances *instances, const char *name);

/* The directory whose slurm.json contains this key (slurm_find.h); NULL: none. */
const struct instance *instances_seen(const struct instances *instances, const json_t *key);

/* May a dracod with this Slurm use the directory? It may if the directory belongs to that Slurm or
 * to none, or if nothing of another Slurm must be kept there. */
bool instance_is_free_for(const struct instance *instance, const struct slurm_site *site);

#endif
