/* check_failure.c: tests of daemon/policy/failure.c. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/policy/failure.h"

#define T0 1000000

#define OLD	 .young = false
#define YOUNG	 .young = true
#define STARTING YOUNG, .starting = true
#define COUNTS	 .counts = true, .is_failure = true, .replace = REPLACE_LATER
#define TOLD	 .is_failure = true

/* remark is not compared. */
static const struct {
	struct job_end_facts facts;
	struct job_end_verdict verdict;
} rows[] = {
	{{END_COMPLETED, YOUNG}, {COUNTS}},
	{{END_COMPLETED, OLD}, {.replace = REPLACE_BY_DEMAND}},
	{{END_COMPLETED, STARTING}, {COUNTS, .fatal = true}},
	{{END_COMPLETED, STARTING, .others_run = true}, {COUNTS}},
	{{END_CANCELLED, YOUNG}, {TOLD, .replace = REPLACE_BY_DEMAND}},
	{{END_CANCELLED, OLD}, {TOLD, .replace = REPLACE_BY_DEMAND}},
	{{END_CANCELLED, STARTING}, {TOLD, .replace = REPLACE_BY_DEMAND}},
	{{END_FAILED, YOUNG}, {COUNTS, .blames_node = true}},
	{{END_FAILED, OLD}, {TOLD, .replace = REPLACE_AT_ONCE}},
	{{END_FAILED, STARTING}, {COUNTS, .blames_node = true, .fatal = true}},
	{{END_FAILED, STARTING, .others_run = true}, {COUNTS, .blames_node = true}},
	{{END_TIMEOUT, YOUNG}, {.replace = REPLACE_BY_DEMAND}},
	{{END_TIMEOUT, OLD}, {.replace = REPLACE_BY_DEMAND}},
	{{END_NODE_FAIL, YOUNG}, {TOLD, .blames_node = true, .replace = REPLACE_AT_ONCE}},
	{{END_NODE_FAIL, OLD}, {TOLD, .blames_node = true, .replace = REPLACE_AT_ONCE}},
	{{END_NODE_FAIL, STARTING}, {TOLD, .blames_node = true, .replace = REPLACE_AT_ONCE}},
	{{END_PREEMPTED, YOUNG}, {TOLD, .replace = REPLACE_AT_ONCE}},
	{{END_PREEMPTED, OLD}, {TOLD, .replace = REPLACE_AT_ONCE}},
	{{END_OUT_OF_MEMORY, YOUNG}, {COUNTS}},
	{{END_OUT_OF_MEMORY, OLD}, {COUNTS}},
	{{END_OUT_OF_MEMORY, STARTING}, {COUNTS, .fatal = true}},
	{{END_DEADLINE, YOUNG}, {COUNTS}},
	{{END_DEADLINE, OLD}, {TOLD, .replace = REPLACE_BY_DEMAND}},
	{{END_VANISHED, YOUNG}, {COUNTS}},
	{{END_VANISHED, OLD}, {TOLD, .replace = REPLACE_BY_DEMAND}},
	{{END_VANISHED, STARTING}, {COUNTS}},
	{{END_ABANDONED, YOUNG}, {.replace = REPLACE_AT_ONCE}},
	{{END_ABANDONED, OLD}, {.replace = REPLACE_AT_ONCE}},
	{{END_FORKSERVER, STARTING}, {.replace = REPLACE_AT_ONCE}},
	{{END_NOT_LAUNCHED, YOUNG}, {COUNTS, .blames_node = true}},
	{{END_NOT_LAUNCHED, STARTING}, {COUNTS}}, /* it is tried again */
	{{END_UNREACHED, YOUNG}, {COUNTS}},
	{{END_UNREACHED, YOUNG, .others_run = true}, {COUNTS, .blames_node = true}},
	{{END_UNREACHED, STARTING}, {COUNTS, .fatal = true}},
	{{END_UNREACHED, STARTING, .others_run = true}, {COUNTS}},
	{{END_NO_WORKERS, YOUNG}, {COUNTS, .blames_node = true}},
	{{END_NO_WORKERS, STARTING}, {COUNTS, .blames_node = true, .fatal = true}},
	{{END_NO_WORKERS, STARTING, .others_run = true}, {COUNTS, .blames_node = true}},
	{{END_LOST_WORKERS, YOUNG}, {COUNTS, .blames_node = true}},
	{{END_LOST_WORKERS, OLD}, {TOLD, .blames_node = true, .replace = REPLACE_AT_ONCE}},
	{{END_HELD, OLD}, {COUNTS}},
	{{END_HELD, STARTING}, {COUNTS, .fatal = true}},
	{{END_HELD, STARTING, .others_run = true}, {COUNTS}},
	{{END_REQUEUED, OLD}, {TOLD, .replace = REPLACE_NOT}},
};

