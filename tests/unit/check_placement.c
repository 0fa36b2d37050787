/* check_placement.c: tests of daemon/policy/placement.c. */
#include "unit.h"

#include "common/alloc.h"
#include "common/strv.h"
#include "common/survey.h"
#include "daemon/policy/placement.h"

#define NOW  1000000
#define HOUR 3600

/* Queues a and b, with a reservation or without. */
static void make(struct placement *placement, const char *reservation)
{
	struct strv queues = STRV_INIT;

	strv_add(&queues, "a");
	strv_add(&queues, "b");
	placement_init(placement, reservation, &queues);
	strv_finish(&queues);
}

static struct survey_partition partitions[] = {
	{.name = UNCONST("a"),
		.submits = true,
		.schedules = true,
		.max_time_s = 2 * HOUR,
		.nodes = 4,
		.nodes_fit = 2,
		.nodes_usable = 1,
		.largest_cpus = 8,
		.largest_memory_mib = 1000},
	{.name = UNCONST("b"),
		.submits = true,
		.schedules = true,
		.nodes = 4,
		.nodes_fit = 4,
		.nodes_usable = 4,
		.largest_cpus = 8,
		.largest_memory_mib = 1000},
};

static const struct placement_shape shape = {
	.cores = 8, .memory_mib = 1000, .walltime_s = HOUR};

/* What is told when queues a, b and nowhere are tried with a reservation. The caller frees. */
static char *list_unused(const struct survey_reservation *reservation)
{
	const struct survey survey = {partitions, 2, UNCONST(reservation), 1};
	struct strv queues = STRV_INIT, texts = STRV_INIT;
	struct placement placement;
	char *list;

	strv_add(&queues, "nowhere");
	strv_add(&queues, "a");
	strv_add(&queues, "b");
	placement_init(&placement, "r", &queues);
	strv_finish(&queues);
	placement_judge(&placement, &survey, &shape, NOW);
	placement_unused(&placement, &texts);
	list = strv_join(&texts, "\n");
	strv_finish(&texts);
	placement_finish(&placement);
	return list;
}

START_TEST(tells_what_is_not_used)
{
	static const char nowhere[] =
		"nowhere in queues_to_try is not used: Slurm has no such partition "
		"(it has: a, b)";
	static const struct {
		struct survey_reservation reservation;
		const char *text;
	} cases[] = {
		{{.name = UNCONST("r"), .start = 1}, ""},
		{{.name = UNCONST("r"), .start = 1, .partition = UNCONST("b")}, ""},
		{{.name = UNCONST("r"), .start = 1, .partition = UNCONST("c")},
			"the reservation r is not used: the reservation is for the partition "
			"c\n"},
		{{.name = UNCONST("s"), .start = 1},
			"the reservation r is not used: there is no such reservation (or it "
			"has ended)\n"},
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		char *list = list_unused(&cases[i].reservation);
		char *expected = xasprintf("%s%s", cases[i].text, nowhere);

		ck_assert_str_eq(list, expected);
		free(expected);
		free(list);
	}
}
END_TEST

/* The reason why "a" is skipped when its partition is as given; NULL: it is not. The caller
 * frees. */
static char *judge(
	const struct survey_partition *partition, const struct placement_shape *wanted)
{
	struct survey_partition both[2] = {*partition, partitions[1]};
	const struct survey survey = {.partition = both, .partitions = 2};
	struct placement placement;
	char *reason;

	make(&placement, NULL);
	placement_judge(&placement, &survey, wanted, NOW);
	ck_assert_int_eq(placement.candidate[1].verdict, PLACEMENT_OPEN);
	reason = placement.candidate[0].reason ? strdup(placement.candidate[0].reason) : NULL;
	ck_assert_int_eq(
		placement.candidate[0].verdict, reason ? PLACEMENT_SKIPPED : PLACEMENT_OPEN);
	placement_finish(&placement);
	return reason;
}

#define assert_skipped(partition, part)                                                       \
	do {                                                                                  \
		char *reason_ = judge(partition, &shape);                                     \
		ck_assert_ptr_nonnull(reason_);                                               \
		ck_assert_msg(strstr(reason_, part) != NULL, "\"%s\" is not in \"%s\"", part, \
			reason_);                                                             \
		free(reason_);                                                                \
	} while (0)

