/* job.c: describes how a job has ended, from Slurm's report. */
#include "daemon/cluster/job.h"

#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/dask/jobscript.h"

/* slurmd reports this "signal" when it cannot open the job's log or enter its directory. */
#define NOT_LAUNCHED_SIGNAL 53

char *job_describe_end(const struct job *job, const struct slurm_job *report)
{
	static const char *const how[STATE_COUNT] = {
		[STATE_COMPLETED] = "completed",
		[STATE_CANCELLED] = "was cancelled",
		[STATE_FAILED] = "failed",
		[STATE_TIMEOUT] = "reached its time limit",
		[STATE_NODE_FAIL] = "lost its node",
		[STATE_PREEMPTED] = "was preempted",
		[STATE_OUT_OF_MEMORY] = "ran out of memory",
		[STATE_DEADLINE] = "missed its deadline",
	};
	_cleanup_free_ char *exit = NULL, *where = NULL;
	bool ran = report->nodes && report->nodes[0];
	/* The reason of a job that never ran says why it was pending, not why it ended. */
	bool tell_reason = strcmp(report->reason, "None") != 0 && report->reason[0] &&
		(ran || report->state != STATE_CANCELLED);
	const char *explained = report->state == STATE_FAILED && !report->exit_signal
		? jobscript_explain_exit(report->exit_status)
		: NULL;

	if (job->phase == PHASE_ENDING && report->state == STATE_CANCELLED)
		return xstrdup("was cancelled by draco");
	if (job->phase == PHASE_ENDING && report->state == STATE_FAILED)
		return xasprintf(
			"was ended by draco%s%s", ran ? " on " : "", ran ? report->nodes : "");
	if (explained)
		return xasprintf(
			"failed on %s: %s", ran ? report->nodes : "its node", explained);
	if (report->state == STATE_FAILED && report->exit_signal)
		exit = xasprintf(" by signal %d", report->exit_signal);
	else if (report->state == STATE_FAILED)
		exit = xasprintf(" with exit status %d", report->exit_status);
	if (ran)
		where = xasprintf(" on %s", report->nodes);
	return xasprintf("%s%s%s%s%s%s", how[report->state], exit ? exit : "",
		where ? where : "", tell_reason ? " (" : "", tell_reason ? report->reason : "",
		tell_reason ? ")" : "");
}

bool job_was_not_launched(const struct slurm_job *report)
{
	return report->state == STATE_FAILED &&
		(report->exit_signal == NOT_LAUNCHED_SIGNAL ||
			strcasestr(report->reason, "LaunchFail"));
}
