/* adaptive.h: a model of Dask's own way to scale on Slurm: distributed 2022.12's Adaptive with
 * dask-jobqueue 0.8's and 0.9's SLURMCluster.
 *
 * Modelled, from the sources of both: AdaptiveCore.adapt() each second, not while the one
 * before waits; plan, requested and observed as sets of workers; wait_count 3; close_counts and
 * their clearing; Scheduler.adaptive_target() with its target duration of 5 s, 0.5 s for each
 * queued task and for running ones of unknown duration until heartbeats tell of longer ones
 * (twice the longest then), never more workers than tasks, the doubling above 60 % of the
 * memory, and no account of threads; workers_to_close() with its order, its memory_ratio, and a
 * target that makes it go on to busy workers; retire_workers(), which moves the results and
 * lets go of running tasks; scale_down(), which cancels the whole job of a worker that closes,
 * and scale(), which rounds up to whole jobs. A job of several workers that ends is never
 * noticed; one of a single worker is after the lost-worker timeout of 15 s.
 *
 * Not modelled: network time in the occupancy; the order of Python's sets, for which stands a
 * hash of the worker's name; a task's end as KilledWorker after four lost workers; a
 * --lifetime, which dask-jobqueue does not set by itself; newer versions of distributed. */
#ifndef DRACO_TESTS_SIM_ADAPTIVE_H
#define DRACO_TESTS_SIM_ADAPTIVE_H

#include "tests/sim/world.h"

#define ADAPTIVE_WORKERS 2048

/* Print, as JSON, what it sees and what it decides, each time. */
extern bool adaptive_tells;

/* Scheduler.adaptive_target(). fair: unlike the real one, it asks workers_to_close() for whole
 * jobs. */
int64_t adaptive_target(struct world *world, bool fair);

/* Scheduler.workers_to_close(): the workers' numbers in ret; how many. target -1: none. */
int adaptive_workers_to_close(
	const struct world *world, bool grouped, int64_t target, int ret[ADAPTIVE_WORKERS]);

#endif
