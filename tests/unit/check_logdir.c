/* check_logdir.c: tests of common/logdir.c. */
#include "unit.h"

#include <regex.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/logdir.h"

static char *directory;

static void setup(void)
{
	directory = unit_directory();
}

static void teardown(void)
{
	free(directory);
}

static void check_log_directory(const char *path, const char *base)
{
	char *pattern = xasprintf(
		"^%s/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9]{2}(-[0-9]+)?$", base);
	struct stat st;
	regex_t regex;

	ck_assert_int_eq(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	ck_assert_msg(regexec(&regex, path, 0, NULL, 0) == 0, "%s", path);
	regfree(&regex);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode, S_IFDIR | 0700);
	free(pattern);
}

START_TEST(make)
{
	mode_t mask = umask(0);
	char *base = xasprintf("%s/a/b", directory), *path = NULL;
	struct err err = ERR_INIT;

	ck_assert_msg(logdir_make(base, &path, &err) == 0, "%s", err.text);
	check_log_directory(path, base);
	free(path);
	umask(mask);
	free(base);
}
END_TEST

START_TEST(make_below_home)
{
	char *base = xasprintf("%s/.draco_logs", directory), *path = NULL;

	setenv("HOME", directory, 1);
	ck_assert_int_eq(logdir_make("~/.draco_logs", &path, NULL), 0);
	check_log_directory(path, base);
	free(path);
	free(base);
}
END_TEST

/* In the same second: a number behind it, from 2. */
START_TEST(make_many)
{
	char *paths[5] = {NULL};
	bool same = false;

	for (int tries = 0; !same && tries < 100; tries++) {
		for (size_t i = 0; i < LENGTH(paths); i++) {
			free(paths[i]);
			paths[i] = NULL;
			ck_assert_int_eq(logdir_make(directory, &paths[i], NULL), 0);
			check_log_directory(paths[i], directory);
			for (size_t j = 0; j < i; j++)
				ck_assert_str_ne(paths[i], paths[j]);
		}
		same = strncmp(paths[4], paths[0], strlen(directory) + 20) == 0 &&
			!paths[0][strlen(directory) + 20];
	}
	ck_assert(same);
	for (size_t i = 1; i < LENGTH(paths); i++) {
		char *expected = xasprintf("%s-%zu", paths[0], i + 1);

		ck_assert_str_eq(paths[i], expected);
		free(expected);
	}
	for (size_t i = 0; i < LENGTH(paths); i++)
		free(paths[i]);
}
END_TEST

/* All names of this second and the next ones are taken. */
START_TEST(make_too_many)
{
	char untouched[] = "untouched", *path = untouched, stamp[32];
	struct err err = ERR_INIT;
	time_t now = time(NULL);
	int r;

	for (int second = 0; second < 20; second++, now++)
		for (int i = 1; i < 100; i++) {
			struct tm local;
			char *taken;

			localtime_r(&now, &local);
			strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H-%M-%S", &local);
			taken = i == 1 ? xasprintf("%s/%s", directory, stamp)
				       : xasprintf("%s/%s-%d", directory, stamp, i);
			ck_assert_int_eq(mkdir(taken, 0700), 0);
			free(taken);
		}
	r = logdir_make(directory, &path, &err);
	ck_assert_int_eq(r, -EEXIST);
	unit_assert_err(&err, -EEXIST, directory);
	ck_assert_ptr_eq(path, untouched);
}
END_TEST

static const struct {
	const char *base;
	const char *texts[2]; /* in the error */
} bases[] = {
	{"", {"must begin with", "\"/\""}},
	{"logs", {"logs", "must begin with"}},
	{"./logs", {"./logs", "must begin with"}},
	{"~other/logs", {"~other/logs", "must begin with"}},
	{"/tmp/%j", {"/tmp/%j", "%"}},
	{"/tmp/a\\b", {"/tmp/a\\b", "\\"}},
	{"/proc/draco/logs", {"/proc/draco", "cannot create"}},
	{"/dev/null", {"/dev/null", "log_directory"}},
	{"/dev/null/logs", {"/dev/null", "log_directory"}},
};

START_TEST(make_refuses)
{
	char untouched[] = "untouched", *path = untouched;
	struct err err = ERR_INIT;
	int r = logdir_make(bases[_i].base, &path, &err);

	ck_assert_msg(r < 0, "%s: %d", bases[_i].base, r);
	unit_assert_err(&err, r, "log_directory");
	for (size_t i = 0; i < LENGTH(bases[0].texts); i++)
		unit_assert_err(&err, r, bases[_i].texts[i]);
	ck_assert_int_eq(logdir_make(bases[_i].base, &path, NULL), r);
	ck_assert_ptr_eq(path, untouched);
}
END_TEST

