/* check_demand.c: tests of daemon/policy/demand.c. */
#include "unit.h"

#include "common/cleanup.h"
#include "common/json.h"
#include "daemon/policy/demand.h"

static struct demand parsed(const char *text)
{
	json_t *load = json_loads(text, 0, NULL);
	struct demand demand;

	ck_assert_ptr_nonnull(load);
	memset(&demand, 0xff, sizeof(demand));
	demand_parse(load, &demand);
	json_decref(load);
	return demand;
}

START_TEST(parses_all)
{
	struct demand demand = parsed("{\"tasks\": 9, \"ready\": 4, \"running\": 3,"
				      " \"long_running\": 2, \"unrunnable\": 1, \"unknown\": 5,"
				      " \"occupancy\": 12.5, \"longest\": 7,"
				      " \"longest_name\": \"inc\", \"memory\": 800,"
				      " \"paused\": 6, \"pause_percent\": 80,"
				      " \"clients\": [\"a\", \"b\"]}");

	ck_assert(demand.known);
	ck_assert_int_eq(demand.tasks, 9);
	ck_assert_int_eq(demand.ready, 4);
	ck_assert_int_eq(demand.running, 3);
	ck_assert_int_eq(demand.long_running, 2);
	ck_assert_int_eq(demand.unrunnable, 1);
	ck_assert_int_eq(demand.unknown, 5);
	ck_assert_double_eq(demand.occupancy_s, 12.5);
	ck_assert_double_eq(demand.longest_s, 7);
	ck_assert_str_eq(demand.longest, "inc");
	ck_assert_int_eq(demand.memory, 800);
	ck_assert_int_eq(demand.paused, 6);
	ck_assert_int_eq(demand.pause_percent, 80);
	ck_assert_int_eq(demand.clients, 2);
}
END_TEST

START_TEST(counts_the_clients_of_others)
{
	_cleanup_json_ json_t *load =
		json_pack("{s:[s, s, s, i]}", "clients", "a", "b", "c", 7);
	_cleanup_json_ json_t *own = json_pack("[s, s, i]", "c", "x", 7);

	ck_assert_int_eq(demand_other_clients(load, own), 2);
	ck_assert_int_eq(demand_other_clients(load, NULL), 3);
	ck_assert_int_eq(demand_other_clients(NULL, own), 0);
}
END_TEST

START_TEST(parses_nothing)
{
	struct demand demand;

	demand_parse(NULL, &demand);
	ck_assert(!demand.known);
	ck_assert(!demand_has_work(&demand));
	demand = parsed("{}");
	ck_assert(demand.known);
	ck_assert_int_eq(demand.ready, 0);
	ck_assert_str_eq(demand.longest, "");
}
END_TEST

START_TEST(parses_nonsense)
{
	struct demand demand =
		parsed("{\"ready\": -1, \"running\": \"many\", \"unknown\": null,"
		       " \"occupancy\": -3, \"longest\": [], \"tasks\": true,"
		       " \"longest_name\": 7}");

	ck_assert(demand.known);
	ck_assert_int_eq(demand.ready, 0);
	ck_assert_int_eq(demand.running, 0);
	ck_assert_int_eq(demand.unknown, 0);
	ck_assert_int_eq(demand.tasks, 0);
	ck_assert_double_eq(demand.occupancy_s, 0);
	ck_assert_double_eq(demand.longest_s, 0);
	ck_assert_str_eq(demand.longest, "");
	/* The sum of two counts is still one. */
	demand = parsed("{\"ready\": 9223372036854775807, \"running\": 9223372036854775807}");
	ck_assert_int_gt(demand.ready, 1000000);
	ck_assert_int_lt(demand.ready, INT64_MAX / 4);
}
END_TEST

START_TEST(parses_huge_numbers)
{
	struct demand demand = parsed(
		"{\"ready\": 9223372036854775807, \"occupancy\": 1e300, \"longest\": 1e300}");

	ck_assert_int_lt(demand.ready, INT64_MAX / 16);
	ck_assert_double_le(demand.occupancy_s, 1e12);
	ck_assert_double_le(demand.longest_s, 1e12);
}
END_TEST

START_TEST(long_name)
{
	struct demand demand;
	json_t *load = json_object();
	char name[3 * DEMAND_NAME_MAX];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	json_object_set_new(load, "longest_name", json_string(name));
	demand_parse(load, &demand);
	ck_assert_uint_eq(strlen(demand.longest), DEMAND_NAME_MAX - 1);
	json_decref(load);
}
END_TEST

START_TEST(work)
{
	ck_assert(!demand_has_work(&(struct demand){.known = true, .tasks = 5, .memory = 8}));
	ck_assert(!demand_has_work(&(struct demand){.known = true, .unrunnable = 1}));
	ck_assert(demand_has_work(&(struct demand){.ready = 1}));
	ck_assert(demand_has_work(&(struct demand){.running = 1}));
	ck_assert(demand_has_work(&(struct demand){.long_running = 1}));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("demand");
	TCase *tcase = tcase_create("demand");

	tcase_add_test(tcase, parses_all);
	tcase_add_test(tcase, counts_the_clients_of_others);
	tcase_add_test(tcase, parses_nothing);
	tcase_add_test(tcase, parses_nonsense);
	tcase_add_test(tcase, long_name);
	tcase_add_test(tcase, parses_huge_numbers);
	tcase_add_test(tcase, work);
	suite_add_tcase(suite, tcase);
	return suite;
}
