/* check_statefile.c: tests of daemon/io/statefile.c. */
#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "daemon/io/statefile.h"

static int syncs, sync_failure; /* calls of fsync(); what it shall fail with */
static char *directory, *path, *temporary, *bad;

static void setup(void)
{
	syncs = sync_failure = 0; /* without a process for each test */
	directory = unit_directory();
	path = xasprintf("%s/state.json", directory);
	temporary = xasprintf("%s.new", path);
	bad = xasprintf("%s.bad", path);
}

static void teardown(void)
{
	free(directory);
	free(path);
	free(temporary);
	free(bad);
}

/* In place of libc's: what is written must be there, and not yet have its name. */
int fsync(int fd)
{
	struct stat st;

	syncs++;
	if (sync_failure) {
		errno = sync_failure;
		return -1;
	}
	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_gt(st.st_size, 0);
	ck_assert_int_eq(access(temporary, F_OK), 0);
	return 0;
}

static bool exists(const char *file)
{
	return access(file, F_OK) == 0;
}

static void check_number(json_int_t expected)
{
	json_t *object = statefile_read(path);

	ck_assert(json_is_object(object));
	ck_assert_int_eq(json_integer_value(json_object_get(object, "number")), expected);
	json_decref(object);
}

/* Write {number}, checking that the object was taken over whatever came of it. */
static int write_number(json_int_t number, struct err *err)
{
	json_t *object = json_pack("{s:I, s:s}", "number", number, "text", "caf\xc3\xa9\n\"");
	int r;

	json_incref(object);
	r = statefile_write(path, object, err);
	ck_assert_uint_eq(object->refcount, 1);
	json_decref(object);
	return r;
}

START_TEST(write_and_read)
{
	mode_t mask = umask(0);
	struct err err = ERR_INIT;
	struct stat st;

	for (int i = 0; i < 3; i++) {
		ck_assert_msg(write_number(i, &err) == 0, "%s", err.text);
		check_number(i);
		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert_uint_eq(st.st_mode, S_IFREG | 0600);
		ck_assert(!exists(temporary));
	}
	umask(mask);
}
END_TEST

START_TEST(nothing_there)
{
	ck_assert_ptr_null(statefile_read(path));
	ck_assert(!exists(path) && !exists(bad));
}
END_TEST

static const struct {
	const char *content;
	size_t length;
} contents[] = {
	{"", 0}, {"\n", 1}, {"{", 1}, {"{\"number\": 1", 12}, {"{\"number\": 1}x", 14},
	{"{\"number\": 1}\0", 14}, {"{} {}", 5}, {"[]", 2}, {"7", 1}, {"null", 4},
	{"\xff\xfe", 2}, {"{\"number\": \"\xff\"}", 15},
	{"\0\0\0\0\0\0\0\0", 8}, /* as after a crash of the whole machine */
};

START_TEST(bad_content)
{
	char *content;
	struct stat st;

	free(unit_file(directory, "state.json", contents[_i].content, contents[_i].length));
	ck_assert_ptr_null(statefile_read(path));
	ck_assert(!exists(path));
	content = unit_read(bad);
	ck_assert_int_eq(stat(bad, &st), 0);
	ck_assert_int_eq(st.st_size, (off_t)contents[_i].length);
	ck_assert_int_eq(memcmp(content, contents[_i].content, contents[_i].length), 0);
	free(content);
	/* The next state is written and read as always. */
	ck_assert_int_eq(write_number(5, NULL), 0);
	check_number(5);
}
END_TEST

