/* check_bus.c: tests of systemd/bus.c, with a real bus and with what only looks like one. */
#include "unit.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "bus_fixture.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/sock.h"
#include "daemon/io/loop.h"
#include "systemd/bus.h"

static struct bus *bus;
static int ups, downs, answers, failed_with, ticks;
static sd_bus_slot *call;

static void on_up(void *arg, struct sd_bus *connection)
{
	(void)arg;
	ck_assert_ptr_eq(connection, bus_connection(bus));
	ups++;
}

static void on_down(void *arg)
{
	(void)arg;
	ck_assert_ptr_null(bus_connection(bus));
	call = sd_bus_slot_unref(call);
	downs++;
}

static const struct bus_ops ops = {on_up, on_down};

static void setup(void)
{
	ups = downs = answers = failed_with = ticks = 0;
	bus_setup();
}

static void teardown(void)
{
	sd_bus_slot_unref(call);
	call = NULL;
	bus = bus_destroy(bus);
	bus_teardown();
}

static int on_answer(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	(void)arg;
	(void)error;
	answers++;
	failed_with = sd_bus_message_get_errno(message);
	return 0;
}

/* Call a method, with a limit, of the bus itself or of a peer. */
static void ask(const char *peer, const char *method, uint64_t limit_us)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;

	ck_assert_int_ge(sd_bus_message_new_method_call(bus_connection(bus), &message, peer,
				 "/org/freedesktop/DBus", "org.freedesktop.DBus", method),
		0);
	ck_assert_int_ge(sd_bus_call_async(bus_connection(bus), &call, message, on_answer, NULL,
				 limit_us),
		0);
}

START_TEST(a_call_is_answered)
{
	if (!bus_is_possible())
		return;
	bus_start();
	bus = bus_create(bus_loop, BUS_USER, &ops, NULL);
	bus_until(ups == 1);
	ask("org.freedesktop.DBus", "ListNames", BUS_CALL_US);
	bus_until(answers == 1);
	ck_assert_int_eq(failed_with, 0);
	ck_assert_int_eq(downs, 0);
}
END_TEST

START_TEST(many_messages_pass)
{
	enum { MANY = 1000 };

	if (!bus_is_possible())
		return;
	bus_start();
	bus = bus_create(bus_loop, BUS_SYSTEM, &ops, NULL);
	bus_until(ups == 1);
	for (int i = 0; i < MANY; i++)
		ck_assert_int_ge(
			sd_bus_call_method_async(bus_connection(bus), NULL,
				"org.freedesktop.DBus", "/org/freedesktop/DBus",
				"org.freedesktop.DBus", "ListNames", on_answer, NULL, NULL),
			0);
	bus_until(answers == MANY);
	ck_assert_int_eq(failed_with, 0);
}
END_TEST

START_TEST(it_comes_later_and_goes_and_comes_again)
{
	if (!bus_is_possible())
		return;
	bus = bus_create(bus_loop, BUS_USER, &ops, NULL);
	for (int i = 0; i < 10; i++)
		bus_turn();
	ck_assert_int_eq(ups, 0);
	ck_assert_ptr_null(bus_connection(bus));
	bus_start();
	bus_until(ups == 1);
	ask("org.freedesktop.DBus", "ListNames", BUS_CALL_US);
	bus_kill();
	bus_until(downs == 1);
	ck_assert_int_eq(ups, 1);
	bus_start();
	bus_until(ups == 2);
	answers = 0;
	ask("org.freedesktop.DBus", "ListNames", BUS_CALL_US);
	bus_until(answers == 1);
}
END_TEST

/* Read the name of the own connection, then let a second one that never answers be called. */
START_TEST(a_call_ends_by_its_limit_or_is_cancelled)
{
	_cleanup_(sd_bus_unrefp) sd_bus *deaf = NULL;
	const char *name;

	if (!bus_is_possible())
		return;
	bus_start();
	ck_assert_int_ge(sd_bus_open_user(&deaf), 0);
	ck_assert_int_ge(sd_bus_get_unique_name(deaf, &name), 0);
	bus = bus_create(bus_loop, BUS_USER, &ops, NULL);
	bus_until(ups == 1);
	ask(name, "Anything", 50000);
	bus_until(answers == 1);
	ck_assert_int_eq(failed_with, ETIMEDOUT);
	call = sd_bus_slot_unref(call);
	ask(name, "Anything", 20000);
	call = sd_bus_slot_unref(call);
	for (int i = 0; i < 10; i++)
		bus_turn();
	ck_assert_int_eq(answers, 1);
	ck_assert_int_eq(downs, 0);
}
END_TEST

