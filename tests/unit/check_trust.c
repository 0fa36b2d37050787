/* check_trust.c: tests of common/trust.c: whose directories, sockets and files are believed. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/trust.h"
#include "common/visible.h"

#define STRANGER 4711

static char *base, *above, *inner, *file, *socket_path;

static void setup(void)
{
	base = unit_directory();
	above = xasprintf("%s/above", base);
	inner = xasprintf("%s/inner", above);
	socket_path = xasprintf("%s/s", inner);
	ck_assert_int_eq(mkdir(above, 0755), 0);
	ck_assert_int_eq(mkdir(inner, 0700), 0);
	file = unit_file(inner, "f", "{\"a\": 1}", strlen("{\"a\": 1}"));
}

static void teardown(void)
{
	free(base);
	free(above);
	free(inner);
	free(file);
	free(socket_path);
}

static bool cannot_give_away(void)
{
	if (geteuid() == 0)
		return false;
	printf("only root can give something away: not tested\n");
	return true;
}

/* A bound socket; whoever calls listen(2) counts as its server. */
static int bind_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	ck_assert_msg(bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0, "%s: %s",
		path, strerror(errno));
	return fd;
}

static int look_at_directory(struct err *err)
{
	*err = (struct err)ERR_INIT;
	return trust_directory(inner, err);
}

START_TEST(a_directory_of_ours)
{
	struct err err;

	ck_assert_msg(look_at_directory(&err) == 0, "%s", err.text);
	ck_assert_int_eq(chmod(above, 0777 | S_ISVTX), 0); /* as /tmp */
	ck_assert_msg(look_at_directory(&err) == 0, "%s", err.text);
	ck_assert_int_eq(chmod(above, 0775), 0); /* a group of one user, or of a project */
	ck_assert_msg(look_at_directory(&err) == 0, "%s", err.text);
}
END_TEST

static const struct {
	const char *path;
	int code;
	const char *text;
} elsewhere[] = {
	{"/nonexistent/draco", -ENOENT, ""},
	{"/dev/null/draco", -ENOENT, ""},
	{"relative", -EINVAL, "relative"},
	{"", -EINVAL, "absolute"},
	{"/", -EPERM, "/ is open"},
	{"/dev/null", -ENOTDIR, "/dev/null is not a directory"},
	{"/proc/self/root/", -ENOTDIR, "link"},
	{"/usr/../usr", -EPERM, "/usr "},
};

START_TEST(other_paths)
{
	struct err err = ERR_INIT;

	ck_assert_int_eq(trust_directory(elsewhere[_i].path, &err), elsewhere[_i].code);
	ck_assert_msg(strstr(err.text, elsewhere[_i].text) != NULL, "%s", err.text);
	ck_assert_int_eq(trust_directory(elsewhere[_i].path, NULL), elsewhere[_i].code);
}
END_TEST

/* Whatever somebody else could have put there or can look into. */
START_TEST(open_directories)
{
	static const mode_t modes[] = {0710, 0701, 0740, 0704, 0720, 0702, 01777};
	struct err err;

	for (size_t i = 0; i < LENGTH(modes); i++) {
		ck_assert_int_eq(chmod(inner, modes[i]), 0);
		ck_assert_int_eq(look_at_directory(&err), -EPERM);
		unit_assert_err(&err, -EPERM, inner);
	}
	ck_assert_int_eq(chmod(inner, 0700), 0);
	ck_assert_int_eq(chmod(above, 0777), 0);
	ck_assert_int_eq(look_at_directory(&err), -EPERM);
	unit_assert_err(&err, -EPERM, above);
	unit_assert_err(&err, -EPERM, "0777");
}
END_TEST

START_TEST(directories_of_a_stranger)
{
	struct err err;

	if (cannot_give_away())
		return;
	ck_assert_int_eq(chown(inner, STRANGER, 0), 0);
	ck_assert_int_eq(look_at_directory(&err), -EPERM);
	unit_assert_err(&err, -EPERM, inner);
	unit_assert_err(&err, -EPERM, "uid 4711");
	ck_assert_int_eq(chown(inner, 0, 0), 0);
	ck_assert_int_eq(chown(above, STRANGER, 0), 0);
	ck_assert_int_eq(look_at_directory(&err), -EPERM);
	unit_assert_err(&err, -EPERM, above);
	unit_assert_err(&err, -EPERM, "uid 4711");
}
END_TEST

