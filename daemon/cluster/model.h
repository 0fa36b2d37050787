/* model.h: all that the cluster knows: what is wanted, what there is, and what is under way.
 *
 *	STOPPED -> STARTING -> RUNNING -> STOPPING -> STOPPED, or FAILED with a reason
 *
 * The parts of the cluster, each a file beside this one, write their own members; the functions
 * here are for all of them. */
#ifndef DRACO_DAEMON_CLUSTER_MODEL_H
#define DRACO_DAEMON_CLUSTER_MODEL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/settings.h"
#include "common/strv.h"
#include "daemon/cluster/job.h"
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

struct children;
struct job;
struct jobs;
struct loop;
struct loop_timer;
struct paths;
struct placer;
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

/* What a start brings along, from the one who asks. */
struct cluster_request {
	struct settings settings;
	struct strv environment;    /* for scheduler and workers */
	char *directory;	    /* where they run; NULL: the home directory */
	struct binding_start slurm; /* for draco-slurm */
};

void cluster_request_finish(struct cluster_request *request);

/* An answer of the scheduler's preload: result is borrowed, or NULL with err. */
typedef void scheduler_answer(void *arg, const json_t *result, const struct err *err);

struct cluster_ops {
	/* Something worth showing has changed. */
	void (*changed)(void *arg);
	/* A start has made the directory for its logs. */
	void (*log_directory)(void *arg, const char *directory, int64_t retention_ms);
	/* Jobs of the cluster with this id may exist from now on, or certainly do not any more: to
	 * be remembered through a crash. */
	void (*may_have_jobs)(void *arg, const char *cluster_id);
	void (*has_no_jobs)(void *arg, const char *cluster_id);
	/* A start begins in the Slurm that it means; slurmctld has said which Slurm it is. */
	void (*slurm_meant)(void *arg, const struct binding_start *start);
	void (*slurm_told)(void *arg, const json_t *slurm);
	/* Ask the scheduler's preload, as dask_link_request(). */
	int (*ask_scheduler)(void *arg, const char *method, json_t *params, int64_t deadline_ms,
		scheduler_answer *done, void *done_arg);
};

#define CLUSTER_ID_MAX 16

/* Who reaches the cluster, and where: access.c. */
struct cluster_access {
	const char *tls_directory; /* for certificates; the nodes must see it, too */
	const struct paths *paths; /* where the dashboard's socket shall be */
	struct tls *tls;	   /* NULL with security none */
	bool needs_tls_fix;	   /* the scheduler's Python does, so clients may, too */
	char *interface;	   /* of the scheduler; NULL: not known */
	bool interface_named;	   /* the setting names it */
	struct dashboard dashboard;
};

/* What has failed since the start: failure.c. */
struct cluster_failures {
	struct failures jobs;
	/* Why the cluster fails when no job is left in a pause; code 0: it does not. */
	struct err reason;
	char *reason_log;
	char *notice; /* that no more jobs are requested; NULL: none */
};

/* Where jobs can run: place.c, widen.c. */
struct cluster_place {
	struct placement placement;	 /* as found last; a job's candidate_set refers to it */
	struct placer *placer;		 /* looking now; NULL: not */
	char cluster_id[CLUSTER_ID_MAX]; /* of the cluster that it looks for */
	int64_t to_submit;		 /* jobs that the search is for; 0: it is to widen */
	bool found;			 /* it has ended, and they are to be submitted */
	bool to_widen;			 /* what was found is to be used for widening, still */
	int64_t refused
		[ROLE_COUNT]; /* jobs that Slurm has refused: to be submitted elsewhere */
	int64_t substitutes; /* jobs to submit to a place where no pending job may be moved ... */
	size_t substitute_at;	/* ... this candidate */
	bool widening;		/* Slurm is asked to widen jobs ... */
	candidate_set widen_to; /* ... to this set */
	int64_t widen_hold_ms;	/* no widening before */
	bool failed;		/* the cluster fails as no place was found */
	struct strv
		never; /* places where Slurm lets no such job start: name, reason, name ... */
	int64_t never_until_ms; /* they are not tried again before */
	struct job_limit limit; /* how many jobs the site lets one have */
	char *shortage; /* why there are no more, for a person; NULL: nothing is known */
};

/* How large the cluster shall be, and is: size.c. */
struct cluster_size {
	struct demand demand; /* what the scheduler reported last */
	struct scaling_limits limits;
	struct scaling_state scaling;
	struct scaling_target target; /* as decided last */
	struct fleet_state fleet;
	struct handover_waits waits;
	char *paused;  /* why no job is asked for and none given back; NULL: that is not so */
	bool stranded; /* there is work, but because of the pause no job for it */
	int64_t unused_since_ms; /* no client, nobody attached and no work since; -1: there is */
	struct strv told; /* of tasks with these names the user knows that they take too long */
};