START_TEST(candidates_in_order)
{
	static const struct {
		const char *partition, *reservation;
	} expected[] = {{"a", "r"}, {"b", "r"}, {"a", NULL}, {"b", NULL}};
	struct placement placement;
	char *name;

	make(&placement, "r");
	ck_assert_uint_eq(placement.count, LENGTH(expected));
	for (size_t i = 0; i < LENGTH(expected); i++) {
		ck_assert_str_eq(placement.candidate[i].partition, expected[i].partition);
		ck_assert_pstr_eq(placement.candidate[i].reservation, expected[i].reservation);
		ck_assert_int_eq(placement.candidate[i].verdict, PLACEMENT_OPEN);
	}
	name = candidate_name(&placement.candidate[0]);
	ck_assert_str_eq(name, "reservation r in a");
	free(name);
	placement_finish(&placement);
	make(&placement, NULL);
	ck_assert_uint_eq(placement.count, 2);
	placement_finish(&placement);
	placement_finish(&placement);
}
END_TEST

START_TEST(more_queues_than_bits)
{
	struct strv queues = STRV_INIT;
	struct placement placement;

	for (int i = 0; i < 100; i++)
		strv_addf(&queues, "q%d", i);
	placement_init(&placement, "r", &queues);
	ck_assert_uint_eq(placement.count, 2 * PLACEMENT_QUEUES_MAX);
	ck_assert_uint_le(placement.count, 8 * sizeof(candidate_set));
	placement_finish(&placement);
	strv_finish(&queues);
}
END_TEST

START_TEST(judges_partitions)
{
	struct survey_partition p = partitions[0];

	ck_assert_ptr_null(judge(&p, &shape));
	p.submits = false;
	assert_skipped(&p, "takes no jobs");
	p = partitions[0];
	p.schedules = false;
	assert_skipped(&p, "is down");
	p = partitions[0];
	p.denied = UNCONST("not for you");
	assert_skipped(&p, "not for you");
	p = partitions[0];
	p.max_time_s = HOUR - 1;
	assert_skipped(&p, "time limit is 00:59:59, and the walltime is 01:00:00");
	p.max_time_s = HOUR;
	ck_assert_ptr_null(judge(&p, &shape));
	p.max_time_s = 0; /* no limit */
	ck_assert_ptr_null(judge(&p, &shape));
	p.largest_cpus = 7;
	assert_skipped(&p, "largest node has 7 cores, and a job needs 8");
	p = partitions[0];
	p.largest_memory_mib = 999;
	assert_skipped(&p, "largest node has 999 MiB of memory, and a job needs 1000 MiB");
	p = partitions[0];
	p.nodes_fit = 0;
	assert_skipped(&p, "none of its nodes has both");
	p = partitions[0];
	p.nodes_usable = 0;
	assert_skipped(&p, "down or drained (2 of 4)");
	p.nodes_excluded = 1;
	assert_skipped(&p, "down, drained or excluded (2 of 4)");
	p.nodes_excluded = 2;
	assert_skipped(&p, "are excluded (2 of 4)");
	p = partitions[0];
	p.name = UNCONST("other");
	assert_skipped(&p, "no such partition (it has: other, b)");
}
END_TEST

/* What is not certain is for Slurm to tell. */
START_TEST(judges_no_guesses)
{
	struct survey_partition p = partitions[0];

	p.largest_memory_mib = NO_REAL_MEMORY_MIB;
	ck_assert_ptr_null(judge(&p, &shape));
	p = partitions[0];
	p.largest_cpus = p.largest_memory_mib = p.nodes_fit = p.nodes_usable = 0;
	p.nodes_hidden = 4;
	ck_assert_ptr_null(judge(&p, &shape));
	p.nodes_hidden = 0;
	assert_skipped(&p, "largest node has 0 cores");
}
END_TEST

/* A site that does not manage memory refuses jobs that ask for some. */
START_TEST(no_memory_to_ask_for)
{
	static const struct {
		int64_t a, b, hidden;
		bool a_drained, no_memory;
	} cases[] = {
		{1, 1, 0, false, true},
		{1, 1000, 0, false, false},
		{1000, 1, 0, false, false},
		{1000, 1, 0, true, true}, /* "a" does not count */
		{1, 1, 4, false, false},
		{1000, 1000, 0, false, false},
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct survey_partition both[] = {partitions[0], partitions[1]};
		const struct survey survey = {.partition = both, .partitions = 2};
		struct placement placement;

		both[0].largest_memory_mib = cases[i].a;
		both[1].largest_memory_mib = cases[i].b;
		both[0].nodes_hidden = cases[i].hidden;
		both[0].submits = !cases[i].a_drained;
		make(&placement, NULL);
		placement_judge(&placement, &survey, &shape, NOW);
		ck_assert_int_eq(placement.no_memory, cases[i].no_memory);
		placement_finish(&placement);
	}
}
END_TEST

