/* check_slurm_msg.c: tests of common/slurm_msg.c: names, ids, and both messages member by
 * member. */
#include "unit.h"

#include "common/slurm_msg.h"

static const char *const states[STATE_COUNT] = {"PENDING", "CONFIGURING", "RUNNING",
	"SUSPENDED", "COMPLETED", "CANCELLED", "FAILED", "TIMEOUT", "NODE_FAIL", "PREEMPTED",
	"OUT_OF_MEMORY", "DEADLINE"};

START_TEST(names)
{
	static const char *const outcomes[OUTCOME_COUNT] = {
		"done", "refused", "busy", "unreachable", "uncertain", "unusable", "foreign"};
	static const char *const hows[CANCEL_COUNT] = {"terminate", "cancel", "kill"};

	for (int i = 0; i < OUTCOME_COUNT; i++) {
		ck_assert_str_eq(slurm_outcome_name((enum slurm_outcome)i), outcomes[i]);
		ck_assert_int_eq(slurm_outcome_find(outcomes[i]), i);
	}
	/* Whatever is not understood may have happened. */
	ck_assert_int_eq(slurm_outcome_find(NULL), OUTCOME_UNCERTAIN);
	ck_assert_int_eq(slurm_outcome_find(""), OUTCOME_UNCERTAIN);
	ck_assert_int_eq(slurm_outcome_find("DONE"), OUTCOME_UNCERTAIN);
	for (int i = 0; i < STATE_COUNT; i++) {
		ck_assert_str_eq(slurm_state_name((enum slurm_state)i), states[i]);
		ck_assert_int_eq(slurm_state_find(states[i]), i);
		ck_assert(slurm_state_is_end((enum slurm_state)i) ==
			(i != STATE_PENDING && i != STATE_CONFIGURING && i != STATE_RUNNING &&
				i != STATE_SUSPENDED));
	}
	ck_assert_int_eq(slurm_state_find(NULL), -ENOENT);
	ck_assert_int_eq(slurm_state_find("pending"), -ENOENT);
	ck_assert_int_eq(slurm_state_find("BOOT_FAIL"), -ENOENT);
	for (int i = 0; i < CANCEL_COUNT; i++) {
		ck_assert_str_eq(slurm_cancel_name((enum slurm_cancel_how)i), hows[i]);
		ck_assert_int_eq(slurm_cancel_find(hows[i]), i);
	}
	ck_assert_int_eq(slurm_cancel_find(NULL), -ENOENT);
	ck_assert_int_eq(slurm_cancel_find("die"), -ENOENT);
}
END_TEST

static const struct {
	uint32_t job_id;
	int64_t task;
	const char *id;
} ids[] = {
	{42, SLURM_NO_TASK, "42"},
	{42, 0, "42_0"},
	{1, 4000000, "1_4000000"},
	{UINT32_MAX, SLURM_NO_TASK, "4294967295"},
	{UINT32_MAX, UINT32_MAX, "4294967295_4294967295"},
};

START_TEST(format_id)
{
	char *buffer = malloc(SLURM_JOB_ID_MAX);

	ck_assert_ptr_eq(slurm_job_format_id(ids[_i].job_id, ids[_i].task, buffer), buffer);
	ck_assert_str_eq(buffer, ids[_i].id);
	free(buffer);
}
END_TEST

static const struct slurm_job job = {
	.job_id = UINT32_MAX,
	.task = 17,
	.name = (char[]){"draco-default-1a2b.3"},
	.state = STATE_OUT_OF_MEMORY,
	.reason = (char[]){"Caf\xc3\xa9 \"closed\"\n"},
	.partition = (char[]){"short"},
	.nodes = (char[]){"n[1-3]"},
	.submit_time = 1700000000,
	.start_time = INT64_C(4102444800),
	.end_time = 0,
	.exit_status = 137,
	.exit_signal = 9,
};

static void check_same_text(const char *a, const char *b)
{
	if (a && b)
		ck_assert_str_eq(a, b);
	else
		ck_assert(!a && !b);
}

