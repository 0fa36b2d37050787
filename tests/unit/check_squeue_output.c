/* check_squeue_output.c: tests of common/squeue_output.c: jobs as squeue prints them.
 *
 * Each line was printed by squeue of Slurm 22.05 while libslurm told the base state beside it. */
#include "unit.h"

#include <time.h>

#include "common/alloc.h"
#include "common/squeue_output.h"

#define LATER "4000000000" /* in the future of this test */

/* The fields have '|' between them here. Job 2 was told to end by SIGTERM, job 3 was cancelled. */
static const struct {
	const char *line;
	enum slurm_state state;
	int exit_status, exit_signal;
} states[] = {
	{"1|1|N/A|PENDING|0|Resources|short||100|0|0|30|a", STATE_PENDING, 0, 0},
	{"1|1|N/A|CONFIGURING|0|None|short|n1|100|200|" LATER "|30|a", STATE_CONFIGURING, 0, 0},
	{"1|1|N/A|RUNNING|0|None|short|n1|100|200|" LATER "|30|a", STATE_RUNNING, 0, 0},
	{"1|1|N/A|RESIZING|0|None|short|n1|100|200|" LATER "|30|a", STATE_RUNNING, 0, 0},
	{"1|1|N/A|SIGNALING|0|None|short|n1|100|200|" LATER "|30|a", STATE_RUNNING, 0, 0},
	{"1|1|N/A|STOPPED|0|None|short|n1|100|200|" LATER "|30|a", STATE_RUNNING, 0, 0},
	{"1|1|N/A|SUSPENDED|0|None|short|n1|100|200|" LATER "|30|a", STATE_SUSPENDED, 0, 0},
	{"1|1|N/A|COMPLETED|0|None|short|n1|100|200|300|30|a", STATE_COMPLETED, 0, 0},
	{"1|1|N/A|CANCELLED|15|None|short|n1|100|200|300|30|a", STATE_CANCELLED, 0, 15},
	{"1|1|N/A|CANCELLED|0|JobHeldUser|short||100|300|300|30|a", STATE_CANCELLED, 0, 0},
	{"1|1|N/A|FAILED|768|NonZeroExitCode|short|n1|100|200|300|30|a", STATE_FAILED, 3, 0},
	{"1|1|N/A|FAILED|9|JobLaunchFailure|short|n1|100|200|300|30|a", STATE_FAILED, 0, 9},
	{"1|1|N/A|TIMEOUT|15|TimeLimit|short|n1|100|200|300|30|a", STATE_TIMEOUT, 0, 15},
	{"1|1|N/A|NODE_FAIL|0|NodeDown|short|n1|100|200|300|30|a", STATE_NODE_FAIL, 0, 0},
	{"1|1|N/A|BOOT_FAIL|0|None|short|n1|100|200|300|30|a", STATE_NODE_FAIL, 0, 0},
	{"1|1|N/A|PREEMPTED|15|None|short|n1|100|200|300|30|a", STATE_PREEMPTED, 0, 15},
	{"1|1|N/A|DEADLINE|0|DeadLine|short||100|300|300|30|a", STATE_DEADLINE, 0, 0},
	{"1|1|N/A|OUT_OF_MEMORY|125|OutOfMemory|short|n1|100|200|300|30|a", STATE_OUT_OF_MEMORY,
		0, 125},
	/* COMPLETING hides the base state, which the other fields tell. */
	{"1|1|N/A|COMPLETING|0|None|short|n1|100|200|300|30|ok", STATE_RUNNING, 0, 0},
	{"2|2|N/A|COMPLETING|0|None|short|n1|100|200|300|30|ok", STATE_COMPLETED, 0, 0},
	{"3|3|N/A|COMPLETING|0|None|short|n1|100|200|300|30|canc", STATE_CANCELLED, 0, 0},
	{"1|1|N/A|COMPLETING|768|NonZeroExitCode|short|n1|100|200|300|30|fail", STATE_FAILED, 3,
		0},
	{"1|1|N/A|COMPLETING|9|JobLaunchFailure|short|n1|100|200|300|30|sig", STATE_FAILED, 0,
		9},
	{"1|1|N/A|COMPLETING|9|RaisedSignal:9(Killed)|short|n1|100|200|300|30|sig",
		STATE_FAILED, 0, 9},
	{"1|1|N/A|COMPLETING|15|None|short|n1|100|200|300|30|canc", STATE_RUNNING, 0, 15},
	{"3|3|N/A|COMPLETING|15|None|short|n1|100|200|300|30|canc", STATE_CANCELLED, 0, 15},
	{"1|1|N/A|COMPLETING|36608|None|short|n1|100|200|300|30|canc", STATE_RUNNING, 143, 0},
	{"3|3|N/A|COMPLETING|36608|None|short|n1|100|200|300|30|canc", STATE_CANCELLED, 143, 0},
	{"1|1|N/A|COMPLETING|15|TimeLimit|short|n1|100|200|300|30|time", STATE_TIMEOUT, 0, 15},
	{"1|1|N/A|COMPLETING|0|NodeDown|short|n1|100|200|300|30|down", STATE_NODE_FAIL, 0, 0},
	{"1|1|N/A|COMPLETING|0|None|short|n1|100|" LATER "|" LATER "|30|requ", STATE_PENDING, 0,
		0},
	{"1|1|N/A|COMPLETING|0|None|short|n1|100|0|0|30|requ", STATE_PENDING, 0, 0},
	{"1|1|N/A|REQUEUED|0|BeginTime|short||100|0|0|30|requ", STATE_PENDING, 0, 0},
	{"1|1|N/A|REQUEUE_HOLD|0|JobHeldUser|short||100|0|0|30|requ", STATE_PENDING, 0, 0},
	{"1|1|N/A|SPECIAL_EXIT|0|JobHeldUser|short||100|0|0|30|requ", STATE_PENDING, 0, 0},
	{"1|1|N/A|RESV_DEL_HOLD|0|ResvDeleted|short||100|0|0|30|held", STATE_PENDING, 0, 0},
	/* Exit codes and words of later versions. */
	{"1|1|N/A|FAILED|3:0|NonZeroExitCode|short|n1|100|200|300|30|a", STATE_FAILED, 3, 0},
	{"1|1|N/A|COMPLETING|0:15|TimeLimit|short|n1|100|200|300|30|a", STATE_TIMEOUT, 0, 15},
	{"1|1|N/A|EXPEDITING|0:0|None|short||100|0|0|30|a", STATE_PENDING, 0, 0},
	{"1|1|N/A|NEWEST|0:0|None|short|n1|100|200|" LATER "|30|a", STATE_RUNNING, 0, 0},
	{"1|1|N/A|NEWEST|1:0|None|short|n1|100|200|300|30|a", STATE_FAILED, 1, 0},
};

