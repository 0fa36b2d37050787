/* check_directives.c: tests of common/directives.c and of the values of directives. */
#include "unit.h"

#include "common/directives.h"
#include "common/strv.h"

#define NOW 1795609815

static const struct {
	const char *text;
	enum directive_id id;
	const char *value;
	int64_t number[3];
} rows[] = {
	{"account=a", DIRECTIVE_ACCOUNT, "a", {0}},
	{"--account=a", DIRECTIVE_ACCOUNT, "a", {0}},
	{"--account a", DIRECTIVE_ACCOUNT, "a", {0}},
	{"  account = a", DIRECTIVE_ACCOUNT, "a", {0}},
	{"-Aa", DIRECTIVE_ACCOUNT, "a", {0}},
	{"-A a", DIRECTIVE_ACCOUNT, "a", {0}},
	{"-A=a", DIRECTIVE_ACCOUNT, "a", {0}},
	{"comment=a=b, c", DIRECTIVE_COMMENT, "a=b, c", {0}},
	{"mail_user=x", DIRECTIVE_MAIL_USER, "x", {0}},
	{"contiguous", DIRECTIVE_CONTIGUOUS, "", {1}},
	{"--contiguous", DIRECTIVE_CONTIGUOUS, "", {1}},
	{"contiguous=true", DIRECTIVE_CONTIGUOUS, "true", {1}},
	{"contiguous=no", DIRECTIVE_CONTIGUOUS, "no", {0}},
	{"-k", DIRECTIVE_NO_KILL, "", {1}},
	{"nice", DIRECTIVE_NICE, "", {100}},
	{"nice=-7", DIRECTIVE_NICE, "-7", {-7}},
	{"oom-kill-step", DIRECTIVE_OOM_KILL_STEP, "", {1}},
	{"priority=top", DIRECTIVE_PRIORITY, "top", {-1}},
	{"priority=5", DIRECTIVE_PRIORITY, "5", {5}},
	{"tmp=700", DIRECTIVE_TMP, "700", {700}},
	{"tmp=5G", DIRECTIVE_TMP, "5G", {5120}},
	{"tmp=2 TiB", DIRECTIVE_TMP, "2 TiB", {2 * 1024 * 1024}},
	{"delay-boot=10", DIRECTIVE_DELAY_BOOT, "10", {600}},
	{"begin=now+1hour", DIRECTIVE_BEGIN, "now+1hour", {NOW + 3600}},
	{"exclusive", DIRECTIVE_EXCLUSIVE, "", {EXCLUSIVE_WORD_TRUE}},
	{"exclusive=User", DIRECTIVE_EXCLUSIVE, "User", {EXCLUSIVE_WORD_USER}},
	{"mail-type=end,FAIL", DIRECTIVE_MAIL_TYPE, "end,FAIL",
		{1 << MAIL_WORD_END | 1 << MAIL_WORD_FAIL}},
	{"mail-type=ARRAY_TASKS", DIRECTIVE_MAIL_TYPE, "ARRAY_TASKS",
		{1 << MAIL_WORD_ARRAY_TASKS}},
	{"profile=network", DIRECTIVE_PROFILE, "network", {1 << PROFILE_WORD_NETWORK}},
	{"hint=nomultithread", DIRECTIVE_HINT, "nomultithread", {HINT_WORD_NOMULTITHREAD}},
	{"gres-flags=one-task-per-sharing", DIRECTIVE_GRES_FLAGS, "one-task-per-sharing",
		{1 << GRES_WORD_ONE_TASK}},
	{"gpus=2", DIRECTIVE_GPUS, "2", {0}},
	{"gpus=a100:1,v-100_x:3", DIRECTIVE_GPUS, "a100:1,v-100_x:3", {0}},
	{"signal=USR1", DIRECTIVE_SIGNAL, "USR1", {10, 60, 0}},
	{"signal=B:SIGTERM@90", DIRECTIVE_SIGNAL, "B:SIGTERM@90", {15, 90, SIGNAL_TO_BATCH}},
	{"signal=rb:9@0", DIRECTIVE_SIGNAL, "rb:9@0",
		{9, 0, SIGNAL_TO_BATCH | SIGNAL_TO_RESERVATION}},
	{"switches=2", DIRECTIVE_SWITCHES, "2", {2, -1}},
	{"switches=1@00:10:00", DIRECTIVE_SWITCHES, "1@00:10:00", {1, 600}},
	{"-B 2", DIRECTIVE_EXTRA_NODE_INFO, "2", {2, -1, -1}},
	{"extra-node-info=2:8:1", DIRECTIVE_EXTRA_NODE_INFO, "2:8:1", {2, 8, 1}},
	{"extra-node-info=*:8", DIRECTIVE_EXTRA_NODE_INFO, "*:8", {-1, 8, -1}},
};

START_TEST(understands)
{
	struct directive directive = {0};
	struct err err = ERR_INIT;

	ck_assert_msg(
		directive_parse(rows[_i].text, NOW, &directive, &err) == 0, "%s", err.text);
	ck_assert_int_eq(directive.id, rows[_i].id);
	ck_assert_str_eq(directive.text, rows[_i].value);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(directive.number[i], rows[_i].number[i]);
}
END_TEST