static const struct {
	const char *content;
	size_t length; /* 0: as far as the NUL */
	int lines;
	const char *tail; /* NULL: none */
} tails[] = {
	{"one\ntwo\nthree\n", 0, 5, "one\ntwo\nthree"},
	{"one\ntwo\nthree\n", 0, 3, "one\ntwo\nthree"},
	{"one\ntwo\nthree\n", 0, 2, "two\nthree"},
	{"one\ntwo\nthree\n", 0, 1, "three"},
	{"one\ntwo\nthree", 0, 1, "three"},
	{"one\ntwo\nthree", 0, 2, "two\nthree"},
	{"one\ntwo\nthree\n", 0, 0, NULL},
	{"one\n\n\nfour\n", 0, 3, "\n\nfour"},
	{"one\n\n\n", 0, 1, "one"},
	{"\n\none\n", 0, 20, "\n\none"},
	{"  indented\n", 0, 20, "  indented"},
	{"tab\there\n", 0, 20, "tab\there"},
	{"carriage\rreturn\r\n", 0, 20, "carriage?return"},
	{"\x1b[31mred\x1b[0m \x07\x7f\n", 0, 20, "?[31mred?[0m ??"},
	{"a\0b\nc\0d\n", 8, 20, "a?b\nc?d"},
	{"a\0b\nc\0d\n", 8, 1, "c?d"},
	{"caf\xc3\xa9\n", 0, 20, "caf\xc3\xa9"},
	{"", 0, 20, NULL},
	{"\n", 0, 20, NULL},
	{" \n\t\r\n", 0, 20, NULL},
};

START_TEST(tail)
{
	size_t length = tails[_i].length ? tails[_i].length : strlen(tails[_i].content);
	char *path = unit_file(directory, "log", tails[_i].content, length);
	char *text = logdir_tail(path, tails[_i].lines);

	ck_assert_pstr_eq(text, tails[_i].tail);
	free(text);
	free(path);
}
END_TEST

/* Only the last 8 KiB, however long the lines and however many are asked for. */
START_TEST(tail_of_long_files)
{
	size_t length = 100000;
	char *content = malloc(length), *path, *text;

	for (size_t i = 0; i < length; i++)
		content[i] = (char)('a' + i % 23);
	path = unit_file(directory, "log", content, length);
	text = logdir_tail(path, 20);
	ck_assert_uint_eq(strlen(text), 8192);
	ck_assert_int_eq(memcmp(text, content + length - 8192, 8192), 0);
	free(text);
	free(path);
	for (size_t i = 0; i < length; i += 10)
		content[i] = '\n';
	path = unit_file(directory, "log", content, length);
	text = logdir_tail(path, 3);
	ck_assert_uint_eq(strlen(text), 29);
	ck_assert_int_eq(memcmp(text, content + length - 29, 29), 0);
	free(text);
	text = logdir_tail(path, 1000000);
	ck_assert_uint_le(strlen(text), 8192);
	free(text);
	free(path);
	free(content);
}
END_TEST

START_TEST(tail_of_no_file)
{
	char *path = xasprintf("%s/none", directory), *pipe = xasprintf("%s/pipe", directory);
	char *link = xasprintf("%s/link", directory);

	ck_assert_ptr_null(logdir_tail(path, 20));
	ck_assert_ptr_null(logdir_tail(directory, 20));
	ck_assert_int_eq(mkfifo(pipe, 0600), 0);
	ck_assert_ptr_null(logdir_tail(pipe, 20)); /* at once */
	ck_assert_int_eq(symlink("link", link), 0);
	ck_assert_ptr_null(logdir_tail(link, 20));
	ck_assert_ptr_null(logdir_tail("/dev/zero", 20));
	free(path);
	free(pipe);
	free(link);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("logdir");
	TCase *make_case = tcase_create("make"), *tail_case = tcase_create("tail");

	tcase_add_checked_fixture(make_case, setup, teardown);
	tcase_add_test(make_case, make);
	tcase_add_test(make_case, make_below_home);
	tcase_add_test(make_case, make_many);
	tcase_add_test(make_case, make_too_many);
	tcase_add_loop_test(make_case, make_refuses, 0, LENGTH(bases));
	suite_add_tcase(suite, make_case);
	tcase_add_checked_fixture(tail_case, setup, teardown);
	tcase_add_loop_test(tail_case, tail, 0, LENGTH(tails));
	tcase_add_test(tail_case, tail_of_long_files);
	tcase_add_test(tail_case, tail_of_no_file);
	suite_add_tcase(suite, tail_case);
	return suite;
}
