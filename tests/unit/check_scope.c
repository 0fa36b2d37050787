/* check_scope.c: tests of systemd/scope.c, with a user manager and cgroups of our own. */
#include "unit.h"

#include <sys/stat.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "bus_fixture.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/io/cgroup.h"
#include "systemd/bus.h"
#include "systemd/scope.h"

#define MANAGER "org.freedesktop.systemd1"
#define PATH	"/org/freedesktop/systemd1"
#define JOB	PATH "/job/7"
#define UNIT	"draco-scheduler-my\\x2dname.scope"
#define IN_UNIT "0::/draco.slice/draco-my\\x2dname.slice/" UNIT "\n"

/* How the manager behaves. */
static const char *refusal; /* the name of an error; NULL: none */
static int refusals;	    /* so many calls are refused */
static const char *result;  /* of the job; NULL: it does not end */
static bool moves, is_silent;

static sd_bus *manager;
static struct bus *bus;
static struct scope *scope;
static int calls, settled;
static char *why, *properties;

static void put_cgroup(const char *line)
{
	_cleanup_free_ char *name = xasprintf("%d-cgroup", (int)getpid());
	_cleanup_free_ char *file = unit_file(bus_directory, name, line, strlen(line));
	_cleanup_free_ char *proc = xasprintf("%s/proc", cgroup_root);
	_cleanup_free_ char *directory = xasprintf("%s/%d", proc, (int)getpid());
	_cleanup_free_ char *self = xasprintf("%s/self", proc);
	_cleanup_free_ char *path = xasprintf("%s/cgroup", directory);

	mkdir(proc, 0700);
	mkdir(directory, 0700);
	mkdir(self, 0700);
	ck_assert_int_eq(rename(file, path), 0);
}

static void put_mounts(void)
{
	static const char line[] = "31 23 0:28 / /cg rw - cgroup2 cgroup2 rw\n";
	_cleanup_free_ char *file = unit_file(bus_directory, "mounts", line, strlen(line));
	_cleanup_free_ char *path = xasprintf("%s/proc/self/mountinfo", cgroup_root);

	ck_assert_int_eq(rename(file, path), 0);
}

/* Keep the call's properties as " NAME=VALUE ... ". */
static void read_properties(sd_bus_message *message)
{
	const char *name, *type;

	xreplace(&properties, " ");
	ck_assert_int_gt(sd_bus_message_enter_container(message, 'a', "(sv)"), 0);
	while (sd_bus_message_enter_container(message, 'r', "sv") > 0) {
		_cleanup_free_ char *before = TAKE_PTR(properties);
		const char *text = "";
		uint64_t number = 0;

		ck_assert_int_gt(sd_bus_message_read(message, "s", &name), 0);
		ck_assert_int_gt(sd_bus_message_peek_type(message, NULL, &type), 0);
		if (*type == 's') {
			ck_assert_int_gt(sd_bus_message_read(message, "v", "s", &text), 0);
			properties = xasprintf("%s%s=%s ", before, name, text);
		} else if (*type == 't') {
			ck_assert_int_gt(sd_bus_message_read(message, "v", "t", &number), 0);
			properties = xasprintf("%s%s=%d ", before, name, (int)number);
		} else {
			ck_assert_int_gt(sd_bus_message_skip(message, "v"), 0);
			properties = xasprintf("%s%s ", before, name);
		}
		ck_assert_int_ge(sd_bus_message_exit_container(message), 0);
	}
}

static int on_call(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	const char *unit, *mode;

	(void)arg;
	if (!sd_bus_message_is_method_call(message, MANAGER ".Manager", "StartTransientUnit"))
		return 0;
	calls++;
	ck_assert_int_gt(sd_bus_message_read(message, "ss", &unit, &mode), 0);
	ck_assert_str_eq(unit, UNIT);
	ck_assert_str_eq(mode, "fail");
	read_properties(message);
	if (is_silent)
		return 1;
	if (refusal && refusals-- > 0)
		return sd_bus_error_set(error, refusal, "no such luck");
	ck_assert_int_ge(sd_bus_reply_method_return(message, "o", JOB), 0);
	if (moves)
		put_cgroup(IN_UNIT);
	/* Jobs of others end, too. */
	ck_assert_int_ge(sd_bus_emit_signal(manager, PATH, MANAGER ".Manager", "JobRemoved",
				 "uoss", 6, PATH "/job/6", "other.service", "failed"),
		0);
	return result ? sd_bus_emit_signal(manager, PATH, MANAGER ".Manager", "JobRemoved",
				"uoss", 7, JOB, UNIT, result)
		      : 1;
}

static void on_settled(void *arg, const char *reason)
{
	ck_assert_ptr_eq(arg, &scope);
	settled++;
	xreplace(&why, reason);
}

static void on_up(void *arg, struct sd_bus *connection)
{
	(void)arg;
	scope_up(scope, connection);
}

static void on_down(void *arg)
{
	(void)arg;
	scope_down(scope);
}

static void serve(void)
{
	ck_assert_int_ge(sd_bus_open_user(&manager), 0);
	ck_assert_int_ge(sd_bus_add_fallback(manager, NULL, "/", on_call, NULL), 0);
	ck_assert_int_ge(sd_bus_request_name(manager, MANAGER, 0), 0);
}

