/* slurm_facts.h: what Slurm tells of itself, as plain values, whichever way it was asked: by
 * libslurm or by Slurm's commands (daemon/draco-slurm/way.h). */
#ifndef DRACO_COMMON_SLURM_FACTS_H
#define DRACO_COMMON_SLURM_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/strv.h"

struct slurm_conf_facts { /* the configuration of slurmctld */
	char *cluster, *version;
	char *scheduler_parameters; /* NULL: none */
	struct strv hosts;	    /* of the controllers; the primary one first */
	struct strv addresses;	    /* their addresses, one for each host */
	struct strv up;		    /* the hosts that answer; only if asked by commands */
	int port;		    /* of slurmctld */
	int array_max;		    /* MaxArraySize */
};

struct slurm_node {
	char *name; /* NULL: not visible to this user */
	char *address;
	int64_t cpus;
	int64_t memory_mib; /* without what is reserved for the system */
	bool usable;	    /* not down, drained or failing */
};

struct slurm_nodes {
	struct slurm_node *node;
	size_t count;
};

#define SLURM_UNLIMITED (-1)

enum slurm_partition_state {
	SLURM_PARTITION_UP,
	SLURM_PARTITION_DOWN,  /* takes jobs and starts none */
	SLURM_PARTITION_DRAIN, /* starts jobs and takes none */
	SLURM_PARTITION_INACTIVE,
};

struct slurm_partition {
	char *name;
	enum slurm_partition_state state;
	bool is_default, root_only, no_root;
	char *allow_groups; /* NULL: all */
	int64_t max_time_s; /* SLURM_UNLIMITED: none */
	int64_t max_cpus;   /* of one node; SLURM_UNLIMITED: all */
	int64_t total_nodes;
	char *node_list; /* NULL: none */
	size_t *node;	 /* its nodes: indices in a struct slurm_nodes, or SLURM_HIDDEN */
	size_t nodes;
};

#define SLURM_HIDDEN SIZE_MAX /* a node that is not visible to this user */

struct slurm_partitions {
	struct slurm_partition *partition;
	size_t count;
};

struct slurm_reservation {
	char *name;
	time_t start, end;
	char *users, *groups, *accounts; /* who may use it; NULL: not restricted so */
	char *partition;		 /* NULL: any */
	char *nodes;			 /* NULL: none */
	bool flexible;
};

struct slurm_reservations {
	struct slurm_reservation *reservation;
	size_t count;
};

void slurm_conf_facts_finish(struct slurm_conf_facts *conf);
void slurm_nodes_finish(struct slurm_nodes *nodes);
void slurm_partitions_finish(struct slurm_partitions *partitions);
void slurm_reservations_finish(struct slurm_reservations *reservations);

/* Add an empty value at the end, which is returned until the next one is added. */
struct slurm_node *slurm_nodes_add(struct slurm_nodes *nodes);
struct slurm_partition *slurm_partitions_add(struct slurm_partitions *partitions);
struct slurm_reservation *slurm_reservations_add(struct slurm_reservations *reservations);
/* node is an index, or SLURM_HIDDEN. */
void slurm_partition_add_node(struct slurm_partition *partition, size_t node);

/* The index of the node with this name; SLURM_HIDDEN: none. It is found at once if it is the one at
 * near, or soon after it. */
size_t slurm_nodes_find(const struct slurm_nodes *nodes, const char *name, size_t near);

/* Is this the name or the text of a reason of Slurm for which a pending job never starts in its
 * place, whichever other jobs end? */
bool slurm_reason_is_never(const char *reason);

/* The major release in a version, such as "22.05" in "slurm-wlm 22.05.8". ret has at least 16
 * bytes. Returns false if there is none. */
bool slurm_major_release(const char *version, char ret[16]);

#endif
