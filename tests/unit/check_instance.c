/* check_instance.c: tests of daemon/io/instance.c: who is the dracod of a name, and until when. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/json.h"
#include "common/paths.h"
#include "daemon/io/instance.h"
#include "daemon/io/statefile.h"

static struct paths paths;
static struct err err;

static void setup(void)
{
	char *home = unit_directory();

	err = (struct err)ERR_INIT;
	setenv("HOME", home, 1);
	unsetenv("XDG_STATE_HOME");
	ck_assert_int_eq(paths_init(&paths, "n", NULL), 0);
	ck_assert_int_eq(paths_make(&paths, NULL), 0);
	paths_set_runtime(&paths, "/run/r/draco");
	free(home);
}

static void teardown(void)
{
	paths_finish(&paths);
}

static json_t *read_daemon(void)
{
	return json_load_file(paths.daemon_file, 0, NULL);
}

static void write_daemon(json_t *object)
{
	ck_assert_int_eq(json_dump_file(object, paths.daemon_file, 0), 0);
	json_decref(object);
}

static struct tenure *acquire(void)
{
	struct tenure *tenure = instance_acquire(&paths, &err);

	ck_assert_msg(tenure != NULL, "%s", err.text);
	ck_assert_int_eq(instance_publish(tenure, &err), 0);
	return tenure;
}

START_TEST(life)
{
	struct tenure *tenure = acquire();
	json_t *daemon = read_daemon();

	ck_assert_ptr_null(instance_former(tenure));
	ck_assert_int_eq(json_get_integer(daemon, "pid", 0), getpid());
	ck_assert_str_eq(json_get_text(daemon, "socket", ""), "/run/r/draco/n/control.sock");
	ck_assert_str_eq(json_get_text(daemon, "dask_socket", ""), "/run/r/draco/n/dask.sock");
	ck_assert_str_eq(json_get_text(daemon, "locks", ""), "all");
	json_decref(daemon);
	paths_set_runtime(&paths, "/tmp/d"); /* it has moved */
	ck_assert_int_eq(instance_publish(tenure, &err), 0);
	daemon = read_daemon();
	ck_assert_str_eq(json_get_text(daemon, "socket", ""), "/tmp/d/n/control.sock");
	json_decref(daemon);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(instance_check(tenure, &err), 0);
	instance_release(tenure);
	ck_assert_int_lt(access(paths.daemon_file, F_OK), 0);
}
END_TEST

START_TEST(only_one)
{
	struct tenure *tenure = acquire();
	char *process = xasprintf("runs already, as process %d", (int)getpid());

	ck_assert_ptr_null(instance_acquire(&paths, &err));
	unit_assert_err(&err, -EBUSY, process);
	ck_assert_int_eq(instance_check(tenure, &err), 0); /* that has changed nothing */
	instance_release(tenure);
	instance_release(acquire());
	free(process);
}
END_TEST

/* A dracod that crashed: on this host, on one whose lock would be seen, or would not. */
START_TEST(former)
{
	static const struct {
		const char *host, *locks;
		bool goes_on;
	} rows[] = {
		{NULL, "all", true},
		{NULL, "unknown", true},
		{"elsewhere", "all", true},
		{"elsewhere", "host", false},
		{"elsewhere", "unknown", false},
	};
	struct tenure *tenure;
	json_t *object = instance_describe();

	if (rows[_i].host)
		json_object_set_new(object, "host", json_string(rows[_i].host));
	json_object_set_new(object, "locks", json_string(rows[_i].locks));
	json_object_set_new(object, "pid", json_integer(4711));
	json_object_set_new(object, "socket", json_string("/run/x/n/control.sock"));
	write_daemon(json_incref(object));
	tenure = instance_acquire(&paths, &err);
	if (rows[_i].goes_on) {
		ck_assert_msg(tenure != NULL, "%s", err.text);
		ck_assert(json_equal(instance_former(tenure), object));
	} else {
		json_t *now = read_daemon();

		ck_assert_ptr_null(tenure);
		unit_assert_err(&err, -EBUSY, "may run on host elsewhere (process 4711)");
		unit_assert_err(&err, -EBUSY, "dracoctl --name n takeover");
		ck_assert(json_equal(now, object));
		json_decref(now);
		json_object_set_new(object, "taken_over_by", json_string("here"));
		write_daemon(json_incref(object));
		tenure = instance_acquire(&paths, &err);
		ck_assert_msg(tenure != NULL, "%s", err.text);
	}
	instance_release(tenure);
	json_decref(object);
}
END_TEST

/* What must not be taken for one's own, and is left alone at the end. */
static const char *const changes[] = {"host", "boot", "pid", "started", "taken_over_by"};

