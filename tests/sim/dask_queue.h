/* dask_queue.h: what dask.c and dask_worker.c need of each other. */
#ifndef DRACO_TESTS_SIM_DASK_QUEUE_H
#define DRACO_TESTS_SIM_DASK_QUEUE_H

#include "tests/sim/dask.h"

/* The queue of ready tasks. */
void dask_queue_push(struct dask *dask, int task);
int dask_queue_pop(struct dask *dask);

/* It ran to its end. */
void dask_finish_task(struct world *world, int task);

/* It had been done, and its result is lost. */
void dask_lose_result(struct world *world, int task);

/* When the worker connects or has done a task; INT64_MAX: not by itself. */
int64_t dask_worker_next_ms(const struct dask *dask, const struct dask_worker *worker);
void dask_step_workers(struct world *world);

/* Give tasks to those workers that take some. */
void dask_match(struct world *world);

#endif