static void on_tick(void *arg)
{
	ticks++;
	loop_timer_start(*(struct loop_timer **)arg, 1);
}

/* A socket that takes connections and says nothing holds nobody up. */
START_TEST(a_silent_bus_holds_nothing_up)
{
	_cleanup_free_ char *path = xasprintf("%s/bus", bus_directory);
	_cleanup_close_ int fd = sock_listen(path, NULL);
	struct loop_timer *tick = NULL;

	tick = loop_timer_create(bus_loop, on_tick, &tick);
	loop_timer_start(tick, 0);
	bus = bus_create(bus_loop, BUS_USER, &ops, NULL);
	for (int i = 0; i < 10; i++)
		bus_turn();
	ck_assert_int_ge(ticks, 10);
	ck_assert_int_eq(ups, 0);
	loop_timer_destroy(tick);
}
END_TEST

START_TEST(the_bus_of_another_user_is_not_used)
{
	_cleanup_free_ char *path = xasprintf("%s/bus", bus_directory);
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	_cleanup_close_ int peer = -1;
	char byte;

	if (geteuid() != 0) {
		puts("skipped: only root can listen as another user");
		return;
	}
	strcpy(address.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(seteuid(65534), 0);
	ck_assert_int_eq(listen(fd, 5), 0); /* whose socket it is for the other side */
	ck_assert_int_eq(seteuid(0), 0);
	bus = bus_create(bus_loop, BUS_USER, &ops, NULL);
	bus_until((peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0);
	bus_turn();
	while (recv(peer, &byte, 1, 0) == 1)
		;
	ck_assert_int_eq(recv(peer, &byte, 1, 0), 0); /* it has hung up */
	ck_assert_int_eq(ups, 0);
}
END_TEST

/* Addresses that could make the daemon wait, or start a program, are none. */
START_TEST(other_addresses_are_not_followed)
{
	static const char *const addresses[] = {"unixexec:path=/bin/touch,argv1=made",
		"tcp:host=localhost,port=1",
		"autolaunch:", "unix:path=/no/bus;tcp:host=a,port=1", "nonsense"};

	for (size_t i = 0; i < LENGTH(addresses); i++) {
		setenv("DBUS_SESSION_BUS_ADDRESS", addresses[i], 1);
		bus = bus_create(bus_loop, BUS_USER, &ops, NULL);
		bus_turn();
		ck_assert_ptr_null(bus_connection(bus));
		bus = bus_destroy(bus);
	}
	ck_assert_int_eq(ups + downs, 0);
}
END_TEST

START_TEST(the_runtime_directory_has_the_bus)
{
	if (!bus_is_possible())
		return;
	unsetenv("DBUS_SESSION_BUS_ADDRESS");
	setenv("XDG_RUNTIME_DIR", bus_directory, 1);
	bus_start();
	bus = bus_create(bus_loop, BUS_USER, &ops, NULL);
	bus_until(ups == 1);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("bus");
	TCase *tcase = tcase_create("bus");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 2 * BUS_DEADLINE_S);
	tcase_add_test(tcase, a_call_is_answered);
	tcase_add_test(tcase, many_messages_pass);
	tcase_add_test(tcase, it_comes_later_and_goes_and_comes_again);
	tcase_add_test(tcase, a_call_ends_by_its_limit_or_is_cancelled);
	tcase_add_test(tcase, a_silent_bus_holds_nothing_up);
	tcase_add_test(tcase, the_bus_of_another_user_is_not_used);
	tcase_add_test(tcase, other_addresses_are_not_followed);
	tcase_add_test(tcase, the_runtime_directory_has_the_bus);
	suite_add_tcase(suite, tcase);
	return suite;
}
