/* model.h: the state of the cluster: its wishes, its facts and the requests under way.
 *
 *	STOPPED -> STARTING -> RUNNING -> STOPPING -> STOPPED, or FAILED with a reason
 *
 * Each part of the cluster is a file beside this one and writes its own members. All parts use the
 * functions here. */
#ifndef DRACO_DAEMON_CLUSTER_MODEL_H
#define DRACO_DAEMON_CLUSTER_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/settings.h"
#include "common/strv.h"
#include "daemon/cluster/job.h"
#include "daemon/cluster/notices.h"
#include "daemon/dask/dashboard.h"
#include "daemon/policy/bad_nodes.h"
#include "daemon/policy/demand.h"
#include "daemon/policy/failure.h"
#include "daemon/policy/fleet.h"
#include "daemon/policy/handover.h"
#include "daemon/policy/job_limit.h"
#include "daemon/policy/placement.h"
#include "daemon/policy/scaling.h"
#include "daemon/slurm/binding.h"
#include "daemon/slurm/placer.h"

struct children;
struct job;
struct jobs;
struct loop;
struct loop_timer;
struct paths;
struct poll;
struct python_search;
struct scheduler;
struct slurm;
struct submissions;
struct tls;

enum cluster_state {
	CLUSTER_STOPPED,
	CLUSTER_STARTING,
	CLUSTER_RUNNING,
	CLUSTER_STOPPING,
	CLUSTER_FAILED,
};

const char *cluster_state_name(enum cluster_state state);

/* The steps of a start, in the order in which they usually come. */
enum cluster_milestone {
	MILESTONE_PREPARED,  /* Python and Slurm were found */
	MILESTONE_SUBMITTED, /* Slurm has taken the first job */
	MILESTONE_SCHEDULER, /* the Dask scheduler is up */
	MILESTONE_RUNNING,   /* Slurm runs the first job */
	MILESTONE_WORKER,    /* the first worker has connected */
	MILESTONE_READY,     /* the cluster is usable */
	MILESTONE_COUNT,
};

const char *cluster_milestone_name(enum cluster_milestone milestone);

/* The input of a start, from the client that asks for it. */
struct cluster_request {
	struct settings settings;
	struct strv environment;    /* of the scheduler and of the workers */
	char *directory;	    /* working directory of both; NULL: the home directory */
	struct binding_start slurm; /* the Slurm to use, for draco-slurm */
};

void cluster_request_finish(struct cluster_request *request);

/* An answer of the preload. result is borrowed; NULL: it failed, with err. */
typedef void scheduler_answer(void *arg, const json_t *result, const struct err *err);

struct cluster_ops {
	/* The status has changed. */
	void (*changed)(void *arg);
	/* A start has made the directory for its logs. */
	void (*log_directory)(void *arg, const char *directory, int64_t retention_ms);
	/* Jobs with this cluster id may exist from now on, or certainly exist no more. The caller
	 * records that, for after a crash. */
	void (*may_have_jobs)(void *arg, const char *cluster_id);
	void (*has_no_jobs)(void *arg, const char *cluster_id);
	/* A start begins and means this Slurm; later slurmctld has told which Slurm it is. */
	void (*slurm_meant)(void *arg, const struct binding_start *start);
	void (*slurm_told)(void *arg, const json_t *slurm);
	/* Send a request to the preload; see dask_link_request(). */
	int (*ask_scheduler)(void *arg, const char *method, json_t *params, int64_t deadline_ms,
		scheduler_answer *done, void *done_arg);
};

#define CLUSTER_ID_MAX 16

/* Access to the cluster: access.c. */
struct cluster_access {
	const char *tls_directory; /* for certificates; the nodes must see it, too */
	const struct paths *paths; /* the dashboard's socket is there */
	struct tls *tls;	   /* NULL: security is none */
	/* The scheduler's Python needs the fix, so clients may, too. */
	bool needs_tls_fix;
	char *interface;      /* the scheduler's; NULL: not known */
	bool interface_named; /* a setting names it */
	struct dashboard dashboard;
};

/* Failures since the start: failure.c. */
struct cluster_failures {
	struct failures jobs;
	/* The reason to fail with when no job is left in a pause; code 0: none. */
	struct err reason;
	char *reason_log;
};

