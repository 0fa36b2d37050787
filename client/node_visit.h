/* node_visit.h: the job of dracoctl doctor on a node. doctor_node.c runs it, node_findings.c
 * reports its results. */
#ifndef DRACO_CLIENT_NODE_VISIT_H
#define DRACO_CLIENT_NODE_VISIT_H

#include <jansson.h>
#include <stdbool.h>

#include "client/helper.h"
#include "common/err.h"
#include "common/settings.h"

struct doctor;
struct report;

/* The settings for ports on the nodes. */
#define NODE_PORTS 2

extern const struct node_ports {
	enum setting_id id;
	const char *name;
} node_ports_of[NODE_PORTS];

struct visit {
	const struct doctor *doctor;
	struct report *report;
	struct helper helper;
	const char *partition, *address;
	char *directory, *name, *log;
	char token[17];
	int listener; /* -1: none */
	int port;
	struct err no_listener;	 /* why there is no listener */
	bool called[NODE_PORTS]; /* a connection to the node's listener was tried ... */
	struct err not_reached[NODE_PORTS]; /* ... and this came of it */
	json_int_t job_id;
	double before_submit, after_submit; /* times of this host's clock */
	double not_started;		    /* when the job was last seen not started */
	double log_seen;		    /* when its log was seen; 0: not yet */
	double end_seen;		    /* when Slurm reported its end; 0: not yet */
	json_t *job;			    /* from the last query */
	json_t *answers;
};

/* A fact of earlier checks, and an answer of the job; NULL: none. */
const char *visit_fact(const struct visit *visit, const char *name);
const char *visit_answer(const struct visit *visit, const char *name);

/* Did the last query show the job pending? */
bool visit_is_pending(const struct visit *visit);

/* Report a job that has given all answers, one that ended before, and one that did not end. */
void visit_tell_all(const struct visit *visit);
void visit_tell_broken(const struct visit *visit);
void visit_tell_late(const struct visit *visit);

#endif
