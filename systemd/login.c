/* login.c: logind: the end of the host is delayed while there are jobs to give back.
 *
 * The system bus is connected only while that is so. */
#include "systemd/login.h"

#include <fcntl.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "daemon/io/loop.h"
#include "systemd/bus.h"

#define LOGIND	  "org.freedesktop.login1"
#define PATH	  "/org/freedesktop/login1"
#define INTERFACE "org.freedesktop.login1.Manager"

struct login {
	struct loop *loop;
	struct bus *bus; /* NULL: nothing is to be delayed */
	sd_bus_slot *match, *call;
	struct loop_timer *tell; /* calls fn, which may let the bus go, after the bus's turn */
	int lock;		 /* logind waits until it is closed; -1: none */
	void (*fn)(void *arg);
	void *arg;
};

static void drop_slots(struct login *login)
{
	login->match = sd_bus_slot_unref(login->match);
	login->call = sd_bus_slot_unref(login->call);
}

static int on_prepare(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	struct login *login = arg;
	int begins = 0;

	(void)error;
	if (sd_bus_message_read(message, "b", &begins) >= 0 && begins)
		loop_timer_start(login->tell, 0);
	return 0;
}

static void on_tell(void *arg)
{
	struct login *login = arg;

	login->fn(login->arg);
}

static int on_lock(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	struct login *login = arg;
	int fd;

	(void)error;
	login->call = sd_bus_slot_unref(login->call);
	if (sd_bus_message_is_method_error(message, NULL))
		log_debug("logind: does not delay a shutdown: %s",
			sd_bus_message_get_error(message)->message);
	else if (sd_bus_message_read(message, "h", &fd) >= 0)
		login->lock = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* the message owns fd */
	return 0;
}

static void on_up(void *arg, struct sd_bus *connection)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	struct login *login = arg;
	int r = sd_bus_match_signal_async(connection, &login->match, LOGIND, PATH, INTERFACE,
		"PrepareForShutdown", on_prepare, NULL, login);

	if (r < 0 || login->lock >= 0)
		return; /* a lock outlives the connection */
	r = sd_bus_message_new_method_call(
		connection, &message, LOGIND, PATH, INTERFACE, "Inhibit");
	if (r >= 0)
		r = sd_bus_message_append(message, "ssss", "shutdown", "draco",
			"gives the jobs of a Dask cluster back to Slurm", "delay");
	if (r >= 0)
		sd_bus_call_async(
			connection, &login->call, message, on_lock, login, BUS_CALL_US);
}

static void on_down(void *arg)
{
	drop_slots(arg);
}

void login_delay(struct login *login, bool delay)
{
	static const struct bus_ops ops = {on_up, on_down};

	if (delay && !login->bus) {
		login->bus = bus_create(login->loop, BUS_SYSTEM, &ops, login);
	} else if (!delay && login->bus) {
		drop_slots(login);
		login->bus = bus_destroy(login->bus);
		if (login->lock >= 0)
			close(TAKE_FD(login->lock));
	}
}

struct login *login_create(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct login *login = xcalloc(1, sizeof(*login));

	login->loop = loop;
	login->lock = -1;
	login->tell = loop_timer_create(loop, on_tell, login);
	login->fn = fn;
	login->arg = arg;
	return login;
}

struct login *login_destroy(struct login *login)
{
	if (!login)
		return NULL;
	login_delay(login, false);
	loop_timer_destroy(login->tell);
	free(login);
	return NULL;
}
