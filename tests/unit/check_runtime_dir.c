/* check_runtime_dir.c: tests of common/runtime_dir.c: where sockets are made, whatever is in
 * the way. */
#include "unit.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/runtime_dir.h"
#include "common/sock.h"

#define NOBODY 65534

static char *home, *run, *temporary; /* run and temporary are in home */
static char *name;		     /* of the cluster: in /tmp it must be nobody else's */
static struct runtime_dir found;
static struct err err;

static void setup(void)
{
	home = unit_directory();
	run = xasprintf("%s/run", home);
	temporary = xasprintf("%s/tmp", home);
	name = xasprintf("u%d", (int)getpid());
	ck_assert_int_eq(mkdir(run, 0700), 0);
	ck_assert_int_eq(mkdir(temporary, 0700), 0);
	ck_assert_int_eq(chmod(temporary, 01777), 0);
	setenv("XDG_RUNTIME_DIR", run, 1);
	setenv("TMPDIR", temporary, 1);
	found = (struct runtime_dir){0};
	err = (struct err)ERR_INIT;
}

static void teardown(void)
{
	if (found.base)
		runtime_dir_remove(&found, name);
	runtime_dir_finish(&found);
	free(home);
	free(run);
	free(temporary);
	free(name);
}

static void choose(const char *former)
{
	struct stat st;
	char *path;

	runtime_dir_finish(&found);
	ck_assert_msg(runtime_dir_choose(name, former, &found, &err) == 0, "%s", err.text);
	path = xasprintf("%s/%s", found.base, name);
	ck_assert_int_eq(lstat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode, S_IFDIR | 0700);
	ck_assert_int_eq(lstat(found.base, &st), 0);
	ck_assert_uint_eq(st.st_mode, S_IFDIR | 0700);
	free(path);
}

static char *in(const char *directory, const char *rest)
{
	return xasprintf("%s/%s", directory, rest);
}

static char *common_name(const char *directory)
{
	return xasprintf("%s/draco-%u", directory, (unsigned)geteuid());
}

/* It is directory/draco-UID-XXXXXX, which it was not before. */
static void check_private(const char *directory)
{
	char *prefix = common_name(directory);

	ck_assert_msg(found.private, "%s is not private", found.base);
	ck_assert_int_eq(strncmp(found.base, prefix, strlen(prefix)), 0);
	ck_assert_uint_eq(strlen(found.base), strlen(prefix) + strlen("-XXXXXX"));
	ck_assert_int_eq(found.base[strlen(prefix)], '-');
	free(prefix);
}

static void check_base(const char *directory, const char *rest)
{
	char *expected = rest ? in(directory, rest) : common_name(directory);

	ck_assert_str_eq(found.base, expected);
	ck_assert(!found.private);
	free(expected);
}

START_TEST(the_first)
{
	char *slashes = xasprintf("%s//", run);

	for (int i = 0; i < 2; i++) {
		choose(NULL);
		check_base(run, "draco");
		ck_assert_str_eq(found.why, "");
	}
	setenv("XDG_RUNTIME_DIR", slashes, 1);
	choose(NULL);
	check_base(run, "draco");
	free(slashes);
}
END_TEST

/* What can be wrong with XDG_RUNTIME_DIR; whatever it is, it is no error, and nothing is
 * changed there. */
enum wrong {
	NOT_SET,
	EMPTY,
	RELATIVE,
	MISSING,
	A_FILE,
	A_LINK,
	OPEN_TO_GROUP,
	OPEN_TO_ALL,
	OTHERS,
	READ_ONLY,
	TOO_LONG,
	BELOW_A_FILE,
	BELOW_A_LINK,
	BELOW_OPEN,
	BELOW_OTHERS,
	NAME_OPEN,
	NAME_OTHERS,
	WRONG_COUNT
};

static const char *const reasons[WRONG_COUNT] = {
	[NOT_SET] = "XDG_RUNTIME_DIR is not set",
	[EMPTY] = "XDG_RUNTIME_DIR is not set",
	[RELATIVE] = "XDG_RUNTIME_DIR is not an absolute path",
	[MISSING] = "/run is not there",
	[A_FILE] = "/run is not a directory",
	[A_LINK] = "/run is a link, not a directory",
	[OPEN_TO_GROUP] = "/run is open to other users (mode 0750)",
	[OPEN_TO_ALL] = "/run is open to other users (mode 0701)",
	[OTHERS] = "/run belongs to another user (uid 65534)",
	[READ_ONLY] = "Permission denied",
	[TOO_LONG] = "and a socket may have 107",
	[BELOW_A_FILE] = "/run/draco is not a directory",
	[BELOW_A_LINK] = "/run/draco is a link, not a directory",
	[BELOW_OPEN] = "/run/draco is open to other users (mode 0755)",
	[BELOW_OTHERS] = "/run/draco belongs to another user (uid 65534)",
	[NAME_OPEN] = "is open to other users (mode 0777)",
	[NAME_OTHERS] = "belongs to another user (uid 65534)",
};