struct seen {
	int count;
	struct slurm_job job;
	char name[64], reason[64], nodes[64], tasks[64];
};

static int look(void *arg, struct slurm_job *job, const char *tasks)
{
	struct seen *seen = arg;

	seen->count++;
	seen->job = *job;
	snprintf(seen->name, sizeof(seen->name), "%s", job->name);
	snprintf(seen->reason, sizeof(seen->reason), "%s", job->reason);
	snprintf(seen->nodes, sizeof(seen->nodes), "%s", job->nodes ? job->nodes : "none");
	snprintf(seen->tasks, sizeof(seen->tasks), "%s", tasks ? tasks : "none");
	return 0;
}

static int how_ended(const struct slurm_job *job)
{
	return job->job_id == 2 ? CANCEL_TERMINATE : job->job_id == 3 ? CANCEL_CANCEL : -1;
}

static int read_lines(const char *lines, struct seen *ret, struct err *err)
{
	char *text = xstrdup(lines);
	int r;

	for (char *at = text; *at; at++)
		*at = *at == '|' ? '\037' : *at;
	*ret = (struct seen){0};
	r = squeue_output_read(text, how_ended, look, ret, err);
	free(text);
	return r;
}

START_TEST(state)
{
	struct err err = ERR_INIT;
	struct seen seen;

	ck_assert_int_eq(read_lines(states[_i].line, &seen, &err), 0);
	ck_assert_int_eq(seen.count, 1);
	ck_assert_str_eq(slurm_state_name(seen.job.state), slurm_state_name(states[_i].state));
	ck_assert_int_eq(seen.job.exit_status, states[_i].exit_status);
	ck_assert_int_eq(seen.job.exit_signal, states[_i].exit_signal);
	/* draco replaces jobs whose walltime is over. */
	if (seen.job.state == STATE_RUNNING)
		ck_assert(seen.job.end_time == 0 || seen.job.end_time == 4000000000);
}
END_TEST

/* Until the clocks of two hosts differ by more than munge allows. */
START_TEST(the_clock_of_slurm_is_ahead)
{
	static const struct {
		int ahead_s;
		enum slurm_state state;
	} rows[] = {{0, STATE_CANCELLED}, {250, STATE_CANCELLED}, {600, STATE_PENDING}};
	struct err err = ERR_INIT;
	struct seen seen;
	char line[128];

	for (size_t i = 0; i < LENGTH(rows); i++) {
		snprintf(line, sizeof(line),
			"3|3|N/A|COMPLETING|0|None|short|n1|100|200|%lld|30|a",
			(long long)time(NULL) + rows[i].ahead_s);
		ck_assert_int_eq(read_lines(line, &seen, &err), 0);
		ck_assert_int_eq(seen.job.state, rows[i].state);
	}
}
END_TEST

