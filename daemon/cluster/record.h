/* record.h: the file that describes the running cluster for the dracod that follows this one, after
 * a crash or an upgrade. Part of the cluster.
 *
 * It is there as long as the cluster is up, and written ahead of what it describes: a submission is
 * recorded before Slurm is asked. It holds what neither Slurm's queue nor the scheduler's plugin
 * can tell. Times in it are loop times, which go on from one process to the next until the host
 * boots. A second file, the basis, has those members that change seldom. It is used when the first
 * one is damaged. */
#ifndef DRACO_DAEMON_CLUSTER_RECORD_H
#define DRACO_DAEMON_CLUSTER_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct cluster;
struct err;
struct loop_timer;
struct paths;

/* The format. A later dracod reads the records of all earlier versions. */
#define RECORD_VERSION 1

/* The timer of record_touch(), for cluster_create(). */
struct loop_timer *record_timer_create(struct cluster *cluster);

/* Write the record now. A failure is logged; the cluster goes on. */
void record_save(struct cluster *cluster);

/* The model may have changed: write the record soon, if it has. */
void record_touch(struct cluster *cluster);

/* The cluster is down: remove the record. */
void record_remove(struct cluster *cluster);

/* dracod is about to leave on purpose, and its successor goes on with the cluster. 0, or -errno
 * with err: the record cannot be written. */
int record_hand_over(struct cluster *cluster, struct err *err)
	__attribute__((warn_unused_result));

/* The identity of the scheduler's process in a record. */
struct record_scheduler {
	int pid;       /* 0: none runs; it was not started yet, or waits to be started again */
	int64_t start; /* from host_process_start() */
	int port;      /* 0: it was not started yet */
	int64_t since_ms; /* loop time since which it is up */
};

/* Find the record to go on with. One that is damaged, or of another cluster than the one that runs,
 * is set aside, and the basis takes its place, from which Slurm's queue and the scheduler complete
 * the cluster. Returns 1 with *ret, which the caller owns; 0: there is none, or, with code -EBADMSG
 * in err, nothing can be made of it. -EPROTO with err: it is of a later version. */
int record_find(const struct paths *paths, json_t **ret, struct err *err)
	__attribute__((warn_unused_result));

/* Why only the basis is left, for a person; NULL: the record is whole. */
const char *record_damage(const json_t *record);

/* Was it written on this host, since it was booted? */
bool record_is_of_this_boot(const json_t *record);

const char *record_cluster_id(const json_t *record);
bool record_is_stopping(const json_t *record);
bool record_was_starting(const json_t *record);
bool record_is_handed_over(const json_t *record);
void record_scheduler(const json_t *record, struct record_scheduler *ret);

/* A loop time of the past: a member of the record, or of an object in it; without it, now. The
 * clock of loop times goes on until the host is booted. */
int64_t record_time(const json_t *object, const char *name);

/* Fill the model of a cluster that is down with the values of a record, in this order: the request
 * and the identity; after the rest was cleared, the other facts, the size and the dashboard; and
 * the jobs. Nothing outside of the model changes. -EBADMSG with err: something indispensable is
 * missing. */
int record_restore_request(struct cluster *cluster, const json_t *record, struct err *err)
	__attribute__((warn_unused_result));
void record_restore_facts(struct cluster *cluster, const json_t *record);
void record_restore_jobs(struct cluster *cluster, const json_t *record);

/* The jobs that are not gone, for the record. The caller owns the result. */
json_t *record_jobs(const struct cluster *cluster);

#endif
