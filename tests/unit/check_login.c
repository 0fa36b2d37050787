/* check_login.c: tests of systemd/login.c, with a logind of our own on a bus. */
#include "unit.h"

#include <fcntl.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "bus_fixture.h"
#include "common/cleanup.h"
#include "systemd/login.h"

static sd_bus *logind;
static struct login *login;
static int ours, locks, ends; /* ours: the end of the lock's pipe that logind keeps */
static bool refuses, lets_go;

static int on_inhibit(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	const char *what, *who, *why, *mode;
	int pair[2], r;

	(void)arg;
	if (!sd_bus_message_is_method_call(
		    message, "org.freedesktop.login1.Manager", "Inhibit"))
		return 0;
	ck_assert_int_gt(sd_bus_message_read(message, "ssss", &what, &who, &why, &mode), 0);
	ck_assert_str_eq(what, "shutdown");
	ck_assert_str_eq(who, "draco");
	ck_assert_str_eq(mode, "delay");
	locks++;
	if (refuses)
		return sd_bus_error_set(error, SD_BUS_ERROR_ACCESS_DENIED, "no");
	if (ours >= 0)
		close(ours);
	ck_assert_int_eq(pipe2(pair, O_CLOEXEC | O_NONBLOCK), 0);
	ours = pair[0];
	r = sd_bus_reply_method_return(message, "h", pair[1]);
	close(pair[1]);
	return r;
}

static void turn(void)
{
	bus_turn();
	while (logind && sd_bus_process(logind, NULL) > 0)
		;
}

#define until(condition) bus_until_by(turn, condition)

static void on_end(void *arg)
{
	ck_assert_ptr_eq(arg, &login);
	ends++;
	if (lets_go)
		login_delay(login, false);
}

static bool is_delayed(void)
{
	char byte;

	return ours >= 0 && read(ours, &byte, 1) != 0;
}

static void serve(void)
{
	ck_assert_int_ge(sd_bus_open_system(&logind), 0);
	ck_assert_int_ge(sd_bus_add_fallback(logind, NULL, "/", on_inhibit, NULL), 0);
	ck_assert_int_ge(sd_bus_request_name(logind, "org.freedesktop.login1", 0), 0);
}

static void shut_down(int begins)
{
	ck_assert_int_ge(
		sd_bus_emit_signal(logind, "/org/freedesktop/login1",
			"org.freedesktop.login1.Manager", "PrepareForShutdown", "b", begins),
		0);
}

static void setup(void)
{
	bus_setup();
	ours = -1;
	locks = ends = 0;
	refuses = lets_go = false;
	if (!bus_is_possible())
		return;
	bus_start();
	login = login_create(bus_loop, on_end, &login);
}

static void teardown(void)
{
	login = login_destroy(login);
	logind = sd_bus_flush_close_unref(logind);
	if (ours >= 0)
		close(ours);
	bus_teardown();
}

START_TEST(delayed_while_asked_for)
{
	if (!login)
		return;
	serve();
	for (int i = 0; i < 5; i++)
		turn();
	ck_assert_int_eq(locks, 0);
	login_delay(login, true);
	login_delay(login, true);
	until(is_delayed());
	shut_down(false); /* one that was called off */
	for (int i = 0; i < 5; i++)
		turn();
	ck_assert_int_eq(ends, 0);
	shut_down(true);
	until(ends == 1);
	ck_assert(is_delayed());
	login_delay(login, false);
	until(!is_delayed());
	ck_assert_int_eq(locks, 1);
	login_delay(login, true);
	until(locks == 2 && is_delayed());
	login = login_destroy(login);
	until(!is_delayed());
}
END_TEST

START_TEST(let_go_at_once)
{
	if (!login)
		return;
	serve();
	lets_go = true;
	login_delay(login, true);
	until(is_delayed());
	shut_down(true);
	until(ends == 1 && !is_delayed());
}
END_TEST

START_TEST(logind_refuses)
{
	if (!login)
		return;
	serve();
	refuses = true;
	login_delay(login, true);
	until(locks == 1);
	shut_down(true);
	until(ends == 1);
}
END_TEST

START_TEST(there_is_no_logind)
{
	if (!login)
		return;
	login_delay(login, true);
	for (int i = 0; i < 20; i++)
		turn();
	login_delay(login, false);
	bus_kill();
	login_delay(login, true);
	for (int i = 0; i < 20; i++)
		turn();
	ck_assert_int_eq(ends, 0);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("login");
	TCase *tcase = tcase_create("login");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 2 * BUS_DEADLINE_S);
	tcase_add_test(tcase, delayed_while_asked_for);
	tcase_add_test(tcase, let_go_at_once);
	tcase_add_test(tcase, logind_refuses);
	tcase_add_test(tcase, there_is_no_logind);
	suite_add_tcase(suite, tcase);
	return suite;
}
