/* queue.h: a model of Slurm: jobs wait, find a node, run, fail, and end at the latest with their
 * walltime. */
#ifndef DRACO_TESTS_SIM_QUEUE_H
#define DRACO_TESTS_SIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct world;

enum queue_state { QUEUE_PENDING, QUEUE_RUNNING, QUEUE_ENDED };

enum queue_end { QUEUE_CANCELLED, QUEUE_FAILED, QUEUE_TIMEOUT };

struct queue_job {
	enum queue_state state;
	enum queue_end end; /* once it has ended */
	int64_t submit_ms, start_ms, end_ms;
	int64_t eligible_ms; /* a node may take it then */
	int64_t fail_ms;     /* after its start; INT64_MAX: never */
	int64_t kill_ms;     /* it was signalled and leaves then; INT64_MAX: it was not */
};

struct queue {
	struct queue_job *job;
	size_t count, size;
	size_t first; /* those before have ended */
	int64_t submissions, cancelled_pending;
	int64_t changes; /* of states, ever */
};

void queue_finish(struct queue *queue);

/* Its number. */
size_t queue_submit(struct world *world);

/* Pending: it is gone. Running: its processes are signalled, and end soon. */
void queue_cancel(struct world *world, size_t number);

/* When something happens by itself; INT64_MAX: never. */
int64_t queue_next_ms(const struct world *world);

void queue_step(struct world *world);

/* Of all jobs until now: milliseconds x nodes. */
int64_t queue_node_ms(const struct world *world);

#endif
