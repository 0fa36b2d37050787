/* check_log.c: tests of common/log.c: lines, the second file, and files that stay within bounds. */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/log.h"

static char *directory, *path, *also;

static void setup(void)
{
	directory = unit_directory();
	path = xasprintf("%s/main.log", directory);
	also = xasprintf("%s/also.log", directory);
}

static void teardown(void)
{
	log_close();
	free(directory);
	free(path);
	free(also);
}

static off_t size_of(const char *file)
{
	struct stat st;

	return stat(file, &st) == 0 ? st.st_size : -1;
}

static char *with_suffix(const char *file, const char *suffix)
{
	return xasprintf("%s%s", file, suffix);
}

START_TEST(two_files)
{
	struct err err = ERR_INIT;
	char *text;

	ck_assert_int_eq(log_open(path, LOG_LEVEL_INFO, &err), 0);
	log_info("one");
	ck_assert_int_eq(log_also(also, &err), 0);
	log_warning("two\nlines");
	log_info("job\r\033[2K\xc2\x9b 2026-01-01 forged");
	log_debug("not logged");
	ck_assert_int_eq(log_also(NULL, &err), 0);
	log_info("three");
	text = unit_read(also);
	ck_assert_ptr_nonnull(strstr(text, " warning: two lines\n"));
	ck_assert_ptr_nonnull(strstr(text, " job\\x0d\\x1b[2K\\u009b 2026-01-01 forged\n"));
	ck_assert_ptr_null(strstr(text, "one"));
	ck_assert_ptr_null(strstr(text, "three"));
	ck_assert_ptr_null(strstr(text, "not logged"));
	free(text);
	text = unit_read(path);
	ck_assert_ptr_nonnull(strstr(text, " one\n"));
	ck_assert_ptr_nonnull(strstr(text, " warning: two lines\n"));
	ck_assert_ptr_nonnull(strstr(text, " three\n"));
	free(text);
}
END_TEST

START_TEST(second_file_that_cannot_be)
{
	char *impossible = xasprintf("%s/no/such", directory);
	struct err err = ERR_INIT;
	char *text;

	ck_assert_int_eq(log_open(path, LOG_LEVEL_INFO, &err), 0);
	ck_assert_int_eq(log_also(impossible, &err), -ENOENT);
	unit_assert_err(&err, -ENOENT, impossible);
	log_info("goes on");
	text = unit_read(path);
	ck_assert_ptr_nonnull(strstr(text, "goes on"));
	free(text);
	free(impossible);
}
END_TEST

START_TEST(bounded)
{
	char *old = with_suffix(path, ".1"), *also_old = with_suffix(also, ".1");
	char *older = with_suffix(path, ".1.1"), *two = with_suffix(path, ".2");
	struct err err = ERR_INIT;
	char line[1000];

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	ck_assert_int_eq(log_open(path, LOG_LEVEL_INFO, &err), 0);
	ck_assert_int_eq(log_also(also, &err), 0);
	for (int i = 0; i < 10000; i++) { /* 10 MB: begun anew twice */
		log_info("%s %d", line, i);
		ck_assert_int_lt(size_of(path), LOG_SIZE_MAX + 2000);
	}
	ck_assert_int_ge(size_of(old), LOG_SIZE_MAX);
	ck_assert_int_lt(size_of(old), LOG_SIZE_MAX + 2000);
	ck_assert_int_ge(size_of(also_old), LOG_SIZE_MAX);
	ck_assert_int_gt(size_of(path), 0);
	ck_assert_int_eq(size_of(older), -1);
	ck_assert_int_eq(size_of(two), -1);
	free(old);
	free(also_old);
	free(older);
	free(two);
}
END_TEST

START_TEST(standard_error_goes_along)
{
	char *old = with_suffix(path, ".1");
	struct err err = ERR_INIT;
	char line[1000];
	int kept = dup(STDERR_FILENO);
	char *text;
	FILE *file;

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	file = fopen(path, "a");
	ck_assert_ptr_nonnull(file);
	dup2(fileno(file), STDERR_FILENO);
	fclose(file);
	ck_assert_int_eq(log_open(path, LOG_LEVEL_INFO, &err), 0);
	while (size_of(old) < 0)
		log_info("%s", line);
	dprintf(STDERR_FILENO, "from elsewhere\n");
	dup2(kept, STDERR_FILENO);
	close(kept);
	text = unit_read(path);
	ck_assert_str_eq(text, "from elsewhere\n");
	free(text);
	free(old);
}
END_TEST

START_TEST(reopened)
{
	char *moved = with_suffix(path, ".moved");
	struct err err = ERR_INIT;
	char *text;

	ck_assert_int_eq(log_open(path, LOG_LEVEL_INFO, &err), 0);
	ck_assert_int_eq(log_also(also, &err), 0);
	ck_assert_int_eq(rename(path, moved), 0);
	ck_assert_int_eq(unlink(also), 0);
	log_info("to the old one");
	ck_assert_int_eq(size_of(path), -1);
	ck_assert_int_eq(log_reopen(&err), 0);
	log_info("to the new one");
	text = unit_read(path);
	ck_assert_ptr_nonnull(strstr(text, "to the new one"));
	ck_assert_ptr_null(strstr(text, "to the old one"));
	free(text);
	text = unit_read(also);
	ck_assert_ptr_nonnull(strstr(text, "to the new one"));
	free(text);
	free(moved);
}
END_TEST

START_TEST(long_line)
{
	char *text = xcalloc(20001, 1);
	struct err err = ERR_INIT;
	char *read;

	memset(text, 'y', 20000);
	ck_assert_int_eq(log_open(path, LOG_LEVEL_INFO, &err), 0);
	log_info("%s", text);
	log_info("after");
	read = unit_read(path);
	ck_assert_uint_lt(strlen(read), 8192 + 100);
	ck_assert_ptr_nonnull(strstr(read, "y\n2"));
	ck_assert_ptr_nonnull(strstr(read, " after\n"));
	free(read);
	free(text);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("log");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, two_files);
	tcase_add_test(all, second_file_that_cannot_be);
	tcase_add_test(all, bounded);
	tcase_add_test(all, standard_error_goes_along);
	tcase_add_test(all, reopened);
	tcase_add_test(all, long_line);
	suite_add_tcase(suite, all);
	return suite;
}
