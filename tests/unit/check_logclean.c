/* check_logclean.c: tests of daemon/logclean.c: which log directories go, and which stay. */
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/host.h"
#include "daemon/logclean.h"

#define NOW	  2000000000
#define DAY	  86400
#define RETENTION (14 * DAY)

static char *base;

static void setup(void)
{
	base = unit_directory();
}

static void teardown(void)
{
	free(base);
}

static void age(const char *path, int64_t seconds)
{
	struct timespec times[2] = {{NOW - seconds, 0}, {NOW - seconds, 0}};

	ck_assert_int_eq(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static char *make(const char *name)
{
	char *path = xasprintf("%s/%s", base, name);

	ck_assert_int_eq(mkdir(path, 0700), 0);
	return path;
}

/* A file of an age; the directory gets that age, too. */
static void add(const char *directory, const char *name, const char *text, int64_t seconds)
{
	char *path = unit_file(directory, name, text, strlen(text));

	age(path, seconds);
	age(directory, seconds);
	free(path);
}

static struct logclean clean(void)
{
	struct err err = ERR_INIT;
	struct logclean done;

	ck_assert_msg(logclean(base, NOW, RETENTION, &done, &err) == 0, "%s", err.text);
	return done;
}

static void check_there(const char *path, bool there)
{
	struct stat st;

	ck_assert_msg((lstat(path, &st) == 0) == there, "%s", path);
}

START_TEST(old_ones_go)
{
	char *old = make("2020-01-01T00:00:00"), *empty = make("2020-01-02T00:00:00-3");
	char *young = make("2020-01-03T00:00:00"), *mixed = make("2020-01-04T00:00:00");
	struct logclean done;

	add(old, "job-1.log", "12345", 20 * DAY);
	add(old, "daemon.log", "123", 20 * DAY);
	age(empty, 20 * DAY);
	add(young, "job-1.log", "1", 13 * DAY);
	add(mixed, "job-1.log", "1", 13 * DAY);
	add(mixed, "job-2.log", "1", 20 * DAY); /* only what was written last counts */
	done = clean();
	ck_assert_int_eq(done.directories, 2);
	ck_assert_int_eq(done.files, 2);
	ck_assert_int_eq(done.bytes, 8);
	ck_assert_int_eq(done.failed, 0);
	check_there(old, false);
	check_there(empty, false);
	check_there(young, true);
	check_there(mixed, true);
	free(old);
	free(empty);
	free(young);
	free(mixed);
}
END_TEST

START_TEST(what_is_not_dracos_stays)
{
	static const char *const names[] = {"2020-01-01", "notes", "2020-01-01T00:00:00.bak"};
	char *foreign = make("2020-01-01T00:00:00"), *nested = make("2020-01-02T00:00:00");
	char *linked = make("2020-01-03T00:00:00"), *outside = make("outside");
	char *link = xasprintf("%s/2020-01-04T00:00:00", base);
	char *inner = xasprintf("%s/sub.log", nested);
	char *inner_link = xasprintf("%s/link.log", linked);
	struct logclean done;

	for (size_t i = 0; i < LENGTH(names); i++) {
		char *path = make(names[i]);

		add(path, "job-1.log", "1", 20 * DAY);
		free(path);
	}
	add(foreign, "thesis.tex", "1", 20 * DAY);
	ck_assert_int_eq(mkdir(inner, 0700), 0);
	age(inner, 20 * DAY);
	age(nested, 20 * DAY);
	add(outside, "precious.log", "1", 20 * DAY);
	ck_assert_int_eq(symlink("../outside/precious.log", inner_link), 0);
	age(inner_link, 20 * DAY);
	age(linked, 20 * DAY);
	ck_assert_int_eq(symlink("outside", link), 0);
	free(unit_file(base, "2020-01-05T00:00:00", "a file", 6));
	done = clean();
	ck_assert_int_eq(done.directories, 0);
	ck_assert_int_eq(done.files, 0);
	ck_assert_int_eq(done.foreign, 3);
	ck_assert_int_eq(done.failed, 0);
	check_there(foreign, true);
	check_there(inner, true);
	check_there(inner_link, true);
	check_there(link, true);
	free(foreign);
	free(nested);
	free(linked);
	free(outside);
	free(link);
	free(inner);
	free(inner_link);
}
END_TEST

static char *holder(const char *host, const char *boot, int pid)
{
	return xasprintf(
		"{\"host\":\"%s\",\"boot\":\"%s\",\"pid\":%d,\"name\":\"n\"}", host, boot, pid);
}

static void check_holder(char *text, int64_t seconds, bool stays)
{
	char *directory = make("2020-01-01T00:00:00");
	struct logclean done;

	add(directory, "lock", text, seconds);
	age(directory, 20 * DAY);
	done = clean();
	ck_assert_msg(done.in_use == stays, "%s", text);
	ck_assert_int_eq(done.directories, !stays);
	check_there(directory, stays);
	if (stays) {
		char *lock = xasprintf("%s/lock", directory);

		unlink(lock);
		rmdir(directory);
		free(lock);
	}
	free(text);
	free(directory);
}

START_TEST(holders)
{
	struct host here;

	host_get(&here);
	check_holder(holder(here.name, here.boot, (int)getpid()), 20 * DAY, true);
	check_holder(holder(here.name, "another boot", (int)getpid()), 20 * DAY, false);
	check_holder(holder(here.name, here.boot, 0), 20 * DAY, false);
	check_holder(holder(here.name, here.boot, -1), 20 * DAY, false);
	/* On another host the time of the lock has to tell; a lock that young keeps all the
	 * rest. */
	check_holder(holder("elsewhere", "x", 1), 20 * DAY, false);
	check_holder(xstrdup(""), 20 * DAY, false);
	check_holder(xstrdup("nonsense"), 20 * DAY, false);
}
END_TEST

START_TEST(another_hosts_sign_of_life)
{
	char *directory = make("2020-01-01T00:00:00");
	char *text = holder("elsewhere", "x", 1);
	struct err err = ERR_INIT;
	struct logclean done;

	/* A retention shorter than the signs are apart. */
	add(directory, "lock", text, 7 * LOGCLEAN_TOUCH_S);
	ck_assert_int_eq(logclean(base, NOW, 60, &done, &err), 0);
	ck_assert_int_eq(done.in_use, 1);
	check_there(directory, true);
	ck_assert_int_eq(logclean(base, NOW + 2 * LOGCLEAN_TOUCH_S, 60, &done, &err), 0);
	ck_assert_int_eq(done.directories, 1);
	check_there(directory, false);
	free(text);
	free(directory);
}
END_TEST

START_TEST(locked)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char *directory = make("2020-01-01T00:00:00");
	char *path = xasprintf("%s/lock", directory);
	struct logclean done;
	int fd;

	add(directory, "lock", "", 20 * DAY);
	fd = open(path, O_RDWR);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &lock), 0);
	done = clean();
	ck_assert_int_eq(done.in_use, 1);
	check_there(directory, true);
	close(fd);
	done = clean();
	ck_assert_int_eq(done.directories, 1);
	check_there(directory, false);
	free(directory);
	free(path);
}
END_TEST

