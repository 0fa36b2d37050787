/* bad_nodes.h: the nodes on which jobs have failed, and which of them are left out for a while.
 * Pure: the clock is an argument. */
#ifndef DRACO_DAEMON_POLICY_BAD_NODES_H
#define DRACO_DAEMON_POLICY_BAD_NODES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strv;

#define BAD_NODES_MAX	   64 /* the one that failed longest ago is forgotten for another */
#define BAD_NODE_FAILURES  3  /* so many ... */
#define BAD_NODE_WITHIN_MS 3600000 /* ... within this time, and the node is left out ... */
#define BAD_NODE_FOR_MS	   3600000 /* ... for this time */

struct bad_node {
	char *name;
	int64_t failed_ms[BAD_NODE_FAILURES]; /* the last ones, in order; 0: none */
	int64_t excluded_until_ms;	      /* 0: it never was */
};

struct bad_nodes { /* all zero in the beginning */
	struct bad_node node[BAD_NODES_MAX];
	size_t count;
};

/* Forget all. */
void bad_nodes_clear(struct bad_nodes *nodes);

/* A job has failed on the node at now_ms. One that failed there at since_ms or later already
 * has failed for the same reason: this one is not noted. Returns whether the node is excluded
 * from now on, and was not before. */
bool bad_nodes_blame(
	struct bad_nodes *nodes, const char *name, int64_t since_ms, int64_t now_ms);

/* Exclude a node that had been excluded already. */
void bad_nodes_exclude_until(struct bad_nodes *nodes, const char *name, int64_t until_ms);

/* Loop time until which the node is excluded; 0 when it is not. name may be NULL. */
int64_t bad_nodes_excluded_until_ms(
	const struct bad_nodes *nodes, const char *name, int64_t now_ms);

/* Add the names of those that are excluded. */
void bad_nodes_list(const struct bad_nodes *nodes, int64_t now_ms, struct strv *names);

/* Exclude them by sbatch's option: directives (common/directives.h) gets it, or more nodes in
 * the one that it has. Where it names the node that is wanted, there is nothing to choose from:
 * unchanged. */
void bad_nodes_exclude(const struct bad_nodes *nodes, int64_t now_ms, struct strv *directives);

/* Do directives leave it to Slurm on which node a job runs? */
bool bad_nodes_may_choose(const struct strv *directives);

/* The value of that option in directives; NULL when there is none. The caller frees. */
char *bad_nodes_given(const struct strv *directives);

#endif
