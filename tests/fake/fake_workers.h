/* fake_workers.h: what fake_dask.c, the scheduler, and fake_workers.c, the workers, have of
 * each other. */
#ifndef DRACO_TESTS_FAKE_WORKERS_H
#define DRACO_TESTS_FAKE_WORKERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct fake_job;
struct loop;

struct fake_worker {
	TAILQ_ENTRY(fake_worker) link; /* those that are connected */
	struct fake_job *job;
	char *name, *address;
	int tasks; /* that run there */
	int64_t bytes;
	bool drained, retired;
};

/* The next worker, of those with these addresses (NULL: of all); NULL begins, and ends. */
struct fake_worker *workers_next(struct fake_worker *worker, const json_t *addresses);

/* Give tasks to all that shall work, and tell dracod what has changed. */
void workers_settle(void);

struct fake_worker *workers_find_heir(void); /* of results; NULL: none shall work */
void workers_hand_over(struct fake_worker *worker, struct fake_worker *heir);
void workers_lose_scheduler(void);

void workers_begin(struct loop *loop);
void workers_end(void);

/* The scheduler's connection. */
void dask_tell_load(json_t *load);
void dask_tell_worker(const struct fake_worker *worker, bool comes);
void dask_tell_weight(const struct fake_worker *worker);

#endif