static void check_same_job(const struct slurm_job *a, const struct slurm_job *b)
{
	ck_assert_uint_eq(a->job_id, b->job_id);
	ck_assert_int_eq(a->task, b->task);
	check_same_text(a->name, b->name);
	ck_assert_int_eq(a->state, b->state);
	check_same_text(a->reason, b->reason);
	check_same_text(a->partition, b->partition);
	check_same_text(a->nodes, b->nodes);
	ck_assert_int_eq(a->submit_time, b->submit_time);
	ck_assert_int_eq(a->start_time, b->start_time);
	ck_assert_int_eq(a->end_time, b->end_time);
	ck_assert_int_eq(a->exit_status, b->exit_status);
	ck_assert_int_eq(a->exit_signal, b->exit_signal);
}

START_TEST(job_round_trip)
{
	struct slurm_job sent = job, got;
	struct err err = ERR_INIT;
	json_t *object;

	for (int i = 0; i < STATE_COUNT; i++) {
		sent.state = (enum slurm_state)i;
		sent.partition = i % 2 ? NULL : job.partition;
		sent.nodes = i % 3 ? NULL : job.nodes;
		sent.task = i % 2 ? SLURM_NO_TASK : i;
		object = slurm_job_encode(&sent);
		ck_assert_msg(slurm_job_decode(object, &got, &err) == 0, "%s", err.text);
		check_same_job(&got, &sent);
		slurm_job_finish(&got);
		ck_assert_ptr_null(got.name);
		slurm_job_finish(&got);
		json_decref(object);
	}
}
END_TEST

static char script[] = "#!/bin/bash\necho 'caf\xc3\xa9' \"$X\" \\\n";

static void make_submission(struct slurm_submission *ret)
{
	*ret = (struct slurm_submission){
		.name = strdup("draco-default-1a2b.3"),
		.count = 50,
		.script = strdup(script),
		.partition = strdup("short"),
		.reservation = strdup("maintenance"),
		.output = strdup("/home/u/.draco_logs/job-%A_%a.log"),
		.directory = strdup("/home/u"),
		.cores = 40,
		.memory_mib = INT64_C(1) << 40,
		.walltime_s = 5400,
	};
	strv_add(&ret->environment, "PATH=/usr/bin");
	strv_add(&ret->environment, "TEXT=a\nb=c \xc3\xa9");
}

START_TEST(submission_round_trip)
{
	struct slurm_submission sent, got;
	struct err err = ERR_INIT;
	json_t *object;

	make_submission(&sent);
	for (int i = 0; i < 2; i++) {
		object = slurm_submission_encode(&sent);
		ck_assert_msg(slurm_submission_decode(object, &got, &err) == 0, "%s", err.text);
		ck_assert_str_eq(got.name, sent.name);
		ck_assert_int_eq(got.count, 50);
		ck_assert_str_eq(got.script, script);
		check_same_text(got.partition, sent.partition);
		check_same_text(got.reservation, sent.reservation);
		ck_assert_str_eq(got.output, sent.output);
		ck_assert_str_eq(got.directory, sent.directory);
		ck_assert_int_eq(got.cores, 40);
		ck_assert_int_eq(got.memory_mib, INT64_C(1) << 40);
		ck_assert_int_eq(got.walltime_s, 5400);
		ck_assert_uint_eq(got.environment.count, sent.environment.count);
		for (size_t j = 0; j < got.environment.count; j++)
			ck_assert_str_eq(got.environment.item[j], sent.environment.item[j]);
		slurm_submission_finish(&got);
		ck_assert_ptr_null(got.name);
		slurm_submission_finish(&got);
		json_decref(object);
		/* the second time without all that may be absent */
		free(sent.partition);
		free(sent.reservation);
		sent.partition = sent.reservation = NULL;
		strv_finish(&sent.environment);
	}
	slurm_submission_finish(&sent);
}
END_TEST

