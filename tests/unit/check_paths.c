/* check_paths.c: tests of common/paths.c: where things are, and whom directories are open to. */
#include "unit.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/home.h"
#include "common/paths.h"

static char *home;

static void setup(void)
{
	static const char *const variables[] = {
		"XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "TMPDIR"};

	for (size_t i = 0; i < LENGTH(variables); i++)
		unsetenv(variables[i]);
	home = unit_directory();
	setenv("HOME", home, 1);
}

static void teardown(void)
{
	free(home);
}

static void check_path(const char *path, const char *directory, const char *rest)
{
	char *expected = xasprintf("%s%s", directory, rest);

	ck_assert_str_eq(path, expected);
	free(expected);
}

static void check_mode(const char *path, unsigned mode)
{
	struct stat st;

	ck_assert_msg(lstat(path, &st) == 0, "%s: %s", path, strerror(errno));
	ck_assert_msg((st.st_mode & 07777) == mode, "%s has mode %04o", path,
		(unsigned)st.st_mode & 07777);
}

START_TEST(with_all_variables)
{
	struct paths paths;

	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	setenv("XDG_STATE_HOME", "/s", 1);
	setenv("XDG_CONFIG_HOME", "/c", 1);
	ck_assert_int_eq(paths_init(&paths, "big.one", NULL), 0);
	ck_assert_str_eq(paths.name, "big.one");
	ck_assert_ptr_null(paths.runtime_dir); /* nobody has chosen it */
	ck_assert_ptr_null(paths.control_socket);
	ck_assert_str_eq(paths.state_dir, "/s/draco/big.one");
	ck_assert_str_eq(paths.lock_file, "/s/draco/big.one/lock");
	ck_assert_str_eq(paths.daemon_file, "/s/draco/big.one/daemon.json");
	ck_assert_str_eq(paths.state_file, "/s/draco/big.one/state.json");
	ck_assert_str_eq(paths.nodes_file, "/s/draco/big.one/nodes.json");
	ck_assert_str_eq(paths.pauses_file, "/s/draco/big.one/pauses.json");
	ck_assert_str_eq(paths.log_file, "/s/draco/big.one/dracod.log");
	ck_assert_str_eq(paths.config_file, "/c/draco/draco.yaml");
	paths_finish(&paths);
	ck_assert_ptr_null(paths.name);
	paths_finish(&paths);
}
END_TEST

START_TEST(runtime)
{
	static const char *const bases[] = {"/run/user/7/draco", "/tmp/draco-7-x1y2z3"};
	struct paths paths;

	ck_assert_int_eq(paths_init(&paths, "n", NULL), 0);
	for (size_t i = 0; i < LENGTH(bases); i++) {
		paths_set_runtime(&paths, bases[i]);
		check_path(paths.runtime_dir, bases[i], "/n");
		check_path(paths.control_socket, bases[i], "/n/control.sock");
		check_path(paths.dask_socket, bases[i], "/n/dask.sock");
		check_path(paths.http_socket, bases[i], "/n/http.sock");
	}
	paths_finish(&paths);
	ck_assert_ptr_null(paths.runtime_dir);
}
END_TEST

START_TEST(without_variables)
{
	struct paths paths;

	ck_assert_int_eq(paths_init(&paths, "n", NULL), 0);
	check_path(paths.state_dir, home, "/.local/state/draco/n");
	check_path(paths.config_file, home, "/.config/draco/draco.yaml");
	paths_finish(&paths);
}
END_TEST

/* Relative values are to be ignored, says the XDG base directory specification. */
START_TEST(relative_variables_are_ignored)
{
	struct paths paths;

	setenv("XDG_STATE_HOME", "state", 1);
	setenv("XDG_CONFIG_HOME", "", 1);
	ck_assert_int_eq(paths_init(&paths, "n", NULL), 0);
	check_path(paths.state_dir, home, "/.local/state/draco/n");
	check_path(paths.config_file, home, "/.config/draco/draco.yaml");
	paths_finish(&paths);
}
END_TEST

/* Without HOME the user database tells, also where HOME is no absolute path. */
START_TEST(home_of_the_user_database)
{
	const struct passwd *user = getpwuid(getuid());
	struct paths paths;
	char *expanded;

	ck_assert_ptr_nonnull(user);
	for (int i = 0; i < 2; i++) {
		if (i == 0)
			unsetenv("HOME");
		else
			setenv("HOME", "relative", 1);
		ck_assert_int_eq(paths_init(&paths, "n", NULL), 0);
		check_path(paths.config_file, user->pw_dir, "/.config/draco/draco.yaml");
		paths_finish(&paths);
		expanded = home_expand("~/x");
		check_path(expanded, user->pw_dir, "/x");
		free(expanded);
	}
}
END_TEST

static const struct {
	const char *name;
	bool good;
} names[] = {
	{"default", true},
	{"a", true},
	{"7", true},
	{"A.b_c-9", true},
	{"12345678901234567890123456789012", true},
	{"123456789012345678901234567890123", false},
	{"", false},
	{".", false},
	{"..", false},
	{".hidden", false},
	{"-n", false},
	{"_n", false},
	{"a/b", false},
	{"../b", false},
	{"a b", false},
	{"a\n", false},
	{"a%j", false},
	{"a\\", false},
	{"a*", false},
	{"\xc3\xa9", false},
	{"a\xc3\xa9", false},
	/* the directory of another Slurm */
	{"a@b", true},
	{"a@b-c_d.2", true},
	{"12345678901234567890123456789012@12345678901234567890123456789012345678901234567.8",
		false},
	{"12345678901234567890123456789012@1234567890123456789012345678901234567890", true},
	{"123456789012345678901234567890123@b", false},
	{"@b", false},
	{"a@", false},
	{"a@b@c", false},
	{"a@b/c", false},
	{"a@../c", false},
};

START_TEST(name)
{
	struct paths paths = {.name = NULL};
	struct err err = ERR_INIT;
	int r = paths_init(&paths, names[_i].name, &err);

	if (names[_i].good) {
		ck_assert_int_eq(r, 0);
		ck_assert_str_eq(paths.name, names[_i].name);
		paths_finish(&paths);
	} else {
		ck_assert_int_eq(r, -EINVAL);
		unit_assert_err(&err, -EINVAL, names[_i].name);
		unit_assert_err(&err, -EINVAL, "letters");
		ck_assert_ptr_null(paths.name);
		ck_assert_ptr_null(paths.state_dir);
		ck_assert_int_eq(paths_init(&paths, names[_i].name, NULL), -EINVAL);
	}
}
END_TEST

START_TEST(job_prefix)
{
	char *plain = paths_job_prefix("a-b"), *other = paths_job_prefix("a-b@slurm.2");

	ck_assert_str_eq(plain, "draco-a-b-");
	ck_assert_str_eq(other, plain); /* each in its own queue */
	free(plain);
	free(other);
}
END_TEST

START_TEST(state_root)
{
	char *path = paths_state_root();

	check_path(path, home, "/.local/state/draco");
	free(path);
	setenv("XDG_STATE_HOME", "/s", 1);
	path = paths_state_root();
	ck_assert_str_eq(path, "/s/draco");
	free(path);
}
END_TEST

static const struct {
	const char *text, *rest; /* rest NULL: as it is */
} homes[] = {
	{"~", ""},
	{"~/", "/"},
	{"~/.draco_logs", "/.draco_logs"},
	{"~/a/~/b", "/a/~/b"},
	{"", NULL},
	{"/~", NULL},
	{"/a/~", NULL},
	{"~other/x", NULL},
	{"relative/~", NULL},
};

START_TEST(expand_home)
{
	char *path = home_expand(homes[_i].text);

	if (homes[_i].rest)
		check_path(path, home, homes[_i].rest);
	else
		ck_assert_str_eq(path, homes[_i].text);
	free(path);
}
END_TEST

START_TEST(directories)
{
	static const char *const tails[] = {"", "/", "/a", "/b/c/d", "/g/h/", "//e///f//"};
	mode_t mask = umask(0);

	for (size_t i = 0; i < LENGTH(tails); i++) {
		char *path = xasprintf("%s%s", home, tails[i]);

		ck_assert_int_eq(paths_make_directories(path, 0710, NULL), 0);
		check_mode(path, tails[i][0] && tails[i][1] ? 0710 : 0700);
		ck_assert_int_eq(chmod(path, 0700), 0);
		ck_assert_int_eq(paths_make_directories(path, 0710, NULL), 0);
		check_mode(path, 0700); /* left as it is */
		free(path);
	}
	umask(mask);
	ck_assert_int_eq(paths_make_directories("/", 0700, NULL), 0);
	ck_assert_int_eq(chdir(home), 0);
	ck_assert_int_eq(paths_make_directories("relative/x", 0700, NULL), 0);
	check_mode("relative/x", 0700);
	ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

START_TEST(directories_that_cannot_be)
{
	char *file = unit_file(home, "file", "", 0);
	char *link = xasprintf("%s/link", home);
	char *below_file = xasprintf("%s/x/y", file), *below_link = xasprintf("%s/x", link);
	const char *const rows[] = {file, below_file, link, below_link, "/proc/draco/x", ""};

	ck_assert_int_eq(symlink("nowhere", link), 0);
	for (size_t i = 0; i < LENGTH(rows); i++) {
		struct err err = ERR_INIT;
		char *tight = unit_tight(rows[i], strlen(rows[i]) + 1);
		int r = paths_make_directories(tight, 0700, &err);

		ck_assert_msg(r < 0, "made %s", rows[i]);
		unit_assert_err(&err, r, "cannot create the directory");
		ck_assert_int_eq(paths_make_directories(tight, 0700, NULL), r);
		free(tight);
	}
	free(file);
	free(link);
	free(below_file);
	free(below_link);
}
END_TEST

/* A link to a directory is as good as one: homes are often links. */
START_TEST(directories_behind_a_link)
{
	char *link = xasprintf("%s/link", home), *real = xasprintf("%s/real", home);
	char *below = xasprintf("%s/x", link), *made = xasprintf("%s/x", real);

	ck_assert_int_eq(mkdir(real, 0700), 0);
	ck_assert_int_eq(symlink("real", link), 0);
	ck_assert_int_eq(paths_make_directories(link, 0700, NULL), 0);
	ck_assert_int_eq(paths_make_directories(below, 0700, NULL), 0);
	check_mode(made, 0700);
	free(link);
	free(real);
	free(below);
	free(made);
}
END_TEST

START_TEST(make)
{
	mode_t mask = umask(0);
	struct err err = ERR_INIT;
	struct paths paths;

	ck_assert_int_eq(paths_init(&paths, "n", NULL), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_msg(paths_make(&paths, &err) == 0, "%s", err.text);
		check_mode(paths.state_dir, 0700);
	}
	umask(mask);
	paths_finish(&paths);
}
END_TEST

/* Each directory that holds secrets, spoilt in each way. */
enum spoilt { OPEN_TO_GROUP, OPEN_TO_OTHERS, A_LINK, A_FILE, ANOTHER_USERS, SPOILT_COUNT };

static void spoil(const char *path, enum spoilt how)
{
	char *aside = xasprintf("%s.aside", path);

	switch (how) {
	case OPEN_TO_GROUP:
		ck_assert_int_eq(chmod(path, 0710), 0);
		break;
	case OPEN_TO_OTHERS:
		ck_assert_int_eq(chmod(path, 0701), 0);
		break;
	case A_LINK:
		ck_assert_int_eq(rename(path, aside), 0);
		ck_assert_int_eq(symlink(aside, path), 0);
		break;
	case A_FILE:
		ck_assert_int_eq(rename(path, aside), 0);
		ck_assert_int_eq(mknod(path, S_IFREG | 0600, 0), 0);
		break;
	default:
		ck_assert_int_eq(chown(path, 65534, 65534), 0);
	}
	free(aside);
}

START_TEST(make_refuses)
{
	enum spoilt how = (enum spoilt)(_i % SPOILT_COUNT);
	bool above = _i / SPOILT_COUNT;
	struct err err = ERR_INIT;
	struct paths paths;
	char *path;
	int r;

	if (how == ANOTHER_USERS && geteuid() != 0) {
		printf("only root can give a directory away: not tested\n");
		return;
	}
	ck_assert_int_eq(paths_init(&paths, "n", NULL), 0);
	ck_assert_int_eq(paths_make(&paths, NULL), 0);
	path = xstrdup(paths.state_dir);
	if (above)
		*strrchr(path, '/') = '\0';
	spoil(path, how);
	r = paths_make(&paths, &err);
	ck_assert_msg(r < 0, "%s was accepted", path);
	if (how == OPEN_TO_GROUP || how == OPEN_TO_OTHERS || how == ANOTHER_USERS)
		ck_assert_int_eq(r, -EPERM);
	unit_assert_err(&err, r, path);
	ck_assert_int_eq(paths_make(&paths, NULL), r);
	free(path);
	paths_finish(&paths);
}
END_TEST

/* As after su and sudo that keep HOME: root leaves nothing in another user's directory. */
START_TEST(make_as_root_for_another)
{
	struct err err = ERR_INIT;
	struct paths paths;
	struct stat st;
	char *ground, *below;

	if (geteuid() != 0) {
		printf("only root can give a directory away: not tested\n");
		return;
	}
	ck_assert_int_eq(paths_init(&paths, "n", NULL), 0);
	ground = xasprintf("%s/.local", home);
	below = xasprintf("%s/state", ground);
	ck_assert_int_eq(paths_make_directories(ground, 0700, NULL), 0);
	ck_assert_int_eq(chown(ground, 65534, 65534), 0);
	ck_assert_int_eq(paths_make(&paths, &err), -EPERM);
	unit_assert_err(&err, -EPERM, ground);
	ck_assert_int_lt(lstat(below, &st), 0);
	free(ground);
	free(below);
	paths_finish(&paths);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("paths");
	TCase *init = tcase_create("init"), *make_case = tcase_create("make");

	tcase_add_checked_fixture(init, setup, teardown);
	tcase_add_test(init, with_all_variables);
	tcase_add_test(init, without_variables);
	tcase_add_test(init, relative_variables_are_ignored);
	tcase_add_test(init, runtime);
	tcase_add_test(init, home_of_the_user_database);
	tcase_add_loop_test(init, name, 0, LENGTH(names));
	tcase_add_test(init, job_prefix);
	tcase_add_test(init, state_root);
	tcase_add_loop_test(init, expand_home, 0, LENGTH(homes));
	suite_add_tcase(suite, init);
	tcase_add_checked_fixture(make_case, setup, teardown);
	tcase_add_test(make_case, directories);
	tcase_add_test(make_case, directories_that_cannot_be);
	tcase_add_test(make_case, directories_behind_a_link);
	tcase_add_test(make_case, make);
	tcase_add_loop_test(make_case, make_refuses, 0, 2 * SPOILT_COUNT);
	tcase_add_test(make_case, make_as_root_for_another);
	suite_add_tcase(suite, make_case);
	return suite;
}