static const struct {
	const char *text;
	int code;
	const char *complaint;
} wrong[] = {
	{"", -EINVAL, "names no option of sbatch"},
	{"--", -EINVAL, "names no option of sbatch"},
	{"=x", -EINVAL, "names no option of sbatch"},
	{"acount=x", -ENOENT, "near ones: account"},
	{"constrain=x", -ENOENT, "near ones: constraint"},
	{"xyzzyxyzzyx=1", -ENOENT, "known: account, acctg-freq, batch, bb, begin"},
	{"-Z9", -ENOENT, "draco knows no option \"-Z\" of sbatch"},
	{"mem=1G", -EPERM, "mem=1G: --mem is set by draco: use the setting memory"},
	{"--mem-per-cpu 1G", -EPERM, "use the setting memory"},
	{"-t10", -EPERM, "--time is set by draco: use the setting walltime"},
	{"-n", -EPERM, "--ntasks is set by draco: use the setting processes"},
	{"account", -EINVAL, "--account needs a value"},
	{"account ", -EINVAL, "--account needs a value"},
	{"account=", -EINVAL, "--account: the value is empty"},
	{"comment=a\nb", -EINVAL, "must be one line"},
	{"mincpus=x", -EINVAL, "--mincpus: \"x\" is not a whole number"},
	{"mincpus=0", -ERANGE, "--mincpus: 0 is out of range"},
	{"mincpus=65534", -ERANGE, "from 1 to 65533"},
	{"core-spec=32768", -ERANGE, "out of range"},
	{"priority=0", -ERANGE, "out of range"},
	{"contiguous=x", -EINVAL, "the option has no value"},
	{"tmp=99999999 TiB", -ERANGE, "--tmp: "},
	{"hint=fast", -EINVAL, "is not one of compute_bound, memory_bound, multithread"},
	{"hint=multithread,nomultithread", -EINVAL, "is not one of"},
	{"mail-type=END,x", -EINVAL, "is not one of NONE, BEGIN"},
	{"mail-type=,", -EINVAL, "is not one of NONE, BEGIN"},
	{"gpus=0", -EINVAL, "is not a number of GPUs"},
	{"gpus=a100", -EINVAL, "give 2 or a100:2"},
	{"gpus=:2", -EINVAL, "is not a number of GPUs"},
	{"gpus=a b:2", -EINVAL, "is not a number of GPUs"},
	{"gpus=a:b:2", -EINVAL, "is not a number of GPUs"},
	{"signal=", -EINVAL, "--signal: the value is empty"},
	{"signal=X:USR1", -EINVAL, "is not of the form B:USR1@60"},
	{"signal=USR1@x", -EINVAL, "is not of the form B:USR1@60"},
	{"signal=0", -EINVAL, "is not of the form B:USR1@60"},
	{"switches=0", -EINVAL, "is not of the form 1@00:10:00"},
	{"extra-node-info=1:2:3:4", -EINVAL, "SOCKETS:CORES:THREADS"},
	{"begin=soon", -EINVAL, "--begin: \"soon\" is no time"},
};

START_TEST(refuses)
{
	struct directive directive = {.id = DIRECTIVE_WCKEY};
	struct err err = ERR_INIT;

	ck_assert_int_eq(
		directive_parse(wrong[_i].text, NOW, &directive, &err), wrong[_i].code);
	unit_assert_err(&err, wrong[_i].code, wrong[_i].complaint);
	ck_assert_int_eq(directive.id, DIRECTIVE_WCKEY);
}
END_TEST

START_TEST(table_is_whole)
{
	for (int id = 0; id < DIRECTIVE_COUNT; id++) {
		const struct directive_type *type = &directive_types[id];

		ck_assert_ptr_nonnull(type->name);
		for (int other = 0; other < id; other++) {
			ck_assert_str_ne(type->name, directive_types[other].name);
			ck_assert(
				!type->letter || type->letter != directive_types[other].letter);
		}
		ck_assert((type->kind == DIRECTIVE_KIND_WORD ||
				  type->kind == DIRECTIVE_KIND_WORDS) == (type->words != NULL));
	}
	ck_assert_str_eq(
		directive_types[DIRECTIVE_PROFILE].words[PROFILE_WORD_COUNT - 1], "Network");
	ck_assert_ptr_null(directive_types[DIRECTIVE_PROFILE].words[PROFILE_WORD_COUNT]);
	ck_assert_ptr_null(directive_types[DIRECTIVE_MAIL_TYPE].words[MAIL_WORD_COUNT]);
	ck_assert_ptr_null(directive_types[DIRECTIVE_GRES_FLAGS].words[GRES_WORD_COUNT]);
}
END_TEST

START_TEST(lists)
{
	struct strv list = STRV_INIT;
	struct err err = ERR_INIT;

	ck_assert_int_eq(directives_check(&list, NOW, &err), 0);
	strv_add(&list, "account=a");
	strv_add(&list, "-C fast");
	ck_assert_int_eq(directives_check(&list, NOW, &err), 0);
	strv_add(&list, "--constraint=slow");
	ck_assert_int_eq(directives_check(&list, NOW, &err), -EINVAL);
	unit_assert_err(&err, -EINVAL, "--constraint is given twice");
	strv_finish(&list);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("directives");
	TCase *tests = tcase_create("directives");

	tcase_add_loop_test(tests, understands, 0, LENGTH(rows));
	tcase_add_loop_test(tests, refuses, 0, LENGTH(wrong));
	tcase_add_test(tests, table_is_whole);
	tcase_add_test(tests, lists);
	suite_add_tcase(suite, tests);
	return suite;
}
