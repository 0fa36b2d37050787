/* check_worker_start.c: tests of daemon/worker_start.c: what forkserver is blamed for, and what not. */
#include "unit.h"

#include "daemon/worker_start.h"

/* Two processes per job: 6 early deaths are many. Patience is 1000 ms. */
static const struct {
	enum job_phase phase;
	bool failed, was_connected, was_ready, has_work;
	int64_t processes, early_deaths, running_ms;
	enum worker_start_verdict verdict; /* with spawn it is always FINE */
} rows[] = {
	/* the first worker is waited for, with patience */
	{PHASE_PENDING, false, false, false, false, 2, 0, 0, WORKER_START_FINE},
	{PHASE_STARTING, false, false, false, false, 2, 0, 999, WORKER_START_FINE},
	{PHASE_STARTING, false, false, false, false, 2, 0, 1000, WORKER_START_SILENT},
	{PHASE_STARTING, false, false, false, true, 2, 0, 5000, WORKER_START_SILENT},
	{PHASE_STARTING, false, true, false, false, 2, 0, 5000, WORKER_START_FINE},
	{PHASE_READY, false, true, true, false, 2, 0, 5000, WORKER_START_FINE},
	{PHASE_DRAINING, false, false, false, false, 2, 0, 5000, WORKER_START_FINE},
	/* ended before any came */
	{PHASE_GONE, true, false, false, false, 2, 0, 0, WORKER_START_NONE},
	{PHASE_GONE, true, true, false, false, 2, 0, 0, WORKER_START_FINE},
	{PHASE_GONE, false, false, false, false, 2, 0, 5000, WORKER_START_FINE},
	{PHASE_GONE, false, false, false, false, 2, 99, 5000, WORKER_START_FINE},
	/* they come and die; with tasks it is those that may be what ends them */
	{PHASE_STARTING, false, true, false, false, 2, 5, 10, WORKER_START_FINE},
	{PHASE_STARTING, false, true, false, false, 2, 6, 10, WORKER_START_DYING},
	{PHASE_STARTING, false, true, false, true, 2, 6, 10, WORKER_START_DYING},
	{PHASE_READY, false, true, true, false, 2, 6, 10, WORKER_START_DYING},
	{PHASE_READY, false, true, true, true, 2, 6, 10, WORKER_START_FINE},
	{PHASE_GONE, true, true, false, false, 2, 6, 10, WORKER_START_DYING},
	{PHASE_GONE, true, true, true, true, 2, 6, 10, WORKER_START_FINE},
	/* how many are many: three of each worker, but at least six */
	{PHASE_READY, false, true, true, false, 1, 5, 10, WORKER_START_FINE},
	{PHASE_READY, false, true, true, false, 1, 6, 10, WORKER_START_DYING},
	{PHASE_READY, false, true, true, false, 20, 59, 10, WORKER_START_FINE},
	{PHASE_READY, false, true, true, false, 20, 60, 10, WORKER_START_DYING},
};

START_TEST(judge)
{
	struct worker_start_facts facts = {
		.forkserver = true,
		.phase = rows[_i].phase,
		.failed = rows[_i].failed,
		.was_connected = rows[_i].was_connected,
		.was_ready = rows[_i].was_ready,
		.has_work = rows[_i].has_work,
		.processes = rows[_i].processes,
		.early_deaths = rows[_i].early_deaths,
		.running_ms = rows[_i].running_ms,
		.patience_ms = 1000,
	};

	ck_assert_int_eq(worker_start_judge(&facts), rows[_i].verdict);
	facts.forkserver = false;
	ck_assert_int_eq(worker_start_judge(&facts), WORKER_START_FINE);
}
END_TEST

START_TEST(text)
{
	for (int i = 0; i < WORKER_START_COUNT; i++) {
		ck_assert_ptr_nonnull(worker_start_text((enum worker_start_verdict)i));
		for (int k = 0; k < i; k++)
			ck_assert_str_ne(worker_start_text((enum worker_start_verdict)i),
				worker_start_text((enum worker_start_verdict)k));
	}
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("worker_start");
	TCase *tcase = tcase_create("worker_start");

	tcase_add_loop_test(tcase, judge, 0, LENGTH(rows));
	tcase_add_test(tcase, text);
	suite_add_tcase(suite, tcase);
	return suite;
}