static void setup(void)
{
	static const struct bus_ops ops = {on_up, on_down};

	bus_setup();
	calls = settled = 0;
	refusal = NULL;
	refusals = 0;
	result = "done";
	moves = true;
	is_silent = false;
	if (!bus_is_possible())
		return;
	cgroup_root = bus_directory;
	put_cgroup("0::/app.slice/dracod@my-name.service\n");
	put_mounts();
	bus_start();
	scope = scope_create(bus_loop, "my-name", on_settled, &scope);
	bus = bus_create(bus_loop, BUS_USER, &ops, NULL);
}

static void teardown(void)
{
	scope = scope_destroy(scope);
	bus = bus_destroy(bus);
	manager = sd_bus_flush_close_unref(manager);
	free(why);
	free(properties);
	why = properties = NULL;
	cgroup_root = "";
	bus_teardown();
}

static void turn(void)
{
	bus_turn();
	while (manager && sd_bus_process(manager, NULL) > 0)
		;
}

#define until(condition) bus_until_by(turn, condition)

static void want(void)
{
	scope_want(
		scope, getpid(), &(struct scope_limits){.memory_max = 1024, .cpu_weight = 50});
}

static bool has(const char *property)
{
	return strstr(properties, property) != NULL;
}

START_TEST(the_process_gets_its_unit)
{
	if (!bus)
		return;
	serve();
	want();
	until(settled);
	ck_assert_ptr_null(why);
	ck_assert(has(" Slice=draco-my\\x2dname.slice ") && has(" PIDs ") && has(" Before "));
	ck_assert(has(" MemoryMax=1024 ") && has(" CPUWeight=50 "));
	ck_assert(!has("MemoryHigh") && !has("TasksMax"));
	want(); /* the same one */
	for (int i = 0; i < 5; i++)
		turn();
	ck_assert_int_eq(calls, 1);
	ck_assert_int_eq(settled, 1);
}
END_TEST

static const struct {
	const char *refusal;
	int refusals;
	const char *result;
	bool moves;
	int calls;
	const char *why; /* a part; NULL: it is in its unit */
} cases[] = {
	{"org.freedesktop.DBus.Error.AccessDenied", 9, "done", true, 1, "no such luck"},
	/* The unit of the former process was still there. */
	{MANAGER ".UnitExists", 2, "done", true, 3, NULL},
	{NULL, 0, "failed", false, 1, "ended with \"failed\""},
	/* What the kernel says counts. */
	{NULL, 0, "done", false, 1, "ended with \"done\""},
	{NULL, 0, "failed", true, 1, NULL},
};

START_TEST(what_the_manager_says)
{
	if (!bus)
		return;
	refusal = cases[_i].refusal;
	refusals = cases[_i].refusals;
	result = cases[_i].result;
	moves = cases[_i].moves;
	serve();
	want();
	until(settled);
	ck_assert_int_eq(calls, cases[_i].calls);
	if (cases[_i].why)
		ck_assert_ptr_nonnull(strstr(why, cases[_i].why));
	else
		ck_assert_ptr_null(why);
}
END_TEST

START_TEST(no_answer)
{
	if (!bus)
		return;
	is_silent = true;
	serve();
	want();
	until(settled);
	ck_assert_ptr_nonnull(why);
}
END_TEST

/* A new dracod asks nothing. */
START_TEST(it_is_there_already)
{
	if (!bus)
		return;
	put_cgroup(IN_UNIT);
	serve();
	want();
	until(settled);
	ck_assert_ptr_null(why);
	ck_assert_int_eq(calls, 0);
}
END_TEST

/* The bus is lost before the job has ended; on the next one it is asked for again. */
START_TEST(another_bus)
{
	if (!bus)
		return;
	result = NULL;
	moves = false;
	serve();
	want();
	until(calls == 1);
	manager = sd_bus_close_unref(manager);
	bus_kill();
	until(!bus_connection(bus));
	ck_assert_int_eq(settled, 0);
	bus_start();
	result = "done";
	moves = true;
	serve();
	until(settled);
	ck_assert_ptr_null(why);
	ck_assert_int_eq(calls, 2);
}
END_TEST

/* A dracod in a terminal keeps the scheduler beside itself: a unit would end with the last session
 * of the user, and the processes of a terminal need not. */
START_TEST(dracod_is_no_service)
{
	if (!bus)
		return;
	scope_destroy(scope);
	put_cgroup("0::/user.slice/session-1.scope\n");
	scope = scope_create(bus_loop, "my-name", on_settled, &scope);
	serve();
	want();
	until(bus_connection(bus));
	for (int i = 0; i < 20; i++)
		turn();
	ck_assert_int_eq(calls + settled, 0);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("scope");
	TCase *tcase = tcase_create("scope");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 2 * BUS_DEADLINE_S);
	tcase_add_test(tcase, the_process_gets_its_unit);
	tcase_add_loop_test(tcase, what_the_manager_says, 0, LENGTH(cases));
	tcase_add_test(tcase, no_answer);
	tcase_add_test(tcase, it_is_there_already);
	tcase_add_test(tcase, another_bus);
	tcase_add_test(tcase, dracod_is_no_service);
	suite_add_tcase(suite, tcase);
	return suite;
}