struct cluster {
	struct loop *loop;
	struct children *children;
	struct slurm *slurm;
	const char *name;

	enum cluster_state state;
	int64_t since_ms;   /* loop time of the state's begin */
	bool wanted;	    /* it shall run; else it shall not */
	struct err failure; /* why it FAILED, or is about to */
	char *failure_log;  /* path of the log that tells more; NULL: none */

	struct cluster_request request;
	char id[CLUSTER_ID_MAX];
	char *log_dir;
	int64_t started_ms;		       /* loop time of the start */
	int64_t milestone_ms[MILESTONE_COUNT]; /* after started_ms; -1: not reached */

	/* What a start has to find out first. */
	struct python_search *python_search;
	char *python, *python_version;
	bool site_asked;
	char *address;	   /* of this host towards the nodes */
	int64_t array_max; /* jobs that the site takes in one submission */
	struct cluster_access access;

	struct cluster_place place;
	struct jobs *jobs;
	struct submissions *submissions;
	int submission_count;
	int64_t hold_until_ms; /* no submission before */
	int64_t limit_hold_ms; /* the preload is told no ends of jobs before */
	struct cluster_failures failures;
	struct bad_nodes nodes;
	const char *nodes_file;	 /* that keeps the excluded ones; NULL: none does */
	bool exclude_due;	 /* pending jobs may use nodes that are excluded by now */
	bool excluding;		 /* Slurm is asked to change that */
	int64_t exclude_hold_ms; /* it is not asked before */
	struct strv strays;	 /* jobs in the queue that nobody wants: to be cancelled */
	bool spawn;		 /* forkserver failed: workers start by spawn from now on */
	struct strv notices;	 /* what a user should know about this start */
	struct scheduler *scheduler;
	struct cluster_size size;
	const char
		*pauses_file; /* that keeps what size.fleet.hold has learned; NULL: none does */
	bool undrain_due;     /* workers that shall work may be drained still ... */
	int undraining;	      /* ... and the scheduler was asked so often to end that */
	int attached;	      /* programs that hold on to it */
	bool had_work;	      /* there were tasks, since the start */
	json_t *load;	      /* what the scheduler reported last, as demand_parse() reads it */

	struct poll *poll;
	int poll_failures;
	int64_t calm_since_ms; /* loop time of the last change of a job */
	int64_t stop_since_ms;
	struct strv unconfirmed; /* ids of jobs that may live on after a stop ... */
	bool in_silence;	 /* ... and Slurm did not answer then */

	int64_t wake_ms; /* loop time of the next reconcile; valid while it is planned */
	struct loop_timer *reconcile; /* in this turn of the loop, or at the next deadline */
	const struct cluster_ops *ops;
	void *arg;
};

/* It starts or runs. */
bool cluster_is_up(const struct cluster *cluster);

/* It has stopped or failed, and nothing of it is left. */
bool cluster_is_down(const struct cluster *cluster);

/* The one writer of the state. */
void cluster_set_state(struct cluster *cluster, enum cluster_state state);

/* Give everything back. Idempotent. */
void cluster_stop(struct cluster *cluster, const char *why);

/* Give everything back, and be FAILED with this reason after it. log (may be NULL) tells more. */
void cluster_fail(struct cluster *cluster, const struct err *err, const char *log);

/* Reconcile within this time, or earlier as planned already. */
void cluster_wake(struct cluster *cluster, int64_t in_ms);

/* Has the loop time when_ms come? If not, reconcile again at that time; INT64_MAX is never. */
bool cluster_is_due(struct cluster *cluster, int64_t when_ms);

/* Note that the start has reached a milestone; only the first time counts. */
void cluster_reached(struct cluster *cluster, enum cluster_milestone milestone);

/* Ask for no job and give none back, until it goes on. why: for a person. */
void cluster_pause(struct cluster *cluster, const char *why);

/* Tell the user something once: in the log, in the status and at the end of a start. */
/* It is not so any more: the text of a notice goes. */
void cluster_withdraw_notice(struct cluster *cluster, const char *text);
void cluster_notice(struct cluster *cluster, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The path of a job's log. The caller frees. */
char *cluster_job_log(const struct cluster *cluster, const struct job *job);

/* The number of jobs that shall be there. */
int64_t cluster_jobs_wanted(const struct cluster *cluster);

#endif