START_TEST(judges_reservations)
{
	static const struct {
		struct survey_reservation reservation;
		const char *reason; /* NULL: usable */
	} cases[] = {
		{{.name = UNCONST("r"), .start = NOW - 1, .end = NOW + HOUR}, NULL},
		{{.name = UNCONST("r"), .start = NOW, .end = NOW + HOUR}, NULL},
		{{.name = UNCONST("r"), .start = NOW + 1, .end = NOW + 9 * HOUR},
			"does not begin until"},
		{{.name = UNCONST("r"), .start = 1, .end = NOW}, "ended at"},
		{{.name = UNCONST("r"), .start = 1, .end = NOW + HOUR - 1}, "before a job of"},
		{{.name = UNCONST("r"), .start = 1, .end = NOW + 60, .flexible = true}, NULL},
		{{.name = UNCONST("r"), .start = 1, .end = 0}, NULL},
		{{.name = UNCONST("r"), .start = 1, .denied = UNCONST("not yours")},
			"not yours"},
		{{.name = UNCONST("r"), .start = 1, .partition = UNCONST("b")},
			"for the partition b"},
		{{.name = UNCONST("s"), .start = 1}, "no such reservation"},
	};

	for (size_t i = 0; i < LENGTH(cases); i++) {
		struct survey_reservation reservation = cases[i].reservation;
		const struct survey survey = {partitions, 2, &reservation, 1};
		struct placement placement;
		const struct candidate *c;

		make(&placement, "r");
		placement_judge(&placement, &survey, &shape, NOW);
		c = &placement.candidate[0];
		if (cases[i].reason)
			ck_assert_msg(c->verdict == PLACEMENT_SKIPPED &&
					strstr(c->reason, cases[i].reason),
				"case %zu: %s", i, c->reason);
		else
			ck_assert_msg(
				c->verdict == PLACEMENT_OPEN, "case %zu: %s", i, c->reason);
		ck_assert_int_eq(placement.candidate[2].verdict, PLACEMENT_OPEN);
		placement_finish(&placement);
	}
}
END_TEST

START_TEST(chooses)
{
	struct placement placement;

	make(&placement, "r");
	/* Nothing is predicted: the first. */
	ck_assert_int_eq(placement_choose(&placement, NOW, 300), 0);
	placement_refuse(&placement, 0, "no");
	ck_assert_int_eq(placement_choose(&placement, NOW, 300), 1);
	/* A prediction is better than none, */
	placement_predict(&placement, 2, NOW + 5000);
	ck_assert_int_eq(placement_choose(&placement, NOW, 300), 2);
	/* an earlier start better than a late one, */
	placement_predict(&placement, 3, NOW + 4000);
	ck_assert_int_eq(placement_choose(&placement, NOW, 300), 3);
	/* and the first in time wins even when a later one starts sooner. */
	placement_predict(&placement, 2, NOW + 300);
	placement_predict(&placement, 3, NOW);
	ck_assert_int_eq(placement_choose(&placement, NOW, 300), 2);
	ck_assert_int_eq(placement_choose(&placement, NOW, 299), 3);
	for (size_t i = 0; i < placement.count; i++)
		placement_refuse(&placement, i, "no");
	ck_assert_int_eq(placement_choose(&placement, NOW, 300), -1);
	placement_finish(&placement);
	ck_assert_int_eq(placement_choose(&placement, NOW, 300), -1);
}
END_TEST

static void assert_place(const struct placement *placement, candidate_set set,
	const char *partitions_expected, const char *reservation)
{
	char *text = placement_partitions(placement, set);

	ck_assert_str_eq(text, partitions_expected);
	ck_assert_pstr_eq(placement_reservation(placement, set), reservation);
	free(text);
}

/* used with the next candidate; used itself if there is none. */
static candidate_set widened(const struct placement *placement, candidate_set used)
{
	int at = placement_next(placement, used);

	return at < 0 ? used : used | (candidate_set)1 << at;
}

