/* check_job_limit.c: tests of daemon/policy/job_limit.c. */
#include "unit.h"

#include "daemon/policy/job_limit.h"

static struct job_limit limit;

static void setup(void)
{
	limit = (struct job_limit){0};
}

/* A site with a limit: ask until all are there, or no more are let. Returns how many there are. */
static int64_t ask(int64_t have, int64_t wanted, int64_t at_most, int *requests)
{
	for (*requests = 0; *requests < 50; ++*requests) {
		int64_t room = job_limit_room(&limit, have, wanted - have, 0);

		if (room == 0)
			return have;
		ck_assert_int_le(room, wanted - have);
		if (have + room <= at_most)
			have += room;
		else if (!job_limit_refused(&limit, have, room))
			job_limit_reached(&limit, have, true, 0);
	}
	ck_abort_msg("it asks without end");
}

START_TEST(the_limit_is_found)
{
	int requests;

	for (int64_t at_most = 1; at_most <= 20; at_most++)
		for (int64_t have = 0; have <= at_most; have++) {
			setup();
			ck_assert_int_eq(ask(have, 20, at_most, &requests), at_most);
			ck_assert_int_le(requests, 12);
			if (at_most < 20)
				ck_assert_int_eq(job_limit_jobs(&limit), at_most);
			else
				ck_assert_int_eq(job_limit_jobs(&limit), -1);
		}
}
END_TEST

START_TEST(tried_again_when_a_job_has_ended)
{
	job_limit_reached(&limit, 3, true, 0);
	ck_assert_int_eq(job_limit_room(&limit, 3, 5, 1000), 0);
	ck_assert_int_eq(job_limit_room(&limit, 2, 5, 1000), 1);
	ck_assert_int_eq(job_limit_room(&limit, 0, 5, 1000), 3);
}
END_TEST

START_TEST(tried_again_now_and_then)
{
	int64_t now = 0, pauses[] = {60000, 120000, 240000, 480000, 600000, 600000};

	for (size_t i = 0; i < LENGTH(pauses); i++) {
		job_limit_reached(&limit, 3, true, now);
		ck_assert_int_eq(job_limit_room(&limit, 3, 5, now + pauses[i] - 1), 0);
		now += pauses[i];
		ck_assert_int_eq(job_limit_room(&limit, 3, 5, now), 1);
		ck_assert(!job_limit_refused(&limit, 3, 1));
	}
	/* One was taken: the limit is not what it was. */
	ck_assert_int_eq(job_limit_room(&limit, 4, 5, now), 5);
	ck_assert_int_eq(job_limit_jobs(&limit), -1);
	ck_assert(!limit.singly);
}
END_TEST

START_TEST(arrays_are_refused)
{
	ck_assert(job_limit_refused(&limit, 0, 4));
	ck_assert_int_eq(job_limit_room(&limit, 0, 4, 0), 2);
	ck_assert(job_limit_refused(&limit, 0, 2));
	ck_assert_int_eq(job_limit_room(&limit, 0, 4, 0), 1);
	ck_assert_int_eq(job_limit_room(&limit, 1, 3, 0), 1);
	ck_assert_int_eq(job_limit_room(&limit, 2, 2, 0), 2);
	ck_assert(limit.singly);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("limit of jobs");
	TCase *tcase = tcase_create("limit");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, the_limit_is_found);
	tcase_add_test(tcase, tried_again_when_a_job_has_ended);
	tcase_add_test(tcase, tried_again_now_and_then);
	tcase_add_test(tcase, arrays_are_refused);
	suite_add_tcase(suite, tcase);
	return suite;
}