/* Decoding refused: an error that names what, and nothing filled in. */
static void check_job_refused(const json_t *object, const char *what)
{
	struct slurm_job got;
	struct err err = ERR_INIT;
	static const struct slurm_job empty = {0};

	memset(&got, 0x55, sizeof(got));
	ck_assert_msg(slurm_job_decode(object, &got, &err) == -EPROTO, "%s was accepted", what);
	unit_assert_err(&err, -EPROTO, what);
	check_same_job(&got, &empty);
	ck_assert_int_eq(slurm_job_decode(object, &got, NULL), -EPROTO);
}

static void check_submission_refused(const json_t *object, const char *what)
{
	struct slurm_submission got;
	struct err err = ERR_INIT;

	memset(&got, 0x55, sizeof(got));
	ck_assert_msg(slurm_submission_decode(object, &got, &err) == -EPROTO, "%s was accepted",
		what);
	unit_assert_err(&err, -EPROTO, what);
	ck_assert(!got.name && !got.script && !got.partition && !got.reservation &&
		!got.output && !got.directory && !got.environment.item);
	ck_assert(
		got.count == 0 && got.cores == 0 && got.memory_mib == 0 && got.walltime_s == 0);
	ck_assert_int_eq(slurm_submission_decode(object, &got, NULL), -EPROTO);
}

enum kind { TEXT, OPTIONAL_TEXT, ID, TASK, TIME, NUMBER, COUNT, CORES, MEMORY, LIST };

struct member {
	const char *name;
	enum kind kind;
};

static const struct member job_members[] = {
	{"job_id", ID},
	{"task", TASK},
	{"name", TEXT},
	{"state", TEXT},
	{"reason", TEXT},
	{"partition", OPTIONAL_TEXT},
	{"nodes", OPTIONAL_TEXT},
	{"submit_time", TIME},
	{"start_time", TIME},
	{"end_time", TIME},
	{"exit_status", NUMBER},
	{"exit_signal", NUMBER},
};

static const struct member submission_members[] = {
	{"name", TEXT},
	{"count", COUNT},
	{"script", TEXT},
	{"partition", OPTIONAL_TEXT},
	{"reservation", OPTIONAL_TEXT},
	{"output", TEXT},
	{"directory", TEXT},
	{"cores", CORES},
	{"memory_mib", MEMORY},
	{"walltime_s", COUNT},
	{"environment", LIST},
};

/* Values, and which kinds can have them. */
static const struct {
	const char *json;
	bool good[LIST + 1];
} values[] = {
	{"null", {[OPTIONAL_TEXT] = true}},
	{"true", {0}},
	{"{}", {0}},
	{"1.0", {0}},
	{"[1]", {0}},
	{"[\"A=1\", null]", {0}},
	{"[]", {[LIST] = true}},
	{"[\"A=1\"]", {[LIST] = true}},
	{"\"text\"", {[TEXT] = true, [OPTIONAL_TEXT] = true}},
	{"\"1\"", {[TEXT] = true, [OPTIONAL_TEXT] = true}},
	{"\"\"", {[TEXT] = true, [OPTIONAL_TEXT] = true}},
	{"-2", {0}},
	{"-9223372036854775808", {0}},
	{"-1", {[TASK] = true, [MEMORY] = true}},
	{"0", {[TASK] = true, [CORES] = true, [MEMORY] = true, [TIME] = true, [NUMBER] = true}},
	{"1",
		{[ID] = true,
			[TASK] = true,
			[TIME] = true,
			[NUMBER] = true,
			[COUNT] = true,
			[CORES] = true,
			[MEMORY] = true}},
	{"2147483647",
		{[ID] = true,
			[TASK] = true,
			[TIME] = true,
			[NUMBER] = true,
			[COUNT] = true,
			[CORES] = true,
			[MEMORY] = true}},
	{"2147483648",
		{[ID] = true,
			[TASK] = true,
			[TIME] = true,
			[COUNT] = true,
			[CORES] = true,
			[MEMORY] = true}},
	{"4294967295",
		{[ID] = true,
			[TASK] = true,
			[TIME] = true,
			[COUNT] = true,
			[CORES] = true,
			[MEMORY] = true}},
	{"4294967296", {[TIME] = true, [COUNT] = true, [CORES] = true, [MEMORY] = true}},
	{"9223372036854775807",
		{[TIME] = true, [COUNT] = true, [CORES] = true, [MEMORY] = true}},
};

