/* check_rendezvous.c: tests of common/rendezvous.c: what is believed of daemon.json and
 * connect.json. */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/json.h"
#include "common/paths.h"
#include "common/rendezvous.h"

static char *home;
static struct paths paths;

static void setup(void)
{
	home = unit_directory();
	setenv("HOME", home, 1);
	setenv("XDG_RUNTIME_DIR", home, 1);
	unsetenv("XDG_STATE_HOME");
	ck_assert_int_eq(paths_init(&paths, "n", NULL), 0);
	ck_assert_int_eq(paths_make(&paths, NULL), 0);
	paths_set_runtime(&paths, "/run/user/7/draco");
}

static void teardown(void)
{
	paths_finish(&paths);
	free(home);
}

/* Write the object, with a member of it replaced (by nothing, where value is NULL). */
static void put(const char *path, json_t *object, const char *name, json_t *value)
{
	char *text, *file;

	if (value)
		json_object_set_new(object, name, value);
	else if (name)
		json_object_del(object, name);
	text = json_dumps(object, 0);
	file = unit_file(paths.state_dir, strrchr(path, '/') + 1, text, strlen(text));
	ck_assert_int_eq(chmod(file, 0600), 0);
	json_decref(object);
	free(text);
	free(file);
}

static json_t *daemon_object(void)
{
	return json_pack("{s:i, s:s, s:s, s:s, s:s, s:i, s:s}", "pid", 4711, "host",
		"login-1.example.org", "boot", "b", "version", "1", "socket",
		paths.control_socket, "started", 7, "later", "unknown");
}

static json_t *connect_object(void)
{
	return json_pack("{s:s, s:s, s:n, s:s, s:s, s:s, s:i}", "scheduler", "tls://1.2.3.4:5",
		"daemon", "10.0.0.1:4711", "no_daemon", "ca", paths.lock_file, "certificate",
		paths.lock_file, "key", paths.lock_file, "protocol", 1);
}

START_TEST(as_dracod_writes_them)
{
	json_t *object = NULL;
	struct err err = ERR_INIT;

	ck_assert_int_eq(rendezvous_daemon(&paths, &object, &err), -ENOENT);
	ck_assert_int_eq(rendezvous_connect(&paths, &object, &err), -ENOENT);
	ck_assert_str_eq(err.text, "");
	put(paths.daemon_file, daemon_object(), NULL, NULL);
	ck_assert_msg(rendezvous_daemon(&paths, &object, &err) == 0, "%s", err.text);
	ck_assert_str_eq(json_get_text(object, "host", ""), "login-1.example.org");
	json_decref(object);
	free(unit_file(paths.state_dir, "lock", "", 0));
	put(paths.connect_file, connect_object(), NULL, NULL);
	ck_assert_msg(rendezvous_connect(&paths, &object, &err) == 0, "%s", err.text);
	ck_assert_str_eq(json_get_text(object, "daemon", ""), "10.0.0.1:4711");
	json_decref(object);
	put(paths.connect_file, json_pack("{s:n, s:n}", "daemon", "certificate"), NULL, NULL);
	ck_assert_msg(rendezvous_connect(&paths, &object, &err) == 0, "%s", err.text);
	json_decref(object);
}
END_TEST

static const struct {
	const char *name;
	const char *value; /* JSON */
} wrong_daemon[] = {
	{"pid", NULL},
	{"pid", "0"},
	{"pid", "-7"},
	{"pid", "2147483648"},
	{"pid", "\"7\""},
	{"pid", "7.5"},
	{"host", NULL},
	{"host", "null"},
	{"host", "7"},
	{"host", "\"\""},
	{"host", "\"-oProxyCommand=x\""},
	{"host", "\"a;id\""},
	{"host", "\"a b\""},
	{"host", "\"a$(id)\""},
	{"host", "\"a\\nb\""},
	{"host", "\"\\u001b[2J\""},
	{"socket", NULL},
	{"socket", "[]"},
	{"socket", "\"\""},
	{"socket", "\"run/control.sock\""},
	{"socket", "\"/run/a\\nb\""},
	{"socket", "\"/run/\\u009b\""},
	{"boot", "7"},
	{"version", "\"1\\u001b[31m\""},
	{"started", "\"now\""},
};

