/* check_worker_start.c: tests of daemon/policy/worker_start.c. */
#include "unit.h"

#include "daemon/policy/worker_start.h"

/* Jobs of 4 workers. */
#define SPAWN	 .processes = 4, .patience_ms = 1000
#define FORK	 SPAWN, .forkserver = true
#define STARTING .phase = PHASE_STARTING
#define READY	 .phase = PHASE_READY, .was_connected = true, .was_ready = true
#define GONE	 .phase = PHASE_GONE
#define FAILED	 GONE, .failed = true

static const struct {
	struct worker_start_facts facts;
	enum worker_start_verdict verdict;
} rows[] = {
	/* none comes */
	{{FORK, STARTING, .running_ms = 999}, WORKER_START_FINE},
	{{FORK, STARTING, .running_ms = 1000}, WORKER_START_SILENT},
	{{FORK, STARTING, .running_ms = 1000, .was_connected = true}, WORKER_START_FINE},
	{{SPAWN, STARTING, .running_ms = 1000}, WORKER_START_FINE},
	{{FORK, .phase = PHASE_PENDING, .running_ms = 1000}, WORKER_START_FINE},
	{{FORK, .phase = PHASE_ENDING, .running_ms = 1000}, WORKER_START_FINE},
	/* it ends */
	{{FORK, FAILED}, WORKER_START_NONE},
	{{SPAWN, FAILED}, WORKER_START_FINE},
	{{FORK, FAILED, .was_connected = true}, WORKER_START_FINE},
	{{FORK, GONE}, WORKER_START_FINE}, /* cancelled, preempted, ... */
	{{FORK, GONE, .early_deaths = 100}, WORKER_START_FINE},
	/* they die: each three times */
	{{FORK, STARTING, .early_deaths = 11, .was_connected = true}, WORKER_START_FINE},
	{{FORK, STARTING, .early_deaths = 12, .was_connected = true}, WORKER_START_DYING},
	{{FORK, STARTING, .early_deaths = 12, .was_connected = true, .had_work = true},
		WORKER_START_DYING},
	{{FORK, READY, .early_deaths = 12}, WORKER_START_DYING},
	{{FORK, READY, .early_deaths = 12, .had_work = true}, WORKER_START_FINE},
	{{SPAWN, READY, .early_deaths = 12}, WORKER_START_FINE},
	{{FORK, FAILED, .was_connected = true, .early_deaths = 12}, WORKER_START_DYING},
	/* of one worker, more often */
	{{.forkserver = true, READY, .processes = 1, .early_deaths = 5}, WORKER_START_FINE},
	{{.forkserver = true, READY, .processes = 1, .early_deaths = 6}, WORKER_START_DYING},
};

START_TEST(judges)
{
	ck_assert_int_eq(worker_start_judge(&rows[_i].facts), rows[_i].verdict);
}
END_TEST

START_TEST(has_words_for_all)
{
	for (int verdict = 0; verdict < WORKER_START_COUNT; verdict++)
		ck_assert_ptr_nonnull(worker_start_text((enum worker_start_verdict)verdict));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("worker_start");
	TCase *tests = tcase_create("worker_start");

	tcase_add_loop_test(tests, judges, 0, LENGTH(rows));
	tcase_add_test(tests, has_words_for_all);
	suite_add_tcase(suite, tests);
	return suite;
}