/* Each member with each value: taken or refused by its name. */
START_TEST(job_member)
{
	const struct member *member = &job_members[_i];

	for (size_t i = 0; i <= LENGTH(values); i++) {
		json_t *object = slurm_job_encode(&job);
		bool good = member->kind == OPTIONAL_TEXT; /* when it is not there */
		struct slurm_job got;

		ck_assert_ptr_nonnull(json_object_get(object, member->name));
		if (i == LENGTH(values)) {
			json_object_del(object, member->name);
		} else {
			json_object_set_new(object, member->name,
				json_loads(values[i].json, JSON_DECODE_ANY, NULL));
			good = values[i].good[member->kind];
		}
		if (strcmp(member->name, "state") == 0)
			good = false; /* a text, but a known one */
		if (good) {
			ck_assert_msg(slurm_job_decode(object, &got, NULL) == 0, "%s: %s",
				member->name, i < LENGTH(values) ? values[i].json : "absent");
			slurm_job_finish(&got);
		} else {
			check_job_refused(object, member->name);
		}
		json_decref(object);
	}
}
END_TEST

START_TEST(submission_member)
{
	const struct member *member = &submission_members[_i];

	for (size_t i = 0; i <= LENGTH(values); i++) {
		struct slurm_submission sent, got;
		bool good = member->kind == OPTIONAL_TEXT;
		json_t *object;

		make_submission(&sent);
		object = slurm_submission_encode(&sent);
		slurm_submission_finish(&sent);
		ck_assert_ptr_nonnull(json_object_get(object, member->name));
		if (i == LENGTH(values)) {
			json_object_del(object, member->name);
		} else {
			json_object_set_new(object, member->name,
				json_loads(values[i].json, JSON_DECODE_ANY, NULL));
			good = values[i].good[member->kind];
		}
		if (good) {
			ck_assert_msg(slurm_submission_decode(object, &got, NULL) == 0,
				"%s: %s", member->name,
				i < LENGTH(values) ? values[i].json : "absent");
			slurm_submission_finish(&got);
		} else {
			check_submission_refused(object, "submission");
		}
		json_decref(object);
	}
}
END_TEST

START_TEST(no_objects)
{
	json_t *array = json_array();

	check_job_refused(NULL, "not an object");
	check_job_refused(array, "not an object");
	check_submission_refused(NULL, "not an object");
	check_submission_refused(array, "not an object");
	json_decref(array);
}
END_TEST

struct list {
	int count;
	int64_t tasks[64];
};

static void add(void *arg, int64_t task)
{
	struct list *list = arg;

	ck_assert_int_lt(list->count, 64);
	list->tasks[list->count++] = task;
}