START_TEST(successor)
{
	struct tenure *tenure = acquire();
	json_t *object = read_daemon(), *now;
	const char *change = changes[_i];

	json_object_set_new(object, change,
		json_is_integer(json_object_get(object, change)) ? json_integer(1)
								 : json_string("c2"));
	write_daemon(json_incref(object));
	ck_assert_int_eq(instance_check(tenure, &err), -ESTALE);
	unit_assert_err(&err, -ESTALE, "taken over");
	instance_release(tenure);
	now = read_daemon();
	ck_assert(json_equal(now, object));
	json_decref(now);
	json_decref(object);
}
END_TEST

/* daemon.json is only a file: what befalls it is mended. */
START_TEST(damage)
{
	struct tenure *tenure = acquire();
	json_t *daemon;

	if (_i == 0)
		ck_assert_int_eq(unlink(paths.daemon_file), 0);
	else if (_i == 1)
		ck_assert_int_eq(truncate(paths.daemon_file, 5), 0);
	else
		write_daemon(json_array());
	ck_assert_int_eq(instance_check(tenure, &err), 0);
	daemon = read_daemon();
	ck_assert_int_eq(json_get_integer(daemon, "pid", 0), getpid());
	json_decref(daemon);
	instance_release(tenure);
	ck_assert_int_lt(access(paths.daemon_file, F_OK), 0);
}
END_TEST

START_TEST(lock_is_gone)
{
	struct tenure *tenure = acquire(), *other;
	char *aside = xasprintf("%s.aside", paths.state_dir);

	if (_i == 0)
		ck_assert_int_eq(unlink(paths.lock_file), 0);
	else
		ck_assert_int_eq(rename(paths.state_dir, aside), 0);
	ck_assert_int_eq(instance_check(tenure, &err), -ENOENT);
	unit_assert_err(&err, -ENOENT, "lock was removed");
	ck_assert_int_eq(paths_make(&paths, NULL), 0);
	unlink(paths.daemon_file);
	other = acquire();
	ck_assert_int_eq(instance_check(tenure, &err), -ESTALE);
	unit_assert_err(&err, -ESTALE, "lock was replaced");
	ck_assert_int_eq(instance_check(other, &err), 0);
	instance_release(other);
	instance_release(tenure);
	free(aside);
}
END_TEST

/* After that nothing of the successor is touched. */
START_TEST(hand_over)
{
	json_t *object = json_pack("{s:i}", "a", 1), *now;

	write_daemon(json_incref(object));
	statefile_hand_over();
	ck_assert_int_eq(
		statefile_write(paths.daemon_file, json_pack("{s:i}", "a", 2), &err), 0);
	statefile_remove(paths.daemon_file);
	now = read_daemon();
	ck_assert(json_equal(now, object));
	json_decref(now);
	json_decref(object);
}
END_TEST

/* Several at once: exactly one becomes it, and the others say who. */
START_TEST(race)
{
	enum { PROCESSES = 8 };
	pid_t pids[PROCESSES];
	int ready[2], go[2], winners = 0;
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	ck_assert_int_eq(pipe(go), 0);
	write_daemon(json_pack("{s:s, s:s, s:i, s:s, s:s}", "host", "elsewhere", "boot", "b",
		"pid", 1, "socket", "/x", "locks", "all"));
	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct tenure *tenure;

			close(go[1]);
			if (read(go[0], &byte, 1) < 0)
				_exit(3);
			tenure = instance_acquire(&paths, &err);
			byte = tenure ? 'w' : err.code == -EBUSY ? 'l' : 'x';
			if (write(ready[1], &byte, 1) < 0)
				_exit(3);
			pause();
		}
	}
	close(go[0]);
	close(go[1]);
	for (int i = 0; i < PROCESSES; i++) {
		ck_assert_int_eq(read(ready[0], &byte, 1), 1);
		ck_assert(byte == 'w' || byte == 'l');
		winners += byte == 'w';
	}
	ck_assert_int_eq(winners, 1);
	for (int i = 0; i < PROCESSES; i++) {
		kill(pids[i], SIGKILL); /* SIGTERM is for Check */
		ck_assert_int_eq(waitpid(pids[i], NULL, 0), pids[i]);
	}
	close(ready[0]);
	close(ready[1]);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("instance");
	TCase *tcase = tcase_create("instance");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, life);
	tcase_add_test(tcase, only_one);
	tcase_add_loop_test(tcase, former, 0, 5);
	tcase_add_loop_test(tcase, successor, 0, LENGTH(changes));
	tcase_add_loop_test(tcase, damage, 0, 3);
	tcase_add_loop_test(tcase, lock_is_gone, 0, 2);
	if (unit_is_forking()) /* it counts for the process */
		tcase_add_test(tcase, hand_over);
	tcase_add_test(tcase, race);
	suite_add_tcase(suite, tcase);
	return suite;
}