/* The places where jobs can run: place.c, widen.c. */
struct cluster_place {
	/* The last result; candidate_sets of jobs refer to it. */
	struct placement placement;
	struct placer *placer; /* the search under way; NULL: none */
	struct placer_memory survey;
	int64_t searched_ms; /* loop time of the last result; 0: it is not to be used again */
	char cluster_id[CLUSTER_ID_MAX]; /* the cluster that the search is for */
	/* Jobs that the search is for; 0: it is for widening. */
	int64_t to_submit;
	/* The search has ended, and its jobs are not submitted yet. */
	bool found;
	bool again;		     /* it is an older one: its predictions were for others */
	bool to_widen;		     /* its result has not been used for widening yet */
	int64_t refused[ROLE_COUNT]; /* refused by Slurm, to be submitted elsewhere: ordinary
				      * jobs by place.c, substitutes by widen.c */
	int64_t substitutes;	/* jobs to submit to substitute_at: pending ones cannot move */
	size_t substitute_at;	/* a candidate */
	int64_t needs;		/* the last number of a need (struct job) */
	bool widening;		/* a request to widen jobs is under way */
	candidate_set widen_to; /* the places that this request adds up to */
	int64_t widen_hold_ms;	/* loop time before which nothing is widened */
	bool failed;		/* the cluster fails because no place was found */
	struct strv
		never; /* places where Slurm never starts such a job: name, reason, name ... */
	int64_t never_until_ms; /* loop time before which those are not tried again */
	struct job_limit limit; /* the site's limit of jobs, as far as known */
	char *shortage;		/* why there are no more jobs, for a person; NULL: not known */
};

/* The cluster's wanted and actual size: size.c. */
struct cluster_size {
	struct demand demand; /* from the scheduler's last report */
	struct scaling_limits limits;
	struct scaling_state scaling;
	struct scaling_target target; /* the last decision */
	struct fleet_state fleet;
	struct handover_waits waits;
	struct handover_waits boots; /* from when a job runs until its workers have come */
	char *paused;  /* why jobs are neither requested nor given back; NULL: no pause */
	bool stranded; /* tasks wait, and the pause keeps jobs from coming */
	/* The loop time since which there is no client, no attached program and no task; -1: it is
	 * used. */
	int64_t unused_since_ms;
	/* The loop time since which all workers are paused and tasks wait; 0: they are not. */
	int64_t full_since_ms;
	/* The names of tasks about which the user was told that they take too long. */
	struct strv told;
};

/* Workers that died of memory: deaths.c. */
struct cluster_deaths {
	int64_t told_ms; /* loop time of the last notice; 0: not known */
};

/* Does the scheduler answer? pulse.c. */
struct cluster_pulse {
	int64_t heard_ms; /* loop time of the last answer */
	bool asking;
	int unanswered; /* questions in a row without an answer */
	time_t since;	/* when the first of them was asked */
};

/* Has the scheduler enough memory? brim.c. */
struct cluster_brim {
	int64_t next_ms; /* loop time of the next look */
};

/* The systemd unit of the scheduler: unit.c. */
struct cluster_unit {
	char *why; /* it has none, and this was the reason; NULL: not known, or it has one */
};

/* The adoption of the cluster of an earlier dracod: adopt.c. */
struct cluster_adoption {
	bool waits;	    /* for the facts: */
	bool unread;	    /* Slurm's queue has not been read */
	bool ungreeted;	    /* the scheduler's plugin has not said hello */
	bool rebuilds;	    /* the record was damaged: the queue tells which jobs there are */
	int64_t until_ms;   /* loop time at which it waits no longer */
	bool killed;	    /* the former dracod did not leave on purpose */
	int port;	    /* of its scheduler, where jobs look for it; 0: none was chosen */
	time_t alone_since; /* when the plugin lost it; 0: not known */
	char *text;	    /* what happened, for a person; NULL: nothing to tell */
};

/* The record for the dracod that follows this one: record.c. */
struct cluster_record {
	const char *path, *basis_path;
	struct loop_timer *due;
	json_t *saved;		       /* what the file holds; NULL: not known */
	json_t *basis;		       /* what the other file holds */
	struct err error, basis_error; /* of the last write of each */
};

struct cluster {
	struct loop *loop;
	struct children *children;
	struct slurm *slurm;
	const char *name;

	enum cluster_state state;
	int64_t since_ms;   /* loop time at which the state began */
	bool wanted;	    /* it must run; otherwise it must be down */
	struct err failure; /* why it is FAILED, or will be */
	char *failure_log;  /* path of a log with details; NULL: none */

	struct cluster_request request;
	char id[CLUSTER_ID_MAX];
	char *log_dir;
	int64_t started_ms;		       /* loop time of the start */
	int64_t milestone_ms[MILESTONE_COUNT]; /* after started_ms; -1: not reached */

	/* The facts that a start needs first. */
	struct python_search *python_search;
	char *python, *python_version;
	bool site_asked;
	char *address;	   /* this host's, for the nodes */
	int64_t array_max; /* jobs that the site takes in one submission */
	struct cluster_access access;