START_TEST(widens)
{
	struct placement placement;
	candidate_set set = 1;

	make(&placement, "r");
	assert_place(&placement, set, "a", "r");
	set = widened(&placement, set);
	assert_place(&placement, set, "a,b", "r");
	set = widened(&placement, set);
	assert_place(&placement, set, "a", NULL);
	set = widened(&placement, set);
	assert_place(&placement, set, "a,b", NULL);
	ck_assert_uint_eq(widened(&placement, set), set);
	placement_finish(&placement);
}
END_TEST

START_TEST(widens_backwards)
{
	struct placement placement;
	candidate_set set = 1 << 3; /* placed at the last one: it was the soonest */

	make(&placement, "r");
	set = widened(&placement, set);
	/* Not back into the reservation. */
	assert_place(&placement, set, "a,b", NULL);
	ck_assert_uint_eq(widened(&placement, set), set);
	placement_refuse(&placement, 2, "no");
	ck_assert_uint_eq(widened(&placement, 1 << 3), 1 << 3);
	placement_finish(&placement);
}
END_TEST

START_TEST(tells_programs)
{
	struct placement placement;
	json_t *list;
	char *text;

	make(&placement, NULL);
	placement_predict(&placement, 0, NOW);
	placement_refuse(&placement, 1, "full");
	list = placement_to_json(&placement);
	text = json_dumps(list, JSON_COMPACT);
	ck_assert_str_eq(text,
		"[{\"partition\":\"a\",\"reservation\":null,\"options\":[],"
		"\"verdict\":\"possible\",\"start\":1000000,\"reason\":null},"
		"{\"partition\":\"b\",\"reservation\":null,\"options\":[],"
		"\"verdict\":\"skipped\",\"start\":null,\"reason\":\"full\"}]");
	free(text);
	json_decref(list);
	placement_finish(&placement);
}
END_TEST

START_TEST(survey_round_trip)
{
	struct survey_reservation reservations[] = {
		{.name = UNCONST("r"),
			.start = 5,
			.end = 7,
			.denied = UNCONST("no"),
			.partition = UNCONST("b"),
			.nodes = UNCONST("n[1-2]"),
			.flexible = true},
		{.name = UNCONST("s"), .nodes = UNCONST("")},
	};
	const struct survey survey = {partitions, 2, reservations, 2};
	struct err err = ERR_INIT;
	struct survey copy;
	json_t *first = survey_encode(&survey), *second;

	ck_assert_int_eq(survey_decode(first, &copy, &err), 0);
	second = survey_encode(&copy);
	ck_assert(json_equal(first, second));
	ck_assert_int_eq(survey_find_partition(&copy, "a")->max_time_s, 2 * HOUR);
	ck_assert_str_eq(survey_find_reservation(&copy, "r")->nodes, "n[1-2]");
	ck_assert_ptr_null(survey_find_partition(&copy, "c"));
	ck_assert_ptr_null(survey_find_reservation(&copy, "a"));
	survey_finish(&copy);
	json_decref(first);
	json_decref(second);
}
END_TEST

START_TEST(survey_refuses)
{
	static const char *const texts[] = {"{}", "[]", "{\"partitions\":[]}",
		"{\"partitions\":[{}],\"reservations\":[]}",
		"{\"partitions\":[],\"reservations\":[{\"name\":1}]}",
		"{\"partitions\":1,\"reservations\":2}"};

	for (size_t i = 0; i < LENGTH(texts); i++) {
		json_t *json = json_loads(texts[i], 0, NULL);
		struct err err = ERR_INIT;
		struct survey survey;

		ck_assert_int_eq(survey_decode(json, &survey, &err), -EPROTO);
		unit_assert_err(&err, -EPROTO, "survey");
		ck_assert_uint_eq(survey.partitions, 0);
		json_decref(json);
	}
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("placement");
	TCase *tests = tcase_create("placement");

	tcase_add_test(tests, candidates_in_order);
	tcase_add_test(tests, more_queues_than_bits);
	tcase_add_test(tests, judges_partitions);
	tcase_add_test(tests, judges_no_guesses);
	tcase_add_test(tests, no_memory_to_ask_for);
	tcase_add_test(tests, judges_reservations);
	tcase_add_test(tests, tells_what_is_not_used);
	tcase_add_test(tests, chooses);
	tcase_add_test(tests, widens);
	tcase_add_test(tests, widens_backwards);
	tcase_add_test(tests, tells_programs);
	tcase_add_test(tests, survey_round_trip);
	tcase_add_test(tests, survey_refuses);
	suite_add_tcase(suite, tests);
	return suite;
}
