/* notices.h: the list of what the user should know while it holds. */
#ifndef DRACO_DAEMON_CLUSTER_NOTICES_H
#define DRACO_DAEMON_CLUSTER_NOTICES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* What a notice is about. */
enum notice_topic {
	NOTICE_OTHER,	 /* it holds until the cluster ends; its text is the subject, too */
	NOTICE_FAILURES, /* no more jobs are requested */
	NOTICE_DEATH,	 /* a worker died of memory */
	NOTICE_NODE,	 /* the subject, a node, is excluded */
	NOTICE_STAYS,	 /* the subject, a job, stays for its results */
	/* The next dracod finds these out by itself, so they are not recorded. */
	NOTICE_SILENT, /* the scheduler does not answer */
	NOTICE_MEMORY, /* the scheduler has little memory left */
	NOTICE_UNIT,   /* limits of the scheduler's unit do not hold */
	NOTICE_FULL,   /* all workers are paused */
	NOTICE_STALL,  /* state files wait for their file system */
	NOTICE_RECORD, /* the record cannot be written */
	NOTICE_TOPICS,
};

struct notice {
	enum notice_topic topic;
	char *subject; /* NULL: the topic has only one */
	char *text;
};

/* At most one notice for each topic and subject. Zeroes are an empty list. */
struct notices {
	struct notice *item;
	size_t count;
};

/* NULL: none. Borrowed until the list changes. */
const struct notice *notices_find(
	const struct notices *notices, enum notice_topic topic, const char *subject);

/* Add a notice, in place of an earlier one about the same. Returns it, borrowed; NULL: the list had
 * just this text, or it is full, so that one more subject tells nothing. */
const struct notice *notices_put(struct notices *notices, enum notice_topic topic,
	const char *subject, const char *text);

/* Returns whether there was one. */
bool notices_remove(struct notices *notices, enum notice_topic topic, const char *subject);

/* For the record of the cluster. The caller owns what is returned. */
json_t *notices_record(const struct notices *notices);

/* Replace the list by what a record says. */
void notices_restore(const json_t *record, struct notices *notices);

void notices_finish(struct notices *notices);

#endif
