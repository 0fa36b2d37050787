/* check_restart.c: tests of systemd/restart.c, with a service manager of our own on a bus. */
#include "unit.h"

#include <systemd/sd-bus.h>
#include <unistd.h>

#include "bus_fixture.h"
#include "common/alloc.h"
#include "systemd/bus.h"
#include "systemd/restart.h"

#define UNIT "/org/freedesktop/systemd1/unit/dracod"
#define JOB  "/org/freedesktop/systemd1/job/7"

static const char *job_type; /* NULL: the unit has no job */
static int silent_from;	     /* the first question that is not answered */
static int questions, answers;
static bool restarts;
static sd_bus *manager;
static struct bus *bus;
static struct restart *asked;

static int on_question(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	const char *member = sd_bus_message_get_member(message);

	(void)arg;
	(void)error;
	if (++questions >= silent_from)
		return 1;
	if (strcmp(member, "GetUnitByPID") == 0)
		return sd_bus_reply_method_return(message, "o", UNIT);
	if (strcmp(sd_bus_message_get_path(message), UNIT) == 0)
		return sd_bus_reply_method_return(
			message, "v", "(uo)", job_type ? 7 : 0, job_type ? JOB : "/");
	return sd_bus_reply_method_return(message, "v", "s", job_type);
}

static void on_known(void *arg, bool value)
{
	ck_assert_ptr_eq(arg, &asked);
	answers++;
	restarts = value;
}

static void on_up(void *arg, struct sd_bus *connection)
{
	(void)arg;
	ck_assert_int_eq(restart_ask(asked, connection), 0);
}

static void on_down(void *arg)
{
	(void)arg;
	restart_down(asked);
}

static void setup(void)
{
	static const struct bus_ops ops = {on_up, on_down};

	bus_setup();
	questions = answers = 0;
	silent_from = 100;
	restarts = false;
	if (!bus_is_possible())
		return;
	bus_start();
	asked = restart_create(on_known, &asked);
	bus = bus_create(bus_loop, BUS_USER, &ops, NULL);
}

static void serve(void)
{
	ck_assert_int_ge(sd_bus_open_user(&manager), 0);
	ck_assert_int_ge(sd_bus_add_fallback(manager, NULL, "/", on_question, NULL), 0);
	ck_assert_int_ge(sd_bus_request_name(manager, "org.freedesktop.systemd1", 0), 0);
}

static void teardown(void)
{
	asked = restart_destroy(asked);
	bus = bus_destroy(bus);
	manager = sd_bus_flush_close_unref(manager);
	bus_teardown();
}

static void turn(void)
{
	bus_turn();
	while (manager && sd_bus_process(manager, NULL) > 0)
		;
}

static void run(void)
{
	for (time_t until = time(NULL) + BUS_DEADLINE_S; !answers;) {
		ck_assert(time(NULL) < until);
		turn();
	}
	turn();
	ck_assert_int_eq(answers, 1);
}

static const struct {
	const char *type;
	int silent_from;
	bool restarts;
} cases[] = {
	{"restart", 100, true},
	{"stop", 100, false},
	{NULL, 100, false},
	{"restart", 1, false},
	{"restart", 2, false},
	{"restart", 3, false},
};

START_TEST(the_job_decides)
{
	if (!bus)
		return;
	serve();
	job_type = cases[_i].type;
	silent_from = cases[_i].silent_from;
	run();
	ck_assert(restarts == cases[_i].restarts);
}
END_TEST

START_TEST(nobody_manages)
{
	if (!bus)
		return;
	run();
	ck_assert(!restarts);
}
END_TEST

START_TEST(the_bus_ends)
{
	if (!bus)
		return;
	serve();
	silent_from = 1;
	while (questions < 1)
		turn();
	manager = sd_bus_close_unref(manager);
	bus_kill();
	run();
	ck_assert(!restarts);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("restart");
	TCase *tcase = tcase_create("restart");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 2 * BUS_DEADLINE_S);
	tcase_add_loop_test(tcase, the_job_decides, 0, LENGTH(cases));
	tcase_add_test(tcase, nobody_manages);
	tcase_add_test(tcase, the_bus_ends);
	suite_add_tcase(suite, tcase);
	return suite;
}
