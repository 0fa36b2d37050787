/* fake_workers.h: the functions that fake_dask.c, the scheduler, and fake_workers.c, the workers,
 * share. */
#ifndef DRACO_TESTS_FAKE_WORKERS_H
#define DRACO_TESTS_FAKE_WORKERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct fake_job;
struct loop;

struct fake_worker {
	TAILQ_ENTRY(fake_worker) link; /* list of connected workers */
	struct fake_job *job;
	char *name, *address;
	int tasks; /* tasks that it runs */
	int64_t bytes;
	bool drained, retired;
};

/* The worker after this one, among those with these addresses (NULL: all). NULL starts the list,
 * and ends it. */
struct fake_worker *workers_next(struct fake_worker *worker, const json_t *addresses);

/* Give tasks to all workers that are not drained, and report changes to dracod. */
void workers_settle(void);

/* A worker for the results of others; NULL: none. */
struct fake_worker *workers_find_heir(void);
void workers_hand_over(struct fake_worker *worker, struct fake_worker *heir);
void workers_lose_scheduler(void);

void workers_begin(struct loop *loop);
void workers_end(void);

/* Messages of the scheduler's connection. */
void dask_tell_load(json_t *load);
void dask_tell_worker(const struct fake_worker *worker, bool comes);
void dask_tell_weight(const struct fake_worker *worker);

#endif