static const struct {
	const char *text;
	int limit;
	int count; /* or the error */
	int64_t tasks[8];
} expansions[] = {
	{"0", 64, 1, {0}},
	{"7", 64, 1, {7}},
	{"0-3", 64, 4, {0, 1, 2, 3}},
	{"0-3,7", 64, 5, {0, 1, 2, 3, 7}},
	{"0-3,7%2", 64, 5, {0, 1, 2, 3, 7}},
	{"0-3%1", 64, 4, {0, 1, 2, 3}},
	{"5%10", 64, 1, {5}},
	{"0-10:2", 64, 6, {0, 2, 4, 6, 8, 10}},
	{"0-9:3", 64, 4, {0, 3, 6, 9}},
	{"0-10:3%4", 64, 4, {0, 3, 6, 9}},
	{"0-3:100", 64, 1, {0}},
	{"1,3,5-6", 64, 4, {1, 3, 5, 6}},
	{"5-5", 64, 1, {5}},
	{"4294967294-4294967295", 64, 2, {4294967294, 4294967295}},
	{"9223372036854775806-9223372036854775807", 64, 2, {INT64_MAX - 1, INT64_MAX}},
	{"9223372036854775800-9223372036854775807:5", 64, 2, {INT64_MAX - 7, INT64_MAX - 2}},
	{"0-9223372036854775807:9223372036854775807", 64, 2, {0, INT64_MAX}},
	/* the limit */
	{"0-3", 4, 4, {0, 1, 2, 3}},
	{"0-3", 3, -EINVAL, {0}},
	{"0,1,2", 2, -EINVAL, {0}},
	{"0", 0, -EINVAL, {0}},
	{"0-63", 64, 64, {0, 1, 2, 3, 4, 5, 6, 7}},
	{"0-64", 64, -EINVAL, {0}},
	{"0-99999999999", 64, -EINVAL, {0}},
	{"0-9223372036854775807", 64, -EINVAL, {0}},
	{"0-1,0-9223372036854775807", 64, -EINVAL, {0}},
	/* cut off */
	{"", 64, -EINVAL, {0}},
	{"0-", 64, -EINVAL, {0}},
	{"0-3,", 64, -EINVAL, {0}},
	{"0-3:", 64, -EINVAL, {0}},
	{"0-3,...", 64, -EINVAL, {0}},
	{"0-3,7-...", 64, -EINVAL, {0}},
	{"0-3...", 64, -EINVAL, {0}},
	{"0-3%", 64, -EINVAL, {0}},
	{"0-3%...", 64, -EINVAL, {0}},
	/* of another form */
	{"3-0", 64, -EINVAL, {0}},
	{"-1", 64, -EINVAL, {0}},
	{"0--1", 64, -EINVAL, {0}},
	{"+1", 64, -EINVAL, {0}},
	{" 1", 64, -EINVAL, {0}},
	{"1 ", 64, -EINVAL, {0}},
	{"1 ,2", 64, -EINVAL, {0}},
	{"0-3:0", 64, -EINVAL, {0}},
	{"0-3:-1", 64, -EINVAL, {0}},
	{"0x3", 64, -EINVAL, {0}},
	{"0,,1", 64, -EINVAL, {0}},
	{"[0-3]", 64, -EINVAL, {0}},
	{"0-3%2%2", 64, -EINVAL, {0}},
	{"0%2,1", 64, -EINVAL, {0}},
	{"0-3-5", 64, -EINVAL, {0}},
	{"0-8:2:2", 64, -EINVAL, {0}},
	{"9223372036854775808", 64, -EINVAL, {0}},
	{"0-9223372036854775808", 64, -EINVAL, {0}},
	{"99999999999999999999999", 64, -EINVAL, {0}},
};

START_TEST(tasks_expand)
{
	char *tight = unit_tight(expansions[_i].text, strlen(expansions[_i].text) + 1);
	struct list list = {0};
	int count = slurm_tasks_expand(tight, expansions[_i].limit, add, &list);

	ck_assert_msg(count == expansions[_i].count, "\"%s\": %d", expansions[_i].text, count);
	ck_assert_int_le(list.count, expansions[_i].limit);
	if (count >= 0) {
		ck_assert_int_eq(list.count, count);
		for (int i = 0; i < count && i < 8; i++)
			ck_assert_int_eq(list.tasks[i], expansions[_i].tasks[i]);
	}
	free(tight);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("slurm_msg");
	TCase *tcase = tcase_create("slurm_msg"), *tasks = tcase_create("tasks");

	tcase_add_test(tcase, names);
	tcase_add_loop_test(tcase, format_id, 0, LENGTH(ids));
	tcase_add_test(tcase, job_round_trip);
	tcase_add_test(tcase, submission_round_trip);
	tcase_add_loop_test(tcase, job_member, 0, LENGTH(job_members));
	tcase_add_loop_test(tcase, submission_member, 0, LENGTH(submission_members));
	tcase_add_test(tcase, no_objects);
	suite_add_tcase(suite, tcase);
	tcase_add_loop_test(tasks, tasks_expand, 0, LENGTH(expansions));
	suite_add_tcase(suite, tasks);
	return suite;
}
