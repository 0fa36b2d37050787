/* node_visit.h: the visit of dracoctl doctor to a node, and what is told of it. Shared by
 * doctor_node.c, which pays it, and node_findings.c. */
#ifndef DRACO_CLIENT_NODE_VISIT_H
#define DRACO_CLIENT_NODE_VISIT_H

#include <jansson.h>
#include <stdbool.h>

#include "client/helper.h"
#include "common/err.h"

struct doctor;
struct report;

struct visit {
	const struct doctor *doctor;
	struct report *report;
	struct helper helper;
	const char *partition, *address;
	char *directory, *name, *log;
	char token[17];
	int listener; /* -1: none */
	int port;
	struct err no_listener; /* why there is none */
	json_int_t job_id;
	double before_submit, after_submit; /* this host's clock */
	double not_started;		    /* the job had not started yet */
	double log_seen;		    /* its log was there; 0: not yet */
	double end_seen;		    /* Slurm said that it has ended; 0: not yet */
	json_t *job;			    /* as the queue showed it last */
	json_t *answers;
};

/* A fact of the earlier checks, or what the job told; NULL when there is none. */
const char *visit_fact(const struct visit *visit, const char *name);
const char *visit_answer(const struct visit *visit, const char *name);

/* Is the job, as the queue showed it, pending? */
bool visit_is_pending(const struct visit *visit);

/* The findings: when the job told all; when it ended before that; and when it did not end. */
void visit_tell_all(const struct visit *visit);
void visit_tell_broken(const struct visit *visit);
void visit_tell_late(const struct visit *visit);

#endif
