/* check_directives.c: tests of common/directives.c: the table, names and letters, refusals. */
#include "unit.h"

#include <ctype.h>

#include "common/directives.h"
#include "common/strv.h"

#define NOW 1899627630

START_TEST(row)
{
	const struct directive_type *type = &directive_types[_i];

	ck_assert_ptr_nonnull(type->name);
	for (const char *c = type->name; *c; c++)
		ck_assert(islower((unsigned char)*c) || *c == '-');
	ck_assert((type->kind == DIRECTIVE_KIND_WORD || type->kind == DIRECTIVE_KIND_WORDS) ==
		(type->words != NULL));
	for (int id = 0; id < _i; id++) {
		ck_assert_str_ne(type->name, directive_types[id].name);
		ck_assert(!type->letter || type->letter != directive_types[id].letter);
	}
}
END_TEST

static const struct {
	const char *given;
	enum directive_id id;
	const char *text;
	int64_t number;
} good[] = {
	{"comment=test", DIRECTIVE_COMMENT, "test", 0},
	{"--comment=test", DIRECTIVE_COMMENT, "test", 0},
	{"--comment test", DIRECTIVE_COMMENT, "test", 0},
	{" comment = a = b", DIRECTIVE_COMMENT, "a = b", 0},
	{"mail_type=END", DIRECTIVE_MAIL_TYPE, "END", 1 << MAIL_WORD_END},
	{"-C haswell", DIRECTIVE_CONSTRAINT, "haswell", 0},
	{"-Chaswell", DIRECTIVE_CONSTRAINT, "haswell", 0},
	{"-L matlab", DIRECTIVE_LICENSES, "matlab", 0},
	{"contiguous", DIRECTIVE_CONTIGUOUS, "", 1},
	{"--contiguous", DIRECTIVE_CONTIGUOUS, "", 1},
	{"contiguous=false", DIRECTIVE_CONTIGUOUS, "false", 0},
	{"-s", DIRECTIVE_OVERSUBSCRIBE, "", 1},
	{"exclusive", DIRECTIVE_EXCLUSIVE, "", EXCLUSIVE_WORD_TRUE},
	{"exclusive=user", DIRECTIVE_EXCLUSIVE, "user", EXCLUSIVE_WORD_USER},
	{"nice", DIRECTIVE_NICE, "", 100},
	{"nice=-5", DIRECTIVE_NICE, "-5", -5},
	{"gpus-per-node=a100:2", DIRECTIVE_GPUS_PER_NODE, "a100:2", 0},
};

START_TEST(parse)
{
	char *given = unit_tight(good[_i].given, strlen(good[_i].given) + 1);
	struct directive directive;
	struct err err = ERR_INIT;
	int r = directive_parse(given, NOW, &directive, &err);

	ck_assert_msg(r == 0, "%s", err.text);
	ck_assert_int_eq(directive.id, good[_i].id);
	ck_assert_str_eq(directive.text, good[_i].text);
	ck_assert_int_eq(directive.number[0], good[_i].number);
	free(given);
}
END_TEST

static const struct {
	const char *given;
	int code;
	const char *text;
} bad[] = {
	{"", -EINVAL, "names no option of sbatch: give NAME=VALUE"},
	{"=x", -EINVAL, "names no option of sbatch"},
	{"--", -EINVAL, "names no option of sbatch"},
	{"comment", -EINVAL, "--comment needs a value"},
	{"comment ", -EINVAL, "--comment needs a value"},
	{"comment=", -EINVAL, "--comment: the value is empty"},
	{"-C", -EINVAL, "--constraint needs a value"},
	{"nice=x", -EINVAL, "--nice: "},
	{"mincpus=0", -ERANGE, "--mincpus: "},
	{"partition=short", -EPERM, "use the setting queues_to_try"},
	{"-p short", -EPERM, "--partition is set by draco: use the setting queues_to_try"},
	{"cpus_per_task=3", -EPERM, "--cpus-per-task is set by draco: use the setting cores"},
	{"time=10", -EPERM, "use the setting walltime"},
	{"-H", -EPERM, "--hold is not possible"},
	{"coment=x", -ENOENT, "near ones: comment"},
	{"comments=x", -ENOENT, "near ones: comment"},
	{"zzzzzzzz=1", -ENOENT, "known: account, "},
	{"-Z", -ENOENT, "draco knows no option"},
	{"partitio=x", -ENOENT, "partition"},
};

START_TEST(refuse)
{
	char *given = unit_tight(bad[_i].given, strlen(bad[_i].given) + 1);
	struct directive directive = {.id = DIRECTIVE_COUNT};
	struct err err = ERR_INIT;
	int r = directive_parse(given, NOW, &directive, &err);

	ck_assert_msg(r == bad[_i].code, "%d: %s", r, err.text);
	unit_assert_err(&err, r, bad[_i].text);
	ck_assert_int_eq(directive.id, DIRECTIVE_COUNT);
	ck_assert_int_eq(directive_parse(given, NOW, &directive, NULL), r);
	free(given);
}
END_TEST

START_TEST(check)
{
	static const struct {
		const char *item[3];
		int code;
		const char *text;
	} rows[] = {
		{{NULL}, 0, ""},
		{{"comment=a", "contiguous", NULL}, 0, ""},
		{{"comment=a", "--comment=b", NULL}, -EINVAL, "--comment is given twice"},
		{{"constraint=a", "-C b", NULL}, -EINVAL, "--constraint is given twice"},
		{{"comment=a", "nice=x", NULL}, -EINVAL, "--nice: "},
		{{"partition=a", "comment=a", NULL}, -EPERM, "queues_to_try"},
	};

	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct strv list = STRV_INIT;
		struct err err = ERR_INIT;

		for (int k = 0; rows[i].item[k]; k++)
			strv_add(&list, rows[i].item[k]);
		ck_assert_int_eq(directives_check(&list, NOW, &err), rows[i].code);
		ck_assert_int_eq(directives_check(&list, NOW, NULL), rows[i].code);
		unit_assert_err(&err, rows[i].code, rows[i].text);
		strv_finish(&list);
	}
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("directives");
	TCase *tcase = tcase_create("directives");

	tcase_add_loop_test(tcase, row, 0, DIRECTIVE_COUNT);
	tcase_add_loop_test(tcase, parse, 0, LENGTH(good));
	tcase_add_loop_test(tcase, refuse, 0, LENGTH(bad));
	tcase_add_test(tcase, check);
	suite_add_tcase(suite, tcase);
	return suite;
}
