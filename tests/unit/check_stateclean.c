/* check_stateclean.c: tests of daemon/io/stateclean.c: whose state goes, and whose stays. */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/host.h"
#include "daemon/io/stateclean.h"

#define NOW	  2000000000
#define DAY	  86400
#define RETENTION (14 * DAY)

static char *root;

static void setup(void)
{
	root = unit_directory();
}

static void teardown(void)
{
	free(root);
}

static void age(const char *path, int64_t seconds)
{
	struct timespec times[2] = {{NOW - seconds, 0}, {NOW - seconds, 0}};

	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void put(const char *path, const char *text, int64_t seconds)
{
	FILE *file = fopen(path, "we");

	ck_assert_msg(file != NULL, "%s", path);
	fputs(text, file);
	fclose(file);
	ck_assert_int_eq(chmod(path, 0600), 0);
	age(path, seconds);
}

#define in(directory, name) xasprintf("%s/" name, directory)

/* A state directory as dracod leaves it, of that age. */
static char *make(const char *name, int64_t seconds)
{
	static const char *const files[] = {"lock", "dracod.log", "events.jsonl", "slurm.json",
		"state.json.bad", "tls/a/key"};
	char *path = xasprintf("%s/%s", root, name);
	_cleanup_free_ char *tls = in(path, "tls"), *own = in(path, "tls/a"),
			    *link = in(path, "logs");

	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(mkdir(tls, 0700), 0);
	ck_assert_int_eq(mkdir(own, 0700), 0);
	ck_assert_int_eq(symlink("/nowhere", link), 0);
	age(link, seconds);
	for (size_t i = 0; i < LENGTH(files); i++) {
		_cleanup_free_ char *file = xasprintf("%s/%s", path, files[i]);

		put(file, "{}", seconds);
	}
	age(own, seconds);
	age(tls, seconds);
	age(path, seconds);
	return path;
}

static void check(const char *path, bool stays)
{
	ck_assert_int_eq(stateclean(root, NOW, RETENTION), !stays);
	ck_assert_int_eq(access(path, F_OK), stays ? 0 : -1);
}

static const struct {
	const char *name;
	int64_t age;
	bool stays;
} rows[] = {
	{"job-4711", 15 * DAY, false},
	{"job-4711_3", 15 * DAY, false},
	{"job-4711@slurm", 15 * DAY, false},
	{"job-4711", 13 * DAY, true},
	{"job-", 15 * DAY, true},
	{"job-x", 15 * DAY, true},
	{"job-1x", 15 * DAY, true},
	{"default", 15 * DAY, true},
	{"my-job-1", 15 * DAY, true},
};

START_TEST(names_and_ages)
{
	_cleanup_free_ char *path = make(rows[_i].name, rows[_i].age);

	check(path, rows[_i].stays);
}
END_TEST

START_TEST(newer_file)
{
	_cleanup_free_ char *path = make("job-1", 15 * DAY);
	_cleanup_free_ char *log = in(path, "dracod.log");

	age(log, 0);
	check(path, true);
}
END_TEST

START_TEST(foreign_file)
{
	_cleanup_free_ char *path = make("job-1", 15 * DAY);
	_cleanup_free_ char *file = in(path, "thesis.tex");

	put(file, "", 15 * DAY);
	age(path, 15 * DAY);
	check(path, true);
}
END_TEST

START_TEST(symbolic_link)
{
	_cleanup_free_ char *path = make("elsewhere", 15 * DAY);
	_cleanup_free_ char *link = in(root, "job-1");

	ck_assert_int_eq(symlink(path, link), 0);
	age(link, 15 * DAY);
	check(path, true);
}
END_TEST

START_TEST(locked)
{
	_cleanup_free_ char *path = make("job-1", 15 * DAY), *lock = in(path, "lock");
	_cleanup_close_ int fd = open(lock, O_RDWR | O_CLOEXEC);
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &whole), 0);
	check(path, true);
}
END_TEST

/* Left by a dracod that was killed with its job: on this host, and where nobody can tell. */
START_TEST(left)
{
	_cleanup_free_ char *path = make("job-1", 15 * DAY), *file = in(path, "daemon.json");
	_cleanup_free_ char *text = NULL;
	struct host here;

	host_get(&here);
	text = xasprintf("{\"host\": \"%s\", \"boot\": \"b\", \"pid\": 1, \"locks\": \"host\"}",
		_i ? "elsewhere" : here.name);
	put(file, text, 15 * DAY);
	age(path, 15 * DAY);
	check(path, _i);
}
END_TEST

START_TEST(no_root)
{
	_cleanup_free_ char *nowhere = in(root, "nowhere");

	ck_assert_int_eq(stateclean(nowhere, NOW, RETENTION), 0);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("stateclean");
	TCase *tcase = tcase_create("stateclean");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, names_and_ages, 0, LENGTH(rows));
	tcase_add_test(tcase, newer_file);
	tcase_add_test(tcase, foreign_file);
	tcase_add_test(tcase, symbolic_link);
	tcase_add_test(tcase, locked);
	tcase_add_loop_test(tcase, left, 0, 2);
	tcase_add_test(tcase, no_root);
	suite_add_tcase(suite, tcase);
	return suite;
}