START_TEST(judges)
{
	struct job_end_verdict verdict = job_end_judge(&rows[_i].facts);

	ck_assert_int_eq(verdict.counts, rows[_i].verdict.counts);
	ck_assert_int_eq(verdict.fatal, rows[_i].verdict.fatal);
	ck_assert_int_eq(verdict.blames_node, rows[_i].verdict.blames_node);
	ck_assert_int_eq(verdict.is_failure, rows[_i].verdict.is_failure);
	ck_assert_int_eq(verdict.replace, rows[_i].verdict.replace);
}
END_TEST

START_TEST(has_a_row_for_each_end)
{
	for (int end = 0; end < END_COUNT; end++)
		ck_assert_ptr_nonnull(
			job_end_judge(&(struct job_end_facts){.end = end}).remark);
	for (int replace = 0; replace <= REPLACE_NOT; replace++)
		ck_assert_ptr_nonnull(job_replace_text(replace));
}
END_TEST

static const struct {
	const char *reason;
	bool is_hold;
} reasons[] = {
	{"JobHeldAdmin", true},
	{"JobHeldUser", true},
	{"JobHoldMaxRequeue", true},
	{"launch failed requeued held", true},
	{"Resources", false},
	{"None", false},
	{"", false},
	{"BeginTime", false},
	{"QOSUsageThreshold", false},
};

START_TEST(holds)
{
	ck_assert_int_eq(failure_is_hold(reasons[_i].reason), reasons[_i].is_hold);
}
END_TEST

START_TEST(ends_of_states)
{
	ck_assert_int_eq(job_end_of_state(STATE_COMPLETED), END_COMPLETED);
	ck_assert_int_eq(job_end_of_state(STATE_CANCELLED), END_CANCELLED);
	ck_assert_int_eq(job_end_of_state(STATE_FAILED), END_FAILED);
	ck_assert_int_eq(job_end_of_state(STATE_TIMEOUT), END_TIMEOUT);
	ck_assert_int_eq(job_end_of_state(STATE_NODE_FAIL), END_NODE_FAIL);
	ck_assert_int_eq(job_end_of_state(STATE_PREEMPTED), END_PREEMPTED);
	ck_assert_int_eq(job_end_of_state(STATE_OUT_OF_MEMORY), END_OUT_OF_MEMORY);
	ck_assert_int_eq(job_end_of_state(STATE_DEADLINE), END_DEADLINE);
}
END_TEST

START_TEST(backs_off)
{
	static const int64_t seconds[] = {5, 5, 10, 20, 40, 80, 160, 300, 300};

	for (int i = 0; i < (int)LENGTH(seconds); i++)
		ck_assert_int_eq(failure_backoff_ms(i), seconds[i] * 1000);
	ck_assert_int_eq(failure_backoff_ms(1000), BACKOFF_MAX_MS);
}
END_TEST

START_TEST(counts_in_a_row)
{
	struct failures f = {0};
	int64_t now = T0;

	for (int i = 1; i < 10; i++) {
		ck_assert(failures_add(&f, 1, 2, now)); /* whenever it ran: the wait is over */
		ck_assert_int_eq(f.in_a_row, i);
		ck_assert_int_eq(f.hold_until_ms, now + failure_backoff_ms(i));
		now = f.hold_until_ms;
	}
}
END_TEST