static void check_wrong(int (*read)(const struct paths *paths, json_t **ret, struct err *err),
	const char *path, const char *name)
{
	json_t *object = NULL;
	struct err err = ERR_INIT;

	ck_assert_int_eq(read(&paths, &object, &err), -EBADMSG);
	ck_assert_ptr_null(object);
	unit_assert_err(&err, -EBADMSG, path);
	unit_assert_err(&err, -EBADMSG, name);
	ck_assert_ptr_null(strchr(err.text, '\n'));
}

START_TEST(daemon_that_is_damaged)
{
	const char *name = wrong_daemon[_i].name, *value = wrong_daemon[_i].value;

	put(paths.daemon_file, daemon_object(), name,
		value ? json_loads(value, JSON_DECODE_ANY, NULL) : NULL);
	check_wrong(rendezvous_daemon, paths.daemon_file, name);
}
END_TEST

START_TEST(a_socket_path_too_long)
{
	char path[200] = "/";

	memset(path + 1, 'x', sizeof(path) - 2);
	put(paths.daemon_file, daemon_object(), "socket", json_string(path));
	check_wrong(rendezvous_daemon, paths.daemon_file, "socket");
}
END_TEST

static const struct {
	const char *name, *value;
} wrong_connect[] = {
	{"daemon", "7"},
	{"daemon", "\"\""},
	{"daemon", "\"example.org:80\""},
	{"daemon", "\"10.0.0.1\""},
	{"daemon", "\"10.0.0.1:\""},
	{"daemon", "\"10.0.0.1:80 \""},
	{"daemon", "\"10.0.0.1:65536\""},
	{"daemon", "\"10.0.0.1:0\""},
	{"daemon", "\"10.0.0.256:80\""},
	{"daemon", "\"1010101010101010.0.0.1:80\""},
	{"no_daemon", "\"\\u001b\""},
	{"host", "\"`id`\""},
	{"scheduler", "\"tls://\\n\""},
	{"certificate", "\"cert.pem\""},
	{"certificate", "\"/nonexistent/cert.pem\""},
	{"key", "7"},
};

START_TEST(connect_that_is_damaged)
{
	const char *name = wrong_connect[_i].name, *value = wrong_connect[_i].value;

	free(unit_file(paths.state_dir, "lock", "", 0));
	put(paths.connect_file, connect_object(), name,
		json_loads(value, JSON_DECODE_ANY, NULL));
	check_wrong(rendezvous_connect, paths.connect_file,
		strstr(value, "nonexistent") ? "/nonexistent" : name);
}
END_TEST

START_TEST(a_certificate_that_others_can_write)
{
	json_t *object = NULL;
	struct err err = ERR_INIT;

	free(unit_file(paths.state_dir, "lock", "", 0));
	ck_assert_int_eq(chmod(paths.lock_file, 0666), 0);
	put(paths.connect_file, connect_object(), NULL, NULL);
	ck_assert_int_eq(rendezvous_connect(&paths, &object, &err), -EPERM);
	unit_assert_err(&err, -EPERM, paths.lock_file);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("rendezvous");
	TCase *all = tcase_create("all");

	tcase_add_checked_fixture(all, setup, teardown);
	tcase_add_test(all, as_dracod_writes_them);
	tcase_add_loop_test(all, daemon_that_is_damaged, 0, LENGTH(wrong_daemon));
	tcase_add_test(all, a_socket_path_too_long);
	tcase_add_loop_test(all, connect_that_is_damaged, 0, LENGTH(wrong_connect));
	tcase_add_test(all, a_certificate_that_others_can_write);
	suite_add_tcase(suite, all);
	return suite;
}
