/* check_argv.c: tests of common/argv.c: a command as words, and quoting. */
#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/argv.h"
#include "common/strv.h"

static const struct {
	const char *text;
	const char *words; /* with '|' between them; NULL: refused */
	const char *again; /* as it is written again; NULL: as text */
} rows[] = {
	{"python3", "python3", NULL},
	{"/usr/bin/env A=b python3", "/usr/bin/env|A=b|python3", NULL},
	{"  conda  run -n x\tpython ", "conda|run|-n|x|python", "conda run -n x python"},
	{"'/with blank/python' -s", "/with blank/python|-s", NULL},
	{"\"/with blank/python\"", "/with blank/python", "'/with blank/python'"},
	{"a\\ b c", "a b|c", "'a b' c"},
	{"a\"b c\"'d e'f ''", "ab cd ef|", "'ab cd ef' ''"},
	{"\"it's \\\"so\\\" \\\\ \\n\"", "it's \"so\" \\ \\n", "'it'\\''s \"so\" \\ \\n'"},
	{"'a\\'", "a\\", NULL},
	{"sh -c 'exec python \"$@\"' sh", "sh|-c|exec python \"$@\"|sh", NULL},
	{"", NULL, NULL},
	{"  ", NULL, NULL},
	{"a 'b", NULL, NULL},
	{"a \"b", NULL, NULL},
};

START_TEST(words)
{
	struct strv got = STRV_INIT, again = STRV_INIT;
	struct err err = ERR_INIT;
	int r = argv_split(rows[_i].text, &got, &err);
	char *joined, *text;

	ck_assert_int_eq(r, rows[_i].words ? 0 : -EINVAL);
	if (r < 0) {
		ck_assert_uint_eq(got.count, 0);
		ck_assert_str_ne(err.text, "");
		return;
	}
	joined = strv_join(&got, "|");
	ck_assert_str_eq(joined, rows[_i].words);
	text = argv_format(&got);
	ck_assert_str_eq(text, rows[_i].again ? rows[_i].again : rows[_i].text);
	ck_assert_int_eq(argv_split(text, &again, NULL), 0);
	ck_assert(strv_equal(&again, &got));
	free(joined);
	free(text);
	strv_finish(&got);
	strv_finish(&again);
}
END_TEST

/* What a user has written: the name of a file with blanks needs no quotes. */
START_TEST(file_with_blanks)
{
	char *directory = unit_directory();
	char *path = unit_file(directory, "my python", "", 0);
	char *more = xasprintf("%s -s", path);
	struct strv got = STRV_INIT;

	ck_assert_int_eq(chmod(path, 0700), 0);
	ck_assert_int_eq(argv_read(path, &got, NULL), 0);
	ck_assert_uint_eq(got.count, 1);
	ck_assert_str_eq(got.item[0], path);
	strv_finish(&got);
	ck_assert_int_eq(argv_read(more, &got, NULL), 0);
	ck_assert_uint_eq(got.count, 3);
	strv_finish(&got);
	setenv("HOME", directory, 1);
	ck_assert_int_eq(argv_read("env '~/my python' -c ~", &got, NULL), 0);
	ck_assert_uint_eq(got.count, 4);
	ck_assert_str_eq(got.item[1], path);
	ck_assert_str_eq(got.item[3], directory);
	strv_finish(&got);
	free(directory);
	free(path);
	free(more);
}
END_TEST

START_TEST(files_in_path)
{
	char *first = unit_directory(), *second = unit_directory();
	char *a = unit_file(first, "python3", "", 0), *b = unit_file(second, "python3", "", 0);
	char *plain = unit_file(first, "data", "", 0);
	char *same = xasprintf("%s/python4", first);
	char *path = xasprintf("relative::%s:%s:%s", first, second, first);
	char *found;
	struct strv got = STRV_INIT;

	ck_assert_int_eq(chmod(a, 0700), 0);
	ck_assert_int_eq(chmod(b, 0700), 0);
	ck_assert_int_eq(chmod(plain, 0600), 0);
	ck_assert_int_eq(link(a, same), 0);
	program_list(path, "python3", &got);
	ck_assert_uint_eq(got.count, 2);
	ck_assert_str_eq(got.item[0], a);
	ck_assert_str_eq(got.item[1], b);
	program_list(path, "python4", &got); /* the same file by another name */
	program_list(path, "data", &got);
	ck_assert_uint_eq(got.count, 2);
	found = program_find(path, "python3");
	ck_assert_str_eq(found, a);
	free(found);
	found = program_find(path, "nowhere-to-be-found");
	ck_assert_str_eq(found, "nowhere-to-be-found");
	free(found);
	found = program_find(path, "./python3");
	ck_assert_str_eq(found, "./python3");
	free(found);
	strv_finish(&got);
	free(first);
	free(second);
	free(a);
	free(b);
	free(plain);
	free(same);
	free(path);
}
END_TEST

static const struct {
	const char *text, *quoted;
} quotes[] = {
	{"", "''"},
	{"plain", "'plain'"},
	{"two words", "'two words'"},
	{"$HOME `id` \\ \" * ~ # ! & ; \n", "'$HOME `id` \\ \" * ~ # ! & ; \n'"},
	{"it's", "'it'\\''s'"},
	{"'", "''\\'''"},
	{"'''", "''\\'''\\'''\\'''"},
	{"-n", "'-n'"},
	{"caf\xc3\xa9 \xff", "'caf\xc3\xa9 \xff'"},
};

START_TEST(quote)
{
	char *quoted = shell_quote(quotes[_i].text);

	ck_assert_str_eq(quoted, quotes[_i].quoted);
	free(quoted);
}
END_TEST

/* What a shell makes of the quoted text is the text. */
START_TEST(quote_for_a_shell)
{
	static const char *const shells[] = {"/bin/sh", "/bin/bash"};
	char *quoted = shell_quote(quotes[_i].text);
	char *command = xasprintf("printf %%s %s", quoted);

	for (size_t i = 0; i < LENGTH(shells); i++) {
		char got[256] = "";
		size_t used = 0;
		int ends[2], status;
		ssize_t n;
		pid_t pid;

		ck_assert_int_eq(pipe(ends), 0);
		pid = fork();
		ck_assert_int_ge(pid, 0);
		if (pid == 0) {
			dup2(ends[1], STDOUT_FILENO);
			execl(shells[i], shells[i], "-c", command, NULL);
			_exit(127);
		}
		close(ends[1]);
		while ((n = read(ends[0], got + used, sizeof(got) - 1 - used)) > 0)
			used += (size_t)n;
		close(ends[0]);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert_int_eq(status, 0);
		ck_assert_str_eq(got, quotes[_i].text);
	}
	free(command);
	free(quoted);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("argv");
	TCase *tcase = tcase_create("argv");

	tcase_add_loop_test(tcase, words, 0, LENGTH(rows));
	tcase_add_test(tcase, file_with_blanks);
	tcase_add_test(tcase, files_in_path);
	tcase_add_loop_test(tcase, quote, 0, LENGTH(quotes));
	tcase_add_loop_test(tcase, quote_for_a_shell, 0, LENGTH(quotes));
	suite_add_tcase(suite, tcase);
	return suite;
}
