/* worker_start.c: decides whether a job failed because of forkserver. Pure. */
#include "daemon/policy/worker_start.h"

/* A restart by a client ends each worker once, and so does bad luck now and then. */
#define DEATHS_OF_EACH 3
#define DEATHS_MIN     6

enum worker_start_verdict worker_start_judge(const struct worker_start_facts *facts)
{
	int64_t many = facts->processes * DEATHS_OF_EACH;

	if (!facts->forkserver)
		return WORKER_START_FINE;
	if (facts->phase == PHASE_GONE && !facts->failed)
		return WORKER_START_FINE;
	if (facts->early_deaths >= (many > DEATHS_MIN ? many : DEATHS_MIN) &&
		(!facts->was_ready || !facts->had_work))
		return WORKER_START_DYING;
	if (facts->phase == PHASE_GONE)
		return facts->was_connected ? WORKER_START_FINE : WORKER_START_NONE;
	if (facts->phase == PHASE_STARTING && !facts->was_connected &&
		facts->running_ms >= facts->patience_ms)
		return WORKER_START_SILENT;
	return WORKER_START_FINE;
}

const char *worker_start_text(enum worker_start_verdict verdict)
{
	static const char *const texts[WORKER_START_COUNT] = {
		[WORKER_START_FINE] = "is fine",
		[WORKER_START_NONE] = "failed before any of its workers connected",
		[WORKER_START_SILENT] = "runs, but none of its workers has connected",
		[WORKER_START_DYING] = "loses its workers as soon as they have connected",
	};

	return texts[verdict];
}
