/* check_job_phase.c: tests of daemon/policy/job_phase.c: the complete table, written out again. */
#include "unit.h"

#include <signal.h>

#include "daemon/policy/job_phase.h"

static const char *const names[PHASE_COUNT] = {"new", "submitted", "pending", "starting",
	"ready", "draining", "retiring", "ending", "gone"};

/* Every pair. A job goes forward, past what it never was; back only when Slurm requeues it (to
 * PENDING) or when work returns to it (to READY). GONE is the end and can be reached from
 * everywhere. */
static const struct {
	enum job_phase from, to;
	bool may;
} pairs[] = {
	{PHASE_NEW, PHASE_NEW, false},
	{PHASE_NEW, PHASE_SUBMITTED, true},
	{PHASE_NEW, PHASE_PENDING, false},
	{PHASE_NEW, PHASE_STARTING, false},
	{PHASE_NEW, PHASE_READY, false},
	{PHASE_NEW, PHASE_DRAINING, false},
	{PHASE_NEW, PHASE_RETIRING, false},
	{PHASE_NEW, PHASE_ENDING, false},
	{PHASE_NEW, PHASE_GONE, true},

	{PHASE_SUBMITTED, PHASE_NEW, false},
	{PHASE_SUBMITTED, PHASE_SUBMITTED, false},
	{PHASE_SUBMITTED, PHASE_PENDING, true},
	{PHASE_SUBMITTED, PHASE_STARTING, true},
	{PHASE_SUBMITTED, PHASE_READY, false},
	{PHASE_SUBMITTED, PHASE_DRAINING, false},
	{PHASE_SUBMITTED, PHASE_RETIRING, false},
	{PHASE_SUBMITTED, PHASE_ENDING, true},
	{PHASE_SUBMITTED, PHASE_GONE, true},

	{PHASE_PENDING, PHASE_NEW, false},
	{PHASE_PENDING, PHASE_SUBMITTED, false},
	{PHASE_PENDING, PHASE_PENDING, false},
	{PHASE_PENDING, PHASE_STARTING, true},
	{PHASE_PENDING, PHASE_READY, false},
	{PHASE_PENDING, PHASE_DRAINING, false},
	{PHASE_PENDING, PHASE_RETIRING, false},
	{PHASE_PENDING, PHASE_ENDING, true},
	{PHASE_PENDING, PHASE_GONE, true},

	{PHASE_STARTING, PHASE_NEW, false},
	{PHASE_STARTING, PHASE_SUBMITTED, false},
	{PHASE_STARTING, PHASE_PENDING, true},
	{PHASE_STARTING, PHASE_STARTING, false},
	{PHASE_STARTING, PHASE_READY, true},
	{PHASE_STARTING, PHASE_DRAINING, true},
	{PHASE_STARTING, PHASE_RETIRING, false},
	{PHASE_STARTING, PHASE_ENDING, true},
	{PHASE_STARTING, PHASE_GONE, true},

	{PHASE_READY, PHASE_NEW, false},
	{PHASE_READY, PHASE_SUBMITTED, false},
	{PHASE_READY, PHASE_PENDING, true},
	{PHASE_READY, PHASE_STARTING, false},
	{PHASE_READY, PHASE_READY, false},
	{PHASE_READY, PHASE_DRAINING, true},
	{PHASE_READY, PHASE_RETIRING, false},
	{PHASE_READY, PHASE_ENDING, true},
	{PHASE_READY, PHASE_GONE, true},

	{PHASE_DRAINING, PHASE_NEW, false},
	{PHASE_DRAINING, PHASE_SUBMITTED, false},
	{PHASE_DRAINING, PHASE_PENDING, false},
	{PHASE_DRAINING, PHASE_STARTING, false},
	{PHASE_DRAINING, PHASE_READY, true},
	{PHASE_DRAINING, PHASE_DRAINING, false},
	{PHASE_DRAINING, PHASE_RETIRING, true},
	{PHASE_DRAINING, PHASE_ENDING, true},
	{PHASE_DRAINING, PHASE_GONE, true},

	{PHASE_RETIRING, PHASE_NEW, false},
	{PHASE_RETIRING, PHASE_SUBMITTED, false},
	{PHASE_RETIRING, PHASE_PENDING, false},
	{PHASE_RETIRING, PHASE_STARTING, false},
	{PHASE_RETIRING, PHASE_READY, true},
	{PHASE_RETIRING, PHASE_DRAINING, false},
	{PHASE_RETIRING, PHASE_RETIRING, false},
	{PHASE_RETIRING, PHASE_ENDING, true},
	{PHASE_RETIRING, PHASE_GONE, true},

	{PHASE_ENDING, PHASE_NEW, false},
	{PHASE_ENDING, PHASE_SUBMITTED, false},
	{PHASE_ENDING, PHASE_PENDING, false},
	{PHASE_ENDING, PHASE_STARTING, false},
	{PHASE_ENDING, PHASE_READY, false},
	{PHASE_ENDING, PHASE_DRAINING, false},
	{PHASE_ENDING, PHASE_RETIRING, false},
	{PHASE_ENDING, PHASE_ENDING, false},
	{PHASE_ENDING, PHASE_GONE, true},

	{PHASE_GONE, PHASE_NEW, false},
	{PHASE_GONE, PHASE_SUBMITTED, false},
	{PHASE_GONE, PHASE_PENDING, false},
	{PHASE_GONE, PHASE_STARTING, false},
	{PHASE_GONE, PHASE_READY, false},
	{PHASE_GONE, PHASE_DRAINING, false},
	{PHASE_GONE, PHASE_RETIRING, false},
	{PHASE_GONE, PHASE_ENDING, false},
	{PHASE_GONE, PHASE_GONE, false},
};

