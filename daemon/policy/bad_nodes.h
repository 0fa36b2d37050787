/* bad_nodes.h: counts the failures of jobs on nodes, and excludes bad nodes for a while. Pure: the
 * clock is an argument. */
#ifndef DRACO_DAEMON_POLICY_BAD_NODES_H
#define DRACO_DAEMON_POLICY_BAD_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strv;

#define BAD_NODES_MAX	   64	   /* the node with the oldest failure makes room for another */
#define BAD_NODE_FAILURES  3	   /* this many failures ... */
#define BAD_NODE_WITHIN_MS 3600000 /* ... within this time exclude the node ... */
#define BAD_NODE_FOR_MS	   3600000 /* ... for this time */

struct bad_node {
	char *name;
	int64_t failed_ms[BAD_NODE_FAILURES]; /* the last failures, oldest first; 0: none */
	int64_t excluded_until_ms;	      /* 0: never excluded */
};

struct bad_nodes { /* all zero at the beginning */
	struct bad_node node[BAD_NODES_MAX];
	size_t count;
};

/* Forget all. */
void bad_nodes_clear(struct bad_nodes *nodes);

/* A job has failed on the node at now_ms. If a job failed there at since_ms or later, both had the
 * same cause, and this failure is not counted. Returns whether this failure excludes the node. */
bool bad_nodes_blame(
	struct bad_nodes *nodes, const char *name, int64_t since_ms, int64_t now_ms);

/* Exclude a node that an earlier dracod excluded until until_ms. */
void bad_nodes_exclude_until(struct bad_nodes *nodes, const char *name, int64_t until_ms);

/* The loop time until which the node is excluded; 0: it is not. name may be NULL. */
int64_t bad_nodes_excluded_until_ms(
	const struct bad_nodes *nodes, const char *name, int64_t now_ms);

/* Add the names of the excluded nodes to names. */
void bad_nodes_list(const struct bad_nodes *nodes, int64_t now_ms, struct strv *names);

/* Exclude the nodes by sbatch's option --exclude in directives (common/directives.h): add it, or
 * extend its list. Unchanged if directives name the nodes to use: then Slurm has no choice. */
void bad_nodes_exclude(const struct bad_nodes *nodes, int64_t now_ms, struct strv *directives);

/* Do directives let Slurm choose the node of a job? */
bool bad_nodes_may_choose(const struct strv *directives);

/* The value of --exclude in directives; NULL: none. The caller frees. */
char *bad_nodes_given(const struct strv *directives);

#endif