static void touch(const char *path)
{
	ck_assert_int_eq(mknod(path, S_IFREG | 0600, 0), 0);
}

static void spoil(enum wrong wrong)
{
	char *below = in(run, "draco"), *named = xasprintf("%s/draco/%s", run, name);
	char *aside = in(home, "aside"), *text = xasprintf("%s/%0*d", home, 100, 0);

	if (wrong >= BELOW_OPEN)
		ck_assert_int_eq(mkdir(below, 0700), 0);
	if (wrong >= NAME_OPEN)
		ck_assert_int_eq(mkdir(named, 0700), 0);
	switch (wrong) {
	case NOT_SET:
		unsetenv("XDG_RUNTIME_DIR");
		break;
	case EMPTY:
		setenv("XDG_RUNTIME_DIR", "", 1);
		break;
	case RELATIVE:
		setenv("XDG_RUNTIME_DIR", "run", 1);
		break;
	case MISSING:
	case A_FILE:
	case A_LINK:
		ck_assert_int_eq(rename(run, aside), 0);
		if (wrong == A_FILE)
			touch(run);
		else if (wrong == A_LINK)
			ck_assert_int_eq(symlink(aside, run), 0);
		break;
	case OPEN_TO_GROUP:
		ck_assert_int_eq(chmod(run, 0750), 0);
		break;
	case OPEN_TO_ALL:
		ck_assert_int_eq(chmod(run, 0701), 0);
		break;
	case OTHERS:
		ck_assert_int_eq(chown(run, NOBODY, NOBODY), 0);
		break;
	case READ_ONLY:
		ck_assert_int_eq(chmod(run, 0500), 0);
		break;
	case TOO_LONG:
		ck_assert_int_eq(mkdir(text, 0700), 0);
		setenv("XDG_RUNTIME_DIR", text, 1);
		break;
	case BELOW_A_FILE:
		touch(below);
		break;
	case BELOW_A_LINK:
		ck_assert_int_eq(symlink(aside, below), 0);
		break;
	case BELOW_OPEN:
		ck_assert_int_eq(chmod(below, 0755), 0);
		break;
	case BELOW_OTHERS:
		ck_assert_int_eq(chown(below, NOBODY, NOBODY), 0);
		break;
	case NAME_OPEN:
		ck_assert_int_eq(chmod(named, 0777), 0);
		break;
	default:
		ck_assert_int_eq(chown(named, NOBODY, NOBODY), 0);
	}
	free(below);
	free(named);
	free(aside);
	free(text);
}

static bool needs_root(enum wrong wrong)
{
	return wrong == OTHERS || wrong == BELOW_OTHERS || wrong == NAME_OTHERS;
}

START_TEST(wrong_runtime_directory)
{
	enum wrong wrong = (enum wrong)_i;

	if (wrong == READ_ONLY ? geteuid() == 0 : needs_root(wrong) && geteuid() != 0) {
		printf("not tested as this user: %s\n", reasons[wrong]);
		return;
	}
	spoil(wrong);
	choose(NULL);
	check_base(temporary, NULL);
	ck_assert_msg(strstr(found.why, reasons[wrong]) != NULL, "%s", found.why);
	ck_assert_int_eq(strncmp(found.why, "XDG_RUNTIME_DIR", 15), 0);
}
END_TEST

/* The name in the temporary directory is taken: by a file, a link, somebody else, or it is open. */
START_TEST(taken)
{
	char *path = common_name(temporary), *socket, *former;

	unsetenv("XDG_RUNTIME_DIR");
	if (_i == 0)
		touch(path);
	else if (_i == 1)
		ck_assert_int_eq(symlink(run, path), 0);
	else
		ck_assert_int_eq(mkdir(path, 0700), 0);
	if (_i == 2)
		ck_assert_int_eq(chmod(path, 0770), 0);
	if (_i == 3 && chown(path, NOBODY, NOBODY) < 0) {
		printf("only root can give a directory away: not tested\n");
		free(path);
		return;
	}
	choose(NULL);
	check_private(temporary);
	ck_assert_ptr_nonnull(strstr(found.why, path));
	/* It is found again by the next dracod, even if its directories have gone meanwhile ... */
	former = xstrdup(found.base);
	for (int i = 0; i < 2; i++) {
		socket = xasprintf("%s/%s/control.sock", former, name);
		choose(socket);
		ck_assert_str_eq(found.base, former);
		ck_assert(found.private);
		runtime_dir_remove(&found, name);
		ck_assert_int_lt(access(former, F_OK), 0);
		free(socket);
	}
	/* ... but not what no dracod would have made. */
	socket = xasprintf("%s/run/%s/control.sock", home, name);
	choose(socket);
	check_private(temporary);
	free(socket);
	for (size_t i = 0; i < 4; i++) {
		static const char *const odd[] = {"", "/", "control.sock", "/a"};

		runtime_dir_remove(&found, name);
		choose(odd[i]);
		check_private(temporary);
	}
	/* Without the obstacle the common name is as good. */
	ck_assert_int_eq(remove(path), 0);
	runtime_dir_remove(&found, name);
	choose(NULL);
	check_base(temporary, NULL);
	free(former);
	free(path);
}
END_TEST