START_TEST(pair)
{
	enum job_phase from = pairs[_i].from, to = pairs[_i].to;

	ck_assert_msg(job_phase_may_follow(from, to) == pairs[_i].may, "%s -> %s", names[from],
		names[to]);
}
END_TEST

/* The list above has each pair once. */
START_TEST(pairs_are_complete)
{
	int seen[PHASE_COUNT][PHASE_COUNT] = {{0}};

	ck_assert_uint_eq(LENGTH(pairs), (size_t)PHASE_COUNT * PHASE_COUNT);
	for (size_t i = 0; i < LENGTH(pairs); i++)
		ck_assert_int_eq(seen[pairs[i].from][pairs[i].to]++, 0);
}
END_TEST

static const struct {
	enum job_phase phase;
	bool alive, wanted;
} phases[] = {
	{PHASE_NEW, true, true},
	{PHASE_SUBMITTED, true, true},
	{PHASE_PENDING, true, true},
	{PHASE_STARTING, true, true},
	{PHASE_READY, true, true},
	{PHASE_DRAINING, true, false},
	{PHASE_RETIRING, true, false},
	{PHASE_ENDING, true, false},
	{PHASE_GONE, false, false},
};

START_TEST(phase)
{
	ck_assert_uint_eq(LENGTH(phases), PHASE_COUNT);
	ck_assert_int_eq(phases[_i].phase, _i);
	ck_assert_str_eq(job_phase_name(phases[_i].phase), names[_i]);
	ck_assert(job_phase_is_alive(phases[_i].phase) == phases[_i].alive);
	ck_assert(job_phase_is_wanted(phases[_i].phase) == phases[_i].wanted);
}
END_TEST

START_TEST(no_phase)
{
	job_phase_name(PHASE_COUNT);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("job_phase");
	TCase *tcase = tcase_create("job_phase");

	tcase_add_loop_test(tcase, pair, 0, LENGTH(pairs));
	tcase_add_test(tcase, pairs_are_complete);
	tcase_add_loop_test(tcase, phase, 0, PHASE_COUNT);
	if (unit_is_forking())
		tcase_add_test_raise_signal(tcase, no_phase, SIGABRT);
	else
		printf("no_phase ends the process: left out with CK_FORK=no\n");
	suite_add_tcase(suite, tcase);
	return suite;
}
