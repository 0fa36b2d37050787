/* failure.c: decides the consequences when a wanted job ends. Pure. */
#include "daemon/policy/failure.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/alloc.h"
#include "common/parse.h"

enum when { NEVER, YOUNG, ALWAYS };

/* The table of docs/job-ends.md. */
static const struct {
	enum when counts, blames_node;
	bool ends_start; /* if it counts */
	bool is_failure;
	enum job_replace replace; /* if it does not count */
	const char *remark;
} reactions[END_COUNT] = {
	[END_COMPLETED] = {YOUNG, NEVER, true, false, REPLACE_BY_DEMAND, ""},
	[END_CANCELLED] = {NEVER, NEVER, false, true, REPLACE_BY_DEMAND, "not by draco"},
	[END_FAILED] = {YOUNG, YOUNG, true, true, REPLACE_AT_ONCE, ""},
	[END_TIMEOUT] = {NEVER, NEVER, false, false, REPLACE_BY_DEMAND, ""},
	[END_NODE_FAIL] = {NEVER, ALWAYS, false, true, REPLACE_AT_ONCE, ""},
	[END_PREEMPTED] = {NEVER, NEVER, false, true, REPLACE_AT_ONCE,
		"for a job of higher priority"},
	[END_OUT_OF_MEMORY] = {ALWAYS, NEVER, true, true, REPLACE_LATER, ""},
	[END_DEADLINE] = {YOUNG, NEVER, true, true, REPLACE_BY_DEMAND, ""},
	[END_VANISHED] = {YOUNG, NEVER, false, true, REPLACE_BY_DEMAND, ""},
	[END_ABANDONED] = {NEVER, NEVER, false, false, REPLACE_AT_ONCE,
		"its scheduler had gone"},
	[END_FORKSERVER] = {NEVER, NEVER, false, false, REPLACE_AT_ONCE,
		"forkserver may be why"},
	[END_NOT_LAUNCHED] = {ALWAYS, NEVER, false, true, REPLACE_LATER, ""},
	[END_UNREACHED] = {ALWAYS, NEVER, true, true, REPLACE_LATER, ""},
	[END_NO_WORKERS] = {ALWAYS, ALWAYS, true, true, REPLACE_LATER, ""},
	[END_LOST_WORKERS] = {YOUNG, ALWAYS, true, true, REPLACE_AT_ONCE, ""},
	[END_HELD] = {ALWAYS, NEVER, true, true, REPLACE_LATER, ""},
	[END_REQUEUED] = {NEVER, NEVER, false, true, REPLACE_NOT, ""},
};

enum job_end job_end_of_state(enum slurm_state state)
{
	static const enum job_end ends[STATE_COUNT] = {
		[STATE_COMPLETED] = END_COMPLETED,
		[STATE_CANCELLED] = END_CANCELLED,
		[STATE_FAILED] = END_FAILED,
		[STATE_TIMEOUT] = END_TIMEOUT,
		[STATE_NODE_FAIL] = END_NODE_FAIL,
		[STATE_PREEMPTED] = END_PREEMPTED,
		[STATE_OUT_OF_MEMORY] = END_OUT_OF_MEMORY,
		[STATE_DEADLINE] = END_DEADLINE,
	};

	assert(slurm_state_is_end(state));
	return ends[state];
}

static bool applies(enum when when, bool young)
{
	return when == ALWAYS || (when == YOUNG && young);
}

struct job_end_verdict job_end_judge(const struct job_end_facts *facts)
{
	bool counts = applies(reactions[facts->end].counts, facts->young);

	return (struct job_end_verdict){
		.counts = counts,
		.fatal = counts && reactions[facts->end].ends_start && facts->starting &&
			!facts->others_run,
		/* A start cannot know yet whether it is the node or the log_directory of all, and
		 * nobody whether it is the network of all, unless other nodes show that. */
		.blames_node = applies(reactions[facts->end].blames_node, facts->young) ||
			(facts->end == END_NOT_LAUNCHED && !facts->starting) ||
			(facts->end == END_UNREACHED && !facts->starting && facts->others_run),
		.is_failure = counts || reactions[facts->end].is_failure,
		.replace = counts ? REPLACE_LATER : reactions[facts->end].replace,
		.remark = reactions[facts->end].remark,
	};
}

bool failure_is_hold(const char *reason)
{
	/* These are JobHeldAdmin, JobHeldUser, JobHoldMaxRequeue, "launch failed requeued held" ...
	 * QOSUsageThreshold is none of them: it passes by itself. */
	return strcasestr(reason, "held") || strcasestr(reason, "JobHold");
}

const char *job_replace_text(enum job_replace replace)
{
	static const char *const texts[] = {
		[REPLACE_AT_ONCE] = "another one is submitted",
		[REPLACE_BY_DEMAND] = "another one is submitted when it is needed",
		[REPLACE_LATER] = "another one is submitted later",
		[REPLACE_NOT] = "it waits again",
	};

	return texts[replace];
}

char *failure_memory_hint(int64_t processes, int64_t memory_mib)
{
	char all[FORMAT_MAX], each[FORMAT_MAX];

	if (memory_mib <= 0)
		return xstrdup("raise the setting memory, or lower processes");
	format_size(memory_mib, all);
	if (processes <= 1)
		return xasprintf("its worker had %s: raise the setting memory", all);
	return xasprintf("each of its %" PRId64
			 " workers had %s of %s: raise the setting memory, or "
			 "lower processes",
		processes, format_size(memory_mib / processes, each), all);
}

int64_t failure_backoff_ms(int in_a_row)
{
	int64_t wait_ms = BACKOFF_FIRST_MS;

	for (int i = 1; i < in_a_row && wait_ms < BACKOFF_MAX_MS; i++)
		wait_ms *= 2;
	return wait_ms < BACKOFF_MAX_MS ? wait_ms : BACKOFF_MAX_MS;
}

bool failures_add(struct failures *failures, time_t started, time_t ended, int64_t now_ms)
{
	/* Slurm's times are in seconds: jobs that started in the same second were started
	 * together. */
	bool is_next = started > failures->started && started >= failures->ended;

	if (now_ms < failures->hold_until_ms && !is_next)
		return false;
	failures->in_a_row++;
	failures->last_ms = now_ms;
	failures->started = started;
	failures->ended = ended;
	failures->hold_until_ms = now_ms + failure_backoff_ms(failures->in_a_row);
	return true;
}

void failures_succeed(struct failures *failures, int64_t at_ms)
{
	if (at_ms > failures->last_ms)
		failures->in_a_row = 0;
}

bool failures_cancelled(struct failures *failures, int64_t now_ms)
{
	int64_t *times = failures->cancelled_ms;

	memmove(&times[0], &times[1], (CANCELS_MAX - 1) * sizeof(times[0]));
	times[CANCELS_MAX - 1] = now_ms;
	return times[0] > 0 && now_ms - times[0] < CANCELS_MS;
}