START_TEST(no_base)
{
	char *missing = xasprintf("%s/missing", base);
	char *file = unit_file(base, "file", "x", 1);
	struct err err = ERR_INIT;
	struct logclean done;

	ck_assert_int_eq(logclean(missing, NOW, RETENTION, &done, &err), 0);
	ck_assert_int_eq(done.directories, 0);
	ck_assert_int_eq(logclean(file, NOW, RETENTION, &done, &err), -ENOTDIR);
	unit_assert_err(&err, -ENOTDIR, file);
	free(missing);
	free(file);
}
END_TEST

START_TEST(report)
{
	struct logclean done;

	ck_assert_int_eq(
		logclean_read("{\"directories\":3,\"files\":4,\"bytes\":5,\"in_use\":6,"
			      "\"foreign\":7,\"failed\":8,\"problem\":\"x: y\"}\n",
			&done),
		0);
	ck_assert_int_eq(done.directories, 3);
	ck_assert_int_eq(done.files, 4);
	ck_assert_int_eq(done.bytes, 5);
	ck_assert_int_eq(done.in_use, 6);
	ck_assert_int_eq(done.foreign, 7);
	ck_assert_int_eq(done.failed, 8);
	ck_assert_str_eq(done.problem, "x: y");
	ck_assert_int_eq(logclean_read("", &done), -EPROTO);
	ck_assert_int_eq(logclean_read("cannot open /x", &done), -EPROTO);
	ck_assert_int_eq(logclean_read("{}", &done), -EPROTO);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("logclean");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, old_ones_go);
	tcase_add_test(all, what_is_not_dracos_stays);
	tcase_add_test(all, holders);
	tcase_add_test(all, another_hosts_sign_of_life);
	tcase_add_test(all, locked);
	tcase_add_test(all, no_base);
	tcase_add_test(all, report);
	suite_add_tcase(suite, all);
	return suite;
}