/* A job that was requeued ends with its new walltime, which may be shorter than clocks differ. */
START_TEST(requeued_with_a_short_walltime)
{
	static const struct {
		int since_s, ends_s;
		const char *limit, *reason;
		enum slurm_state state;
	} rows[] = {
		{60, 60, "2:00", "None", STATE_PENDING},
		{60, 60, "0:02:00", "None", STATE_PENDING},
		{60, 60, "30:00", "None", STATE_CANCELLED},
		{60, 60, "UNLIMITED", "None", STATE_CANCELLED},
		{120, 0, "2:00", "TimeLimit", STATE_TIMEOUT},
	};
	struct err err = ERR_INIT;
	struct seen seen;
	char line[128];

	for (size_t i = 0; i < LENGTH(rows); i++) {
		long long now = time(NULL);

		snprintf(line, sizeof(line),
			"3|3|N/A|COMPLETING|0|%s|short|n1|1|%lld|%lld|%s|a", rows[i].reason,
			now - rows[i].since_s, now + rows[i].ends_s, rows[i].limit);
		ck_assert_int_eq(read_lines(line, &seen, &err), 0);
		ck_assert_int_eq(seen.job.state, rows[i].state);
	}
}
END_TEST

START_TEST(values)
{
	struct err err = ERR_INIT;
	struct seen seen;

	read_lines("7|5|3|RUNNING|0|None|short,standard|n[1-2]|100|200|4000000000|30|a|b",
		&seen, &err);
	ck_assert_uint_eq(seen.job.job_id, 5);
	ck_assert_int_eq(seen.job.task, 3);
	ck_assert_str_eq(seen.tasks, "none");
	ck_assert_str_eq(seen.nodes, "n[1-2]");
	ck_assert_str_eq(seen.name, "a\037b");
	ck_assert_int_eq(seen.job.submit_time, 100);
	ck_assert_int_eq(seen.job.start_time, 200);
	ck_assert_int_eq(seen.job.end_time, 4000000000);
	read_lines("5|5|0-3,7%2|PENDING|0|Resources|short||100|N/A|N/A|30|a", &seen, &err);
	ck_assert_str_eq(seen.tasks, "0-3,7%2");
	ck_assert_str_eq(seen.nodes, "none");
	ck_assert_str_eq(seen.reason, "Resources");
	ck_assert_int_eq(seen.job.task, SLURM_NO_TASK);
	ck_assert_int_eq(seen.job.start_time, 0);
}
END_TEST

START_TEST(reasons_that_stay)
{
	struct err err = ERR_INIT;
	struct seen seen;

	read_lines("1|1|N/A|PENDING|0|PartitionTimeLimit|short||100|0|0|30|a", &seen, &err);
	ck_assert(seen.job.never);
	read_lines(
		"1|1|N/A|PENDING|0|Job's QOS not permitted|short||100|0|0|30|a", &seen, &err);
	ck_assert(seen.job.never);
	read_lines("1|1|N/A|PENDING|0|Priority|short||100|0|0|30|a", &seen, &err);
	ck_assert(!seen.job.never);
}
END_TEST

START_TEST(lines)
{
	static const char *const wrong[] = {
		"1|1|N/A|PENDING|0|None", "x|x|N/A|PENDING|0|N|p||0|0|0|30|a"};
	struct err err = ERR_INIT;
	struct seen seen;

	ck_assert_int_eq(read_lines("", &seen, &err), 0);
	ck_assert_int_eq(seen.count, 0);
	/* A name may hold a newline. */
	ck_assert_int_eq(read_lines("1|1|N/A|PENDING|0|None|p||1|0|0|30|two\nlines\n"
				    "2|2|N/A|PENDING|0|None|p||1|0|0|30|b\n",
				 &seen, &err),
		0);
	ck_assert_int_eq(seen.count, 2);
	for (size_t i = 0; i < LENGTH(wrong); i++)
		ck_assert_int_eq(read_lines(wrong[i], &seen, &err), -EPROTO);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("squeue_output");
	TCase *tcase = tcase_create("squeue_output");

	tcase_add_loop_test(tcase, state, 0, LENGTH(states));
	tcase_add_test(tcase, the_clock_of_slurm_is_ahead);
	tcase_add_test(tcase, requeued_with_a_short_walltime);
	tcase_add_test(tcase, values);
	tcase_add_test(tcase, reasons_that_stay);
	tcase_add_test(tcase, lines);
	suite_add_tcase(suite, tcase);
	return suite;
}
