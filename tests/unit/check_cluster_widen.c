/* check_cluster_widen.c: tests of daemon/cluster/widen.c: jobs that wait for too long, and two of
 * which one is to start. */
#include "unit.h"

#include "cluster_fixture.h"
#include "daemon/cluster/job.h"
#include "daemon/cluster/place.h"
#include "daemon/cluster/widen.h"
#include "daemon/io/loop.h"

static struct job *pending(enum job_role role)
{
	struct job *job = job_in(PHASE_PENDING);

	next_id++;
	job->role = role;
	return job;
}

START_TEST(the_first_to_start_stays)
{
	struct job *standby = pending(ROLE_STANDBY), *substitute = pending(ROLE_SUBSTITUTE);

	cluster_settle_roles(&cluster);
	ck_assert_int_eq(standby->phase, PHASE_PENDING);
	ck_assert_int_eq(substitute->phase, PHASE_PENDING);
	apply(substitute, STATE_RUNNING);
	cluster_settle_roles(&cluster);
	ck_assert_int_eq(standby->phase, PHASE_ENDING);
	ck_assert_int_eq(substitute->phase, PHASE_STARTING);
	ck_assert_int_eq(substitute->role, ROLE_ORDINARY);
}
END_TEST

static const enum job_phase ends[] = {PHASE_ENDING, PHASE_GONE};

/* Nothing else counts the one on standby. */
START_TEST(both_go_together)
{
	struct job *standby = pending(ROLE_STANDBY), *substitute = pending(ROLE_SUBSTITUTE);
	struct job *other = pending(ROLE_STANDBY), *ordinary = pending(ROLE_ORDINARY);

	pending(ROLE_SUBSTITUTE);
	jobs_set_phase(jobs, substitute, ends[_i], "for a test");
	cluster_settle_roles(&cluster);
	cluster_settle_roles(&cluster);
	ck_assert_int_eq((standby->phase == PHASE_ENDING) + (other->phase == PHASE_ENDING), 1);
	ck_assert_int_eq(ordinary->phase, PHASE_PENDING);
}
END_TEST

START_TEST(a_substitute_without_an_id)
{
	struct job *standby = pending(ROLE_STANDBY);

	job_in(PHASE_NEW)->role = ROLE_SUBSTITUTE;
	cluster_settle_roles(&cluster);
	ck_assert_int_eq(standby->phase, PHASE_PENDING);
}
END_TEST

/* One candidate, where a job of a start has been pending for as long as it may. */
static struct job *overdue(void)
{
	struct strv queues = STRV_INIT;
	struct job *job = pending(ROLE_ORDINARY);

	strv_add(&queues, "short");
	placement_init(&cluster.place.placement, NULL, &queues);
	strv_finish(&queues);
	cluster.state = CLUSTER_STARTING;
	cluster.started_ms = loop_now_ms();
	job->placed = 1;
	job->placed_ms = loop_now_ms() - cluster.request.settings.wait_timeout_ms;
	job->seen_ms = loop_now_ms();
	return job;
}

START_TEST(there_is_no_further_place)
{
	struct job *job = overdue();

	cluster.place.to_widen = true;
	cluster_check_waiting(&cluster);
	ck_assert(job->exhausted);
	ck_assert(!cluster.place.to_widen);
	ck_assert(!cluster.wanted);
	ck_assert(cluster.place.failed);
	cluster_place_finish(&cluster);
}
END_TEST

/* What was found before does not count any more: a place may be free by now. */
START_TEST(not_before_the_search_has_ended)
{
	struct job *job = overdue();

	cluster.place.widen_hold_ms = loop_now_ms() + 1000;
	ck_assert_int_eq(planned_by(cluster_check_waiting), cluster.place.widen_hold_ms);
	ck_assert(!job->exhausted);
	ck_assert(cluster.wanted);
	cluster_place_finish(&cluster);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("cluster_widen");
	TCase *tests = tcase_create("cluster_widen");

	tcase_add_checked_fixture(tests, cluster_setup, cluster_teardown);
	tcase_add_test(tests, the_first_to_start_stays);
	tcase_add_loop_test(tests, both_go_together, 0, LENGTH(ends));
	tcase_add_test(tests, a_substitute_without_an_id);
	tcase_add_test(tests, there_is_no_further_place);
	tcase_add_test(tests, not_before_the_search_has_ended);
	suite_add_tcase(suite, tests);
	return suite;
}
