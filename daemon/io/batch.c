/* batch.c: dracod ends with the Slurm job in which it was started. The process of Slurm that
 * runs the job's step ends with it. It is root's, and no child of dracod: so it is looked for. */
#include "daemon/io/batch.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/batch_job.h"
#include "daemon/io/loop.h"

#define LOOK_MS 2000

struct batch {
	struct loop_timer *look;
	void (*fn)(void *arg);
	void *arg;
};

static void on_look(void *arg)
{
	struct batch *batch = arg;

	if (batch_job_lives())
		loop_timer_start(batch->look, LOOK_MS);
	else
		batch->fn(batch->arg);
}

struct batch *batch_create(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct batch *batch;

	if (!batch_job_lives())
		return NULL;
	batch = xcalloc(1, sizeof(*batch));
	batch->fn = fn;
	batch->arg = arg;
	batch->look = loop_timer_create(loop, on_look, batch);
	loop_timer_start(batch->look, LOOK_MS);
	return batch;
}

struct batch *batch_destroy(struct batch *batch)
{
	if (!batch)
		return NULL;
	loop_timer_destroy(batch->look);
	free(batch);
	return NULL;
}