/* After a job that ran from 100 to 103. */
static const struct {
	time_t started, ended;
	int64_t after_ms;
	bool counts;
} others[] = {
	{100, 103, 0, false}, /* side by side */
	{100, 107, 4000, false},
	{102, 104, 1000, false},
	{0, 104, 1000, false},	/* not known */
	{103, 104, 1000, true}, /* one after the other */
	{104, 107, 4000, true},
	{100, 200, BACKOFF_FIRST_MS, true}, /* long after it */
	{0, 0, BACKOFF_FIRST_MS, true},
};

START_TEST(counts_a_burst_once)
{
	struct failures f = {0};

	ck_assert(failures_add(&f, 100, 103, T0));
	ck_assert_int_eq(failures_add(&f, others[_i].started, others[_i].ended,
				 T0 + others[_i].after_ms),
		others[_i].counts);
	ck_assert_int_eq(f.in_a_row, 1 + others[_i].counts);
}
END_TEST

START_TEST(counts_a_short_burst_once)
{
	struct failures f = {0};

	ck_assert(failures_add(&f, 100, 100, T0));
	ck_assert(!failures_add(&f, 100, 100, T0)); /* neither is the later one */
	ck_assert(failures_add(&f, 101, 101, T0 + 1000));
}
END_TEST

START_TEST(success_begins_anew)
{
	struct failures f = {0};

	failures_succeed(&f, T0);
	ck_assert_int_eq(f.in_a_row, 0);
	failures_add(&f, 1, 2, T0);
	failures_add(&f, 3, 4, T0 + 60000);
	failures_succeed(&f, T0 + 59999); /* before the last failure: says nothing */
	ck_assert_int_eq(f.in_a_row, 2);
	failures_succeed(&f, T0 + 60001);
	ck_assert_int_eq(f.in_a_row, 0);
	ck_assert(failures_add(&f, 5, 6, T0 + 80000));
	ck_assert_int_eq(f.hold_until_ms, T0 + 80000 + BACKOFF_FIRST_MS);
}
END_TEST

START_TEST(cancels_in_a_minute)
{
	struct failures f = {0};

	ck_assert(!failures_cancelled(&f, T0));
	ck_assert(!failures_cancelled(&f, T0 + 30000));
	ck_assert(!failures_cancelled(&f, T0 + 60000));
	ck_assert(!failures_cancelled(&f, T0 + 90000));
	ck_assert(failures_cancelled(&f, T0 + 119999));
}
END_TEST

START_TEST(cancels_at_once)
{
	struct failures f = {0};

	ck_assert(!failures_cancelled(&f, T0));
	ck_assert(!failures_cancelled(&f, T0));
	ck_assert(failures_cancelled(&f, T0));
	ck_assert_int_eq(f.in_a_row, 0);
}
END_TEST

START_TEST(hints_at_memory)
{
	char *text = failure_memory_hint(20, 80 * 1024);

	ck_assert_str_eq(text,
		"each of its 20 workers had 4 GiB of 80 GiB: raise the setting memory, or lower "
		"processes");
	free(text);
	text = failure_memory_hint(1, 512);
	ck_assert_str_eq(text, "its worker had 512 MiB: raise the setting memory");
	free(text);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("failure");
	TCase *tests = tcase_create("failure");

	tcase_add_loop_test(tests, judges, 0, LENGTH(rows));
	tcase_add_test(tests, has_a_row_for_each_end);
	tcase_add_test(tests, ends_of_states);
	tcase_add_loop_test(tests, holds, 0, LENGTH(reasons));
	tcase_add_test(tests, backs_off);
	tcase_add_test(tests, counts_in_a_row);
	tcase_add_loop_test(tests, counts_a_burst_once, 0, LENGTH(others));
	tcase_add_test(tests, counts_a_short_burst_once);
	tcase_add_test(tests, success_begins_anew);
	tcase_add_test(tests, cancels_in_a_minute);
	tcase_add_test(tests, cancels_at_once);
	tcase_add_test(tests, hints_at_memory);
	suite_add_tcase(suite, tests);
	return suite;
}
