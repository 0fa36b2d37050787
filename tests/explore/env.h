/* env.h: what is around a dracod while it is explored: a small Slurm, a small Dask, a client, and
 * what may happen to each. dracod is the real one, in the world of tests/fuzz/world.h.
 *
 * An event is one step of one of them: Slurm answers, a job starts, the scheduler dies, dracod is
 * killed. The order of events is free, and that is what explore.c goes through. */
#ifndef DRACO_TESTS_EXPLORE_ENV_H
#define DRACO_TESTS_EXPLORE_ENV_H

#include <stdbool.h>
#include <stdint.h>

#include "common/slurm_msg.h"

#define JOBS_MAX   8
#define NAME_SIZE  64
#define NO_CLUSTER (-1) /* wish: none */

struct env_job {
	uint32_t id;
	int64_t task;
	char name[NAME_SIZE];
	enum slurm_state state;
	bool asked_to_end; /* by SIGTERM */
	bool let_go;	   /* dracod has asked Slurm to end it, perhaps in vain */
	bool came;	   /* its worker has reached a scheduler */
	bool there;	   /* its worker is connected to the scheduler */
	bool busy, drained;
};

/* How often more each of these may happen on one path. */
struct env_budget {
	int kills, losses, refusals, deaths, node_fails, requeues, wishes, tasks, hang_ups;
};

/* Plain values: all of it is part of the fingerprint of a state. */
extern struct env {
	struct env_budget left;
	struct env_job job[JOBS_MAX];
	int jobs;
	uint32_t last_id;
	int64_t wish;	  /* jobs that the client wants, or NO_CLUSTER */
	bool adaptive;	  /* the number of jobs follows the tasks */
	bool daemon;	  /* a dracod runs */
	bool greeted;	  /* the preload is connected to it */
	bool carried_out; /* the oldest question to Slurm has an answer, which is under way */
	bool late;	  /* a submission still waits in slurmctld's accept queue */
	int away;	  /* so often time has passed while the preload was not connected */
	bool gave_up;	  /* something happened after which a start may fail */
} env;

enum event {
	EVENT_NONE,
	EVENT_ANSWER,	  /* Slurm carries the oldest request out, and its answer arrives */
	EVENT_CARRY_OUT,  /* Slurm carries it out; the answer is under way */
	EVENT_LOSE,	  /* the request is lost: nothing happens, and dracod cannot know */
	EVENT_LOSE_LATE,  /* the same, but the submission arrives later */
	EVENT_LOSE_AFTER, /* Slurm carries it out, and the answer is lost */
	EVENT_REFUSE,	  /* Slurm refuses it */
	EVENT_ARRIVE,	  /* the late submission arrives */
	EVENT_JOB_STARTS,
	EVENT_JOB_ENDS, /* after SIGTERM, or because its scheduler is gone */
	EVENT_NODE_FAILS,
	EVENT_REQUEUE,
	EVENT_WORKER_COMES,
	EVENT_TASK_COMES, /* to this job's worker */
	EVENT_TASK_ENDS,
	EVENT_HELLO, /* the preload connects to dracod */
	EVENT_HANG_UP,
	EVENT_REPLY, /* the preload answers the oldest request */
	EVENT_SCHEDULER_DIES,
	EVENT_KILL,	  /* dracod, and draco-slurm before it carries out its request */
	EVENT_KILL_AFTER, /* the same, but the request is carried out */
	EVENT_COME_BACK,
	EVENT_SCALE, /* the client wants another number of jobs */
	EVENT_STOP,
	EVENT_START,
	EVENT_WAIT, /* time passes until dracod does something, or for a while */
	EVENT_COUNT,
};

/* Does the event concern one of the jobs? */
bool event_is_of_job(enum event event);
const char *event_name(enum event event);

/* Can it happen now? number: the job, or the number of jobs for EVENT_SCALE. */
bool env_can(enum event event, int number);

/* Let it happen, and let dracod do what it does at once. */
void env_do(enum event event, int number);

/* Begin: a dracod, a client, and a start for two jobs. adaptive: the number of jobs follows the
 * tasks, from one to two. */
void env_begin(const struct env_budget *budget, bool adaptive);

/* From here on everything goes well. Where the wish is not fulfilled after a long time, or
 * something is left after a stop, the rule is broken. */
void env_end_well(void);

/* A number that is equal for equal states of dracod and all around it. */
uint64_t env_fingerprint(void);

/* A rule is broken: tell it with the path, and end the process. */
void env_broken(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* In the parts of the environment. */

struct env_job *env_job_of_address(const char *address);
bool env_job_is_alive(const struct env_job *job);
void env_job_end(struct env_job *job, enum slurm_state state);
void env_worker_leaves(struct env_job *job);

/* env_slurm.c */
bool slurm_can(enum event event, int number);
void slurm_do(enum event event, int number);
void slurm_answer_surely(void); /* what dracod asks before it submits anything */
void slurm_time_passes(void);
void slurm_kill(bool after);
void slurm_hash(void (*add)(const void *data, size_t size));

/* env_dask.c */
bool dask_can(enum event event, int number);
void dask_do(enum event event, int number);
void dask_tell_worker(const struct env_job *job, bool comes);
void dask_tell_work(void);
void dask_settle(void); /* a scheduler that has ended takes its workers along */
void dask_time_passes(void);
void dask_leave_alone(void); /* dracod was killed */

#endif