/* A link in the place of a private directory of before is not followed. */
START_TEST(former_that_was_replaced)
{
	char *path = common_name(temporary), *former, *socket;

	unsetenv("XDG_RUNTIME_DIR");
	touch(path);
	choose(NULL);
	former = xstrdup(found.base);
	runtime_dir_remove(&found, name);
	ck_assert_int_eq(symlink(run, former), 0);
	socket = xasprintf("%s/%s/control.sock", former, name);
	choose(socket);
	check_private(temporary);
	ck_assert_str_ne(found.base, former);
	free(former);
	free(path);
	free(socket);
}
END_TEST

/* Without any good TMPDIR it is /tmp. */
START_TEST(wrong_temporary_directory)
{
	static const char *const values[] = {NULL, "", "tmp", "/nonexistent/tmp", "/dev/null"};
	char *prefix = common_name("/tmp");

	unsetenv("XDG_RUNTIME_DIR");
	if (_i < (int)LENGTH(values)) {
		unsetenv("TMPDIR");
		if (values[_i])
			setenv("TMPDIR", values[_i], 1);
	} else if (_i == LENGTH(values)) {
		ck_assert_int_eq(chmod(temporary, 0777), 0); /* others could take it away */
	} else if (chown(temporary, NOBODY, NOBODY) < 0) {
		printf("only root can give a directory away: not tested\n");
		free(prefix);
		return;
	}
	choose(NULL);
	ck_assert_int_eq(strncmp(found.base, prefix, strlen(prefix)), 0);
	if (_i > 2)
		ck_assert_ptr_nonnull(strstr(found.why, "TMPDIR"));
	free(prefix);
}
END_TEST

/* The control socket's path may have 107 bytes (sun_path, unix(7)). */
START_TEST(socket_length)
{
	size_t rest = strlen("/draco//control.sock") + strlen(name), length = 107 - rest;
	char *path = xasprintf("%s/%0*d", home, (int)(length - strlen(home) - 1), 0);
	char *socket;
	int fd;

	ck_assert_uint_eq(strlen(path), length);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	setenv("XDG_RUNTIME_DIR", path, 1);
	choose(NULL);
	check_base(path, "draco");
	socket = xasprintf("%s/%s/control.sock", found.base, name);
	fd = sock_listen(socket, &err);
	ck_assert_msg(fd >= 0, "%s", err.text);
	close(fd);
	unlink(socket);
	free(socket);
	free(path);
	path = xasprintf("%s/%0*d", home, (int)(length - strlen(home)), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	setenv("XDG_RUNTIME_DIR", path, 1);
	choose(NULL);
	check_base(temporary, NULL);
	ck_assert_ptr_nonnull(
		strstr(found.why, "has 108 characters, and a socket may have 107"));
	free(path);
}
END_TEST

/* A dracod of the same name, with another home, has the place. */
START_TEST(served_by_another)
{
	char *socket;
	int fd;

	choose(NULL);
	socket = xasprintf("%s/%s/control.sock", found.base, name);
	fd = sock_listen(socket, &err);
	ck_assert_int_ge(fd, 0);
	choose(NULL);
	check_base(temporary, NULL);
	ck_assert_ptr_nonnull(strstr(found.why, "is served by another dracod"));
	close(fd);
	runtime_dir_remove(&found, name);
	choose(NULL);
	check_base(run, "draco");
	unlink(socket);
	free(socket);
}
END_TEST

START_TEST(make_again)
{
	char *path;

	choose(NULL);
	path = xasprintf("%s/%s", found.base, name);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(runtime_dir_make(found.base, name, &err), 0);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(rmdir(found.base), 0);
	ck_assert_int_eq(runtime_dir_make(found.base, name, &err), 0);
	ck_assert_int_eq(access(path, F_OK), 0);
	ck_assert_int_eq(rmdir(path), 0);
	ck_assert_int_eq(rmdir(found.base), 0);
	ck_assert_int_eq(rmdir(run), 0); /* that is for others to make */
	ck_assert_int_eq(runtime_dir_make(found.base, name, &err), -ENOENT);
	unit_assert_err(&err, -ENOENT, found.base);
	free(path);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("runtime_dir");
	TCase *tcase = tcase_create("runtime_dir");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, the_first);
	tcase_add_loop_test(tcase, wrong_runtime_directory, 0, WRONG_COUNT);
	tcase_add_loop_test(tcase, taken, 0, 4);
	tcase_add_test(tcase, former_that_was_replaced);
	tcase_add_loop_test(tcase, wrong_temporary_directory, 0, 7);
	tcase_add_test(tcase, socket_length);
	tcase_add_test(tcase, served_by_another);
	tcase_add_test(tcase, make_again);
	suite_add_tcase(suite, tcase);
	return suite;
}
