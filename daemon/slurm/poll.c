/* poll.c: queries the cluster's part of Slurm's queue, no more often than necessary. */
#include "daemon/slurm/poll.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/log.h"
#include "common/number.h"
#include "common/slurm_msg.h"
#include "daemon/io/loop.h"
#include "daemon/slurm/helper.h"

#define DEADLINE_MS    20000
#define FASTEST_MS     500
#define GROWING_MS     4000 /* the fastest for new jobs of a cluster that runs */
#define STOPPING_MS    200  /* the fastest for jobs that end while somebody waits */
#define FAILED_MAX_MS  60000
#define SETTLED_FACTOR 6  /* times poll_interval, while no change is expected */
#define SOON_PART      4  /* soon after a change, the delay is this part of the calm time */
#define LATER_PART     15 /* the same, minutes after a change */

struct poll {
	struct slurm *slurm;
	char *prefix;
	struct loop_timer *timer;
	bool reading;
	bool again; /* the next query was due while one was under way */
	int64_t asked_ms;
	int64_t planned_ms; /* loop time of the next query; 0: none planned */
	const struct poll_ops *ops;
	void *arg;
};

static int64_t fastest_ms(const struct poll_facts *facts)
{
	switch (facts->pace) {
	case POLL_GROWING:
		return min_of(GROWING_MS, facts->interval_ms);
	case POLL_STOPPING:
		return STOPPING_MS;
	case POLL_USUAL:
		break;
	}
	return FASTEST_MS;
}

int64_t poll_delay_ms(const struct poll_facts *facts)
{
	int64_t settled_ms = facts->interval_ms * SETTLED_FACTOR, delay;

	if (facts->failures > 0) {
		delay = (int64_t)FASTEST_MS << (facts->failures < 8 ? facts->failures : 8);
		return delay < FAILED_MAX_MS ? delay : FAILED_MAX_MS;
	}
	if (!facts->unsettled)
		return settled_ms;
	/* A change is often followed by another: query often at first, then less and less often.
	 * The start of a job that was pending for long is noticed late, but its workers report it
	 * themselves. */
	delay = min_of(facts->calm_ms / SOON_PART, facts->interval_ms);
	delay = max_of(delay, facts->calm_ms / LATER_PART);
	return min_of(max_of(delay, fastest_ms(facts)), settled_ms);
}

static void next(struct poll *poll)
{
	if (poll->again)
		loop_timer_start(poll->timer, 0);
	poll->again = false;
}

static int decode(const json_t *list, struct slurm_job *jobs, int count, struct err *err)
{
	for (int i = 0; i < count; i++) {
		int r = slurm_job_decode(json_array_get(list, (size_t)i), &jobs[i], err);

		if (r < 0)
			return r;
	}
	return 0;
}

static void on_reply(
	void *arg, enum slurm_outcome outcome, const json_t *result, const struct err *err)
{
	struct poll *poll = arg;
	const json_t *list = json_object_get(result, "jobs");
	int count = (int)json_array_size(list);
	struct err local = ERR_INIT;
	struct slurm_job *jobs;

	poll->reading = false;
	if (outcome != OUTCOME_DONE) {
		poll->ops->failed(poll->arg, err);
		next(poll);
		return;
	}
	jobs = xcalloc((size_t)count, sizeof(*jobs));
	if (decode(list, jobs, count, &local) < 0) {
		log_error("slurm: %s", local.text);
		poll->ops->failed(poll->arg, &local);
	} else {
		poll->ops->read(poll->arg, jobs, count, poll->asked_ms);
	}
	for (int i = 0; i < count; i++)
		slurm_job_finish(&jobs[i]);
	free(jobs);
	next(poll);
}

static void ask(void *arg)
{
	struct poll *poll = arg;

	if (poll->reading) {
		poll->again = true;
		return;
	}
	poll->planned_ms = 0;
	poll->asked_ms = loop_now_ms();
	poll->reading = true;
	if (slurm_request(poll->slurm, "query", json_pack("{s:s}", "prefix", poll->prefix),
		    DEADLINE_MS, on_reply, poll) < 0) {
		poll->reading = false;
		poll_within(poll, FASTEST_MS);
	}
}

void poll_within(struct poll *poll, int64_t in_ms)
{
	int64_t at = loop_now_ms() + in_ms;

	if (poll->planned_ms && poll->planned_ms <= at)
		return;
	poll->planned_ms = at;
	loop_timer_start(poll->timer, in_ms);
}

void poll_stop(struct poll *poll)
{
	poll->again = false;
	poll->planned_ms = 0;
	loop_timer_stop(poll->timer);
}

struct poll *poll_create(struct loop *loop, struct slurm *slurm, const char *prefix,
	const struct poll_ops *ops, void *arg)
{
	struct poll *poll = xcalloc(1, sizeof(*poll));

	poll->slurm = slurm;
	poll->prefix = xstrdup(prefix);
	poll->timer = loop_timer_create(loop, ask, poll);
	poll->ops = ops;
	poll->arg = arg;
	return poll;
}

struct poll *poll_destroy(struct poll *poll)
{
	if (!poll)
		return NULL;
	loop_timer_destroy(poll->timer);
	free(poll->prefix);
	free(poll);
	return NULL;
}