	struct cluster_place place;
	struct jobs *jobs;
	struct submissions *submissions;
	int submission_count;
	int64_t hold_until_ms; /* loop time before which nothing is submitted */
	int64_t limit_hold_ms; /* loop time before which the preload is told no ends of jobs */
	struct cluster_failures failures;
	struct bad_nodes nodes;
	const char *nodes_file;	 /* keeps the excluded nodes; NULL: nothing does */
	bool exclude_due;	 /* pending jobs may still use excluded nodes */
	bool excluding;		 /* a request to exclude them is under way */
	int64_t exclude_hold_ms; /* loop time before which there is no such request */
	struct strv strays;	 /* ids of unwanted jobs in the queue, to be cancelled */
	char *end_error;	 /* why jobs could not be ended at last; NULL: they could */
	bool spawn;		 /* forkserver has failed: later jobs use spawn */
	struct notices notices;
	struct scheduler *scheduler;
	struct cluster_size size;
	const char
		*pauses_file;  /* keeps what size.fleet.hold has learned; NULL: nothing does */
	bool undrain_due;      /* workers of wanted jobs may still be drained */
	int undraining;	       /* requests to undrain them that are under way */
	int attached;	       /* number of attached programs */
	bool had_work;	       /* the scheduler has had tasks since the start */
	json_t *load;	       /* the last report, as demand_parse() reads it */
	json_t *shares;	       /* of the attached programs: shares.c; NULL: none was attached */
	json_t *chosen_shares; /* those of "dracoctl share"; NULL: none since the start */
	bool shares_due;       /* the preload does not know them yet */
	/* The jobs of which the preload knows that they leave: leaving.c; NULL: of none. */
	json_t *leaving;

	struct cluster_deaths deaths;
	struct cluster_pulse pulse;
	struct cluster_brim brim;
	struct cluster_unit unit;
	struct cluster_adoption adoption;
	struct cluster_record record;
	struct poll *poll;
	int poll_failures;
	int64_t calm_since_ms; /* loop time of the last change to a job */
	int64_t stop_since_ms;
	struct strv unconfirmed; /* ids of jobs that may have outlived a stop */
	bool in_silence;	 /* Slurm did not answer during that stop */

	int64_t wake_ms; /* loop time of the planned reconcile; valid while planned */
	/* Runs in this turn of the loop, or at the next deadline. */
	struct loop_timer *reconcile;
	const struct cluster_ops *ops;
	void *arg;
};

/* Is it STARTING or RUNNING? */
bool cluster_is_up(const struct cluster *cluster);

/* Is it STOPPED or FAILED, and nothing of it left? */
bool cluster_is_down(const struct cluster *cluster);

/* Does only Slurm's queue, which was not read yet, tell which jobs there are? Then nothing is
 * decided, however long it takes, and the record is not written. */
bool cluster_is_blind(const struct cluster *cluster);

/* The only writers of the state. A cluster that goes on under another dracod is in this state since
 * since_ms already. */
void cluster_set_state(struct cluster *cluster, enum cluster_state state);
void cluster_go_on(struct cluster *cluster, enum cluster_state state);

/* Stop: give all jobs back, and stop the scheduler. why: for a person. Idempotent. */
void cluster_stop(struct cluster *cluster, const char *why);

/* Stop as cluster_stop(), and be FAILED for the reason err afterwards. log (may be NULL): path of a
 * log with details. */
void cluster_fail(struct cluster *cluster, const struct err *err, const char *log);

/* Reconcile in in_ms at the latest. An earlier plan stays. */
void cluster_wake(struct cluster *cluster, int64_t in_ms);

/* Is a planned reconcile late by far? The host was suspended, or dracod is at fault. */
bool cluster_is_late(const struct cluster *cluster);

/* Has the loop time when_ms come? If not, plan a reconcile at that time; INT64_MAX: never. */
bool cluster_is_due(struct cluster *cluster, int64_t when_ms);

/* Note that the start has reached a milestone; only the first time counts. */
void cluster_reached(struct cluster *cluster, enum cluster_milestone milestone);

/* Neither request jobs nor give them back, until cluster_resume(). why: for a person. */
void cluster_pause(struct cluster *cluster, const char *why);

/* Set all places of the request anew, with nothing known about them. */
void cluster_forget_places(struct cluster *cluster);

/* Tell the user once, in the log, in the status and at the end of a start; it holds until the
 * cluster ends. Returns whether the user did not know. */
bool cluster_notice(struct cluster *cluster, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same about a topic, and a subject or NULL, in place of what was told about it before. Returns
 * the text, which is borrowed; NULL: the user knows. */
const char *cluster_tell(struct cluster *cluster, enum notice_topic topic, const char *subject,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* What the user was told about it; NULL: nothing. Borrowed. */
const char *cluster_told(
	const struct cluster *cluster, enum notice_topic topic, const char *subject);

/* A notice about it, if there is one, no longer holds: take it out of the status. */
void cluster_withdraw(struct cluster *cluster, enum notice_topic topic, const char *subject);

/* The path of a job's log. The caller frees. */
char *cluster_job_log(const struct cluster *cluster, const struct job *job);

/* The number of jobs that the cluster wants. */
int64_t cluster_jobs_wanted(const struct cluster *cluster);

#endif