/* What cannot be read at this moment may be good: it stays where it is. */
START_TEST(no_descriptor_left)
{
	struct rlimit limit, none;

	ck_assert_int_eq(write_number(7, NULL), 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_ptr_null(statefile_read(path));
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert(!exists(bad));
	check_number(7);
}
END_TEST

START_TEST(no_space_left)
{
	struct rlimit limit, none;
	struct err err = ERR_INIT;
	json_t *object = json_object();
	int r;

	ck_assert_int_eq(write_number(7, NULL), 0);
	json_object_set_new(object, "number", json_integer(8));
	for (int i = 0; i < 1000; i++) {
		char name[32];

		snprintf(name, sizeof(name), "filler of the file %d", i);
		json_object_set_new(object, name, json_true());
	}
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	none = limit;
	none.rlim_cur = 4096;
	setrlimit(RLIMIT_FSIZE, &none);
	r = statefile_write(path, object, &err); /* no assertion before this is undone */
	setrlimit(RLIMIT_FSIZE, &limit);
	signal(SIGXFSZ, SIG_DFL);
	ck_assert_int_eq(r, -EFBIG);
	unit_assert_err(&err, -EFBIG, path);
	ck_assert(!exists(temporary));
	check_number(7);
}
END_TEST

/* On the disk before it takes the place of the old one. */
START_TEST(written_to_the_disk)
{
	struct err err = ERR_INIT;

	ck_assert_int_eq(write_number(7, NULL), 0);
	ck_assert_int_eq(syncs, 1);
	sync_failure = EIO;
	ck_assert_int_eq(write_number(8, &err), -EIO);
	unit_assert_err(&err, -EIO, path);
	ck_assert_int_eq(syncs, 2);
	sync_failure = 0;
	ck_assert(!exists(temporary));
	check_number(7);
}
END_TEST

START_TEST(places_that_cannot_be_written)
{
	struct err err = ERR_INIT;

	/* a directory in its place */
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_lt(write_number(1, &err), 0);
	unit_assert_err(&err, err.code, path);
	ck_assert_int_eq(write_number(1, NULL), err.code);
	ck_assert(exists(path) && !exists(temporary));
	/* no directory around it */
	free(path);
	path = xasprintf("%s/none/state.json", directory);
	ck_assert_int_eq(write_number(1, &err), -ENOENT);
	unit_assert_err(&err, -ENOENT, path);
}
END_TEST

/* What was left behind, or laid out, under the temporary name does no harm. */
START_TEST(old_temporary_files)
{
	char *victim = unit_file(directory, "victim", "precious", 8), *content;
	struct stat st;

	ck_assert_int_eq(symlink("victim", temporary), 0);
	ck_assert_int_eq(write_number(1, NULL), 0);
	content = unit_read(victim);
	ck_assert_str_eq(content, "precious");
	free(content);
	free(unit_file(directory, "state.json.new", "half", 4));
	ck_assert_int_eq(chmod(temporary, 0666), 0);
	ck_assert_int_eq(write_number(2, NULL), 0);
	check_number(2);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode, S_IFREG | 0600);
	free(victim);
}
END_TEST

START_TEST(no_json_to_write)
{
	struct err err = ERR_INIT;

	ck_assert_int_eq(write_number(7, NULL), 0);
	ck_assert_int_lt(statefile_write(path, NULL, &err), 0);
	ck_assert(!exists(temporary));
	check_number(7);
}
END_TEST

static void write_for_ever(void)
{
	for (int i = 0;; i++) {
		json_t *object = json_pack("{s:i}", "number", i);
		char name[32];

		for (int j = 0; j < 300; j++) {
			snprintf(name, sizeof(name), "filler %d of %d", j, i);
			json_object_set_new(object, name, json_integer(i));
		}
		if (statefile_write(path, object, NULL) < 0)
			_exit(1);
	}
}

/* Read while another process writes, which is killed at last: whole each time, and then. */
START_TEST(whole_at_every_moment)
{
	for (int round = 0; round < unit_rounds(20); round++) {
		int status, seen = 0;
		pid_t pid = fork();

		ck_assert_int_ge(pid, 0);
		if (pid == 0)
			write_for_ever();
		while (seen < 10 * round + 2) {
			json_t *object = statefile_read(path);

			if (object)
				unit_require(json_object_size(object) == 301);
			else
				unit_require(round == 0 && seen == 0);
			seen += object != NULL;
			json_decref(object);
		}
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFSIGNALED(status));
		ck_assert(!exists(bad));
	}
	ck_assert_int_eq(write_number(9, NULL), 0);
	check_number(9);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("statefile");
	TCase *tcase = tcase_create("statefile");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, write_and_read);
	tcase_add_test(tcase, nothing_there);
	tcase_add_loop_test(tcase, bad_content, 0, LENGTH(contents));
	tcase_add_test(tcase, no_descriptor_left);
	tcase_add_test(tcase, no_space_left);
	tcase_add_test(tcase, written_to_the_disk);
	tcase_add_test(tcase, places_that_cannot_be_written);
	tcase_add_test(tcase, old_temporary_files);
	tcase_add_test(tcase, no_json_to_write);
	tcase_add_test(tcase, whole_at_every_moment);
	suite_add_tcase(suite, tcase);
	return suite;
}