/* A home may be in a directory of whoever leads the project. */
START_TEST(a_home_below_a_stranger)
{
	_cleanup_free_ char *before = xstrdup(getenv("HOME")), *home = NULL, *state = NULL;
	struct err err;

	if (cannot_give_away())
		return;
	home = xasprintf("%s/home", above);
	state = xasprintf("%s/state", home);
	ck_assert_int_eq(mkdir(home, 0755), 0);
	ck_assert_int_eq(mkdir(state, 0700), 0);
	ck_assert_int_eq(chown(above, STRANGER, 0), 0);
	err = (struct err)ERR_INIT;
	ck_assert_int_eq(trust_directory(state, &err), -EPERM);
	unit_assert_err(&err, -EPERM, above);
	setenv("HOME", home, 1);
	err = (struct err)ERR_INIT;
	ck_assert_msg(trust_directory(state, &err) == 0, "%s", err.text);
	ck_assert_int_eq(look_at_directory(&err), 0); /* above it, too */
	ck_assert_int_eq(chown(home, STRANGER, 0), 0);
	err = (struct err)ERR_INIT;
	ck_assert_msg(trust_directory(state, &err) == 0, "%s", err.text);
	ck_assert_int_eq(chown(state, STRANGER, 0), 0);
	err = (struct err)ERR_INIT;
	ck_assert_int_eq(trust_directory(state, &err), -EPERM);
	setenv("HOME", before, 1);
}
END_TEST

START_TEST(links)
{
	char *link = xasprintf("%s/link", base), *behind = xasprintf("%s/inner", link);
	char *last = xasprintf("%s/last", base);
	struct err err = ERR_INIT;

	ck_assert_int_eq(symlink("../above", link), 0); /* not there */
	ck_assert_int_eq(trust_directory(behind, &err), -ENOENT);
	ck_assert_int_eq(unlink(link), 0);
	ck_assert_int_eq(symlink("./above/../above//", link), 0);
	ck_assert_msg(trust_directory(behind, &err) == 0, "%s", err.text);
	ck_assert_int_eq(unlink(link), 0);
	ck_assert_int_eq(symlink(above, link), 0);
	ck_assert_msg(trust_directory(behind, &err) == 0, "%s", err.text);
	ck_assert_int_eq(symlink(inner, last), 0);
	ck_assert_int_eq(trust_directory(last, &err), -ENOTDIR);
	unit_assert_err(&err, -ENOTDIR, "link");
	if (!cannot_give_away()) {
		ck_assert_int_eq(lchown(link, STRANGER, 0), 0);
		ck_assert_int_eq(trust_directory(behind, &err), -EPERM);
		unit_assert_err(&err, -EPERM, link);
		unit_assert_err(&err, -EPERM, "uid 4711");
	}
	ck_assert_int_eq(unlink(link), 0);
	ck_assert_int_eq(symlink("link", link), 0);
	ck_assert_int_eq(trust_directory(behind, &err), -ELOOP);
	unit_assert_err(&err, -ELOOP, link);
	free(link);
	free(behind);
	free(last);
}
END_TEST

START_TEST(a_socket_of_ours)
{
	struct err err = ERR_INIT;
	int fd, there;

	ck_assert_int_eq(trust_socket(socket_path, &err), -ENOENT);
	ck_assert_int_eq(trust_connect(socket_path, &err), -ENOENT);
	fd = bind_socket(socket_path);
	ck_assert_msg(trust_socket(socket_path, &err) == 0, "%s", err.text);
	ck_assert_int_eq(trust_connect(socket_path, &err), -ENOENT); /* nobody serves */
	ck_assert_int_eq(listen(fd, 4), 0);
	there = trust_connect(socket_path, &err);
	ck_assert_msg(there >= 0, "%s", err.text);
	close(there);
	ck_assert_int_eq(trust_connect(file, &err), -ENOTSOCK);
	unit_assert_err(&err, -ENOTSOCK, file);
	ck_assert_int_eq(trust_connect("s", NULL), -EINVAL);
	ck_assert_int_eq(trust_connect("/s", NULL), -EPERM);
	close(fd);
}
END_TEST

/* Each place in which a stranger may be: around the socket, at it and behind it. */
START_TEST(sockets_of_a_stranger)
{
	static const char *const what[] = {"above", "inner", "socket"};
	const char *const path[] = {above, inner, socket_path};
	struct err err = ERR_INIT;
	int fd;

	if (cannot_give_away())
		return;
	fd = bind_socket(socket_path);
	ck_assert_int_eq(listen(fd, 4), 0);
	for (size_t i = 0; i < LENGTH(path); i++) {
		ck_assert_int_eq(chown(path[i], STRANGER, 0), 0);
		ck_assert_msg(trust_connect(socket_path, &err) == -EPERM, "%s", what[i]);
		unit_assert_err(&err, -EPERM, path[i]);
		unit_assert_err(&err, -EPERM, "uid 4711");
		ck_assert_int_eq(chown(path[i], 0, 0), 0);
	}
	close(fd);
}
END_TEST

