/* linger.c: how long dracod without a cluster waits for jobs that are left. */
#include "daemon/slurm/linger.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/parse.h"
#include "daemon/io/loop.h"
#include "daemon/slurm/helper.h"
#include "daemon/slurm/leftover.h"

#define LOOK_MS	      2000
#define ASKED_STAY_MS (24 * 3600 * INT64_C(1000)) /* if idle_shutdown is not set */

struct linger {
	struct loop_timer *look;
	const struct slurm *slurm;
	const struct leftover *leftover;
	int64_t idle_ms;
	bool asked;
	const struct linger_ops *ops;
	void *arg;
};

/* For how long, in ms, dracod waits for a silent Slurm; 0: without limit. */
static int64_t patience(const struct linger *linger)
{
	if (linger->asked)
		return linger->idle_ms ? linger->idle_ms : ASKED_STAY_MS;
	return linger->ops->is_used(linger->arg) ? 0 : linger->idle_ms;
}

static bool is_silent(const struct linger *linger, int64_t for_ms)
{
	struct slurm_health health;

	slurm_health(linger->slurm, &health);
	return health.asked && !health.answering && loop_now_ms() - health.since_ms >= for_ms;
}

static void on_look(void *arg)
{
	struct linger *linger = arg;
	int64_t most_ms = patience(linger);
	_cleanup_free_ char *why = NULL;
	char text[FORMAT_MAX];

	if (!leftover_has_any(linger->leftover)) {
		linger->ops->confirmed(linger->arg);
		if (linger->asked)
			linger->ops->end(linger->arg, "none of its jobs is left");
		return;
	}
	if (most_ms > 0 && is_silent(linger, most_ms)) {
		why = xasprintf("Slurm has not answered for %s (idle_shutdown); jobs that are "
				"left are ended by the next start of this cluster",
			format_duration(most_ms, text));
		linger->ops->end(linger->arg, why);
		return;
	}
	loop_timer_start(linger->look, LOOK_MS);
}

struct linger *linger_create(struct loop *loop, const struct slurm *slurm,
	const struct leftover *leftover, const struct linger_ops *ops, void *arg)
{
	struct linger *linger = xcalloc(1, sizeof(*linger));

	linger->slurm = slurm;
	linger->leftover = leftover;
	linger->ops = ops;
	linger->arg = arg;
	linger->look = loop_timer_create(loop, on_look, linger);
	return linger;
}

struct linger *linger_destroy(struct linger *linger)
{
	if (!linger)
		return NULL;
	loop_timer_destroy(linger->look);
	free(linger);
	return NULL;
}

void linger_watch(struct linger *linger, int64_t idle_ms)
{
	linger->idle_ms = idle_ms;
	loop_timer_start(linger->look, LOOK_MS);
}

void linger_stop(struct linger *linger)
{
	linger->asked = false;
	loop_timer_stop(linger->look);
}

bool linger_begin(struct linger *linger)
{
	struct slurm_health health;

	slurm_health(linger->slurm, &health);
	linger->asked = leftover_has_any(linger->leftover) && !health.foreign;
	return linger->asked;
}
