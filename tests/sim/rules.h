/* rules.h: what must be so in every run of draco's policies, checked at every step. A rule that
 * is broken is reported by world_violate(). */
#ifndef DRACO_TESTS_SIM_RULES_H
#define DRACO_TESTS_SIM_RULES_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/world.h"

struct draco;
struct draco_job;

#define RULES_TARGETS 512
#define RULES_FLIPS   20

/* What the rules remember. */
struct rules {
	struct {
		int64_t since_ms, jobs;
	} target[RULES_TARGETS]; /* a ring of its changes */
	int targets;		 /* ever */
	int64_t most_by_hand;	 /* the largest size that was ever set so */
	int64_t back_ms;	 /* a job came back from draining or retiring */
	int64_t changed_ms;	 /* the site or the user last changed something */
	int64_t short_since_ms;	 /* fewer jobs are ready than wanted; -1: as many */
	int64_t longest_ms,
		longest_since_ms; /* the longest task was at least that long since */
	int64_t longest_other_ms, longest_changed_ms; /* by more than a tenth */
	int64_t workless_since_ms; /* truly nothing to do and nothing held; -1: there is */
	int64_t unserved_since_ms; /* work, and no job at all; -1: not so */
};

struct rules_job {
	int64_t flips_since_ms;
	int flips;		/* changes of phase since */
	int64_t alone_until_ms; /* no other job was ready then */
	int64_t drained_ms;
	int64_t longest_ms; /* tasks were known to take so long when it was drained */
	bool back;    /* it came back from draining or retiring: tasks may have come late */
	bool expired; /* its walltime was about to end when it was ended */
};

void rules_init(struct rules *rules);

/* A decision is made and not yet carried out. */
void rules_decided(struct world *world, const struct draco *draco);

void rules_phase_changes(struct world *world, struct draco_job *job);

/* A job that Slurm runs is told to end. */
void rules_job_ends(struct world *world, struct draco_job *job);

/* Slurm ended it; job: NULL when dracod had forgotten it. */
void rules_job_ended(struct world *world, struct draco *draco, const struct draco_job *job,
	enum queue_end how);

void rules_task_again(struct world *world, const struct draco_job *job,
	const struct dask_task *task, enum dask_again why);

void rules_step(struct world *world, struct draco *draco);

#endif