START_TEST(a_server_that_is_a_stranger)
{
	struct err err = ERR_INIT;
	int fd, ready[2], status;
	char byte = 0;
	pid_t pid;

	if (cannot_give_away())
		return;
	fd = bind_socket(socket_path);
	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		if (setuid(STRANGER) < 0 || listen(fd, 4) < 0 || write(ready[1], "r", 1) != 1)
			_exit(1);
		fd = accept(fd, NULL, NULL);
		_exit(read(fd, &byte, 1) == 0 ? 0 : 2); /* 2: something came */
	}
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	ck_assert_int_eq(trust_connect(socket_path, &err), -EPERM);
	unit_assert_err(&err, -EPERM, socket_path);
	unit_assert_err(&err, -EPERM, "uid 4711");
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	close(fd);
	close(ready[0]);
	close(ready[1]);
}
END_TEST

static int load(json_t **ret, struct err *err)
{
	*err = (struct err)ERR_INIT;
	return trust_load(file, ret, err);
}

static void put(const void *content, size_t length)
{
	free(file);
	file = unit_file(inner, "f", content, length);
}

START_TEST(a_file_of_ours)
{
	json_t *object = NULL;
	struct err err;

	ck_assert_msg(load(&object, &err) == 0, "%s", err.text);
	ck_assert_int_eq(json_integer_value(json_object_get(object, "a")), 1);
	json_decref(object);
	ck_assert_int_eq(trust_file(file, &err), 0);
	ck_assert_int_eq(chmod(file, 0644), 0);
	ck_assert_int_eq(trust_file(file, &err), 0);
	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(load(&object, &err), -ENOENT);
	ck_assert_int_eq(trust_file(file, &err), -ENOENT);
}
END_TEST

static void expect_refused(int code, const char *text)
{
	json_t *object = NULL;
	struct err err;

	ck_assert_int_eq(load(&object, &err), code);
	ck_assert_ptr_null(object);
	unit_assert_err(&err, code, file);
	unit_assert_err(&err, code, text);
	ck_assert_msg(visible_is_clean(err.text), "%s", err.text);
	ck_assert_int_eq(trust_load(file, &object, NULL), code);
}

/* Not even looked into, and never waited for. */
START_TEST(files_that_are_none_of_ours)
{
	char *aside = xasprintf("%s/aside", inner);

	ck_assert_int_eq(chmod(file, 0620), 0);
	expect_refused(-EPERM, "0620");
	ck_assert_int_eq(chmod(file, 0602), 0);
	expect_refused(-EPERM, "0602");
	ck_assert_int_eq(chmod(file, 0600), 0);
	if (!cannot_give_away()) {
		ck_assert_int_eq(chown(file, STRANGER, 0), 0);
		expect_refused(-EPERM, "uid 4711");
		ck_assert_int_eq(chown(file, 0, 0), 0);
	}
	ck_assert_int_eq(rename(file, aside), 0);
	ck_assert_int_eq(symlink(aside, file), 0);
	expect_refused(-EPERM, "link");
	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(mkfifo(file, 0600), 0);
	expect_refused(-EPERM, "regular");
	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(mkdir(file, 0700), 0);
	expect_refused(-EPERM, "regular");
	ck_assert_int_eq(rmdir(file), 0);
	close(bind_socket(file));
	expect_refused(-ENXIO, "cannot read");
	free(aside);
}
END_TEST

START_TEST(damaged_files)
{
	static const char *const texts[] = {"", "{", "[]", "7", "{\"a\": 1, \"a\": 2}",
		"{\"a\": \"\xff\"}", "{\x1b[2J\x9b", "{\"a\": \"\\u0000\"}", "{} {}",
		"{\"a\": 1e999}"};
	char *large = xcalloc(TRUST_FILE_MAX + 1, 1);

	for (size_t i = 0; i < LENGTH(texts); i++) {
		put(texts[i], strlen(texts[i]));
		expect_refused(-EBADMSG, "not as dracod writes it");
	}
	memset(large, '[', TRUST_FILE_MAX + 1);
	put(large, TRUST_FILE_MAX);
	expect_refused(-EBADMSG, "not as dracod writes it");
	memset(large, ' ', TRUST_FILE_MAX + 1);
	put(large, TRUST_FILE_MAX + 1);
	expect_refused(-EBADMSG, "larger than 64 KiB");
	ck_assert_int_eq(truncate(file, 1LL << 40), 0);
	expect_refused(-EBADMSG, "larger than 64 KiB");
	free(large);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("trust");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, a_directory_of_ours);
	tcase_add_loop_test(all, other_paths, 0, LENGTH(elsewhere));
	tcase_add_test(all, open_directories);
	tcase_add_test(all, directories_of_a_stranger);
	tcase_add_test(all, a_home_below_a_stranger);
	tcase_add_test(all, links);
	tcase_add_test(all, a_socket_of_ours);
	tcase_add_test(all, sockets_of_a_stranger);
	tcase_add_test(all, a_server_that_is_a_stranger);
	tcase_add_test(all, a_file_of_ours);
	tcase_add_test(all, files_that_are_none_of_ours);
	tcase_add_test(all, damaged_files);
	suite_add_tcase(suite, all);
	return suite;
}
