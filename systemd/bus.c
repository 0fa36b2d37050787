/* bus.c: a connection to a message bus (sd-bus), driven by the event loop.
 *
 * libevent has no hook that runs before each wait, and sd-bus may want something else after each
 * call of it. So what it wants is read again before each turn: descriptor, direction and time. */
#include "systemd/bus.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/sock.h"
#include "daemon/io/loop.h"

#define MESSAGES_PER_TURN 32 /* then other events have their turn */
#define SYSTEM_SOCKET	  "unix:path=/run/dbus/system_bus_socket"
#define NEVER		  UINT64_MAX

struct bus {
	enum bus_kind kind;
	struct loop *loop;
	struct loop_prepare *prepare;
	struct loop_watch *watch; /* NULL: no connection */
	struct loop_timer *due;	  /* sd-bus wants to be called then */
	struct loop_timer *retry; /* no connection: try again; or it takes too long */
	int64_t retry_ms;
	uint64_t due_us; /* when the timer ends; NEVER: it is stopped */
	sd_bus *connection;
	bool up;
	int told; /* the last error in the log */
	const struct bus_ops *ops;
	void *arg;
};

static const char *kind_name(const struct bus *bus)
{
	return bus->kind == BUS_USER ? "user bus" : "system bus";
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Let the connection go, whatever its state. */
static void drop(struct bus *bus)
{
	bus->up = false;
	bus->watch = loop_watch_destroy(bus->watch);
	loop_timer_stop(bus->due);
	bus->due_us = NEVER;
	if (bus->connection)
		sd_bus_close(bus->connection);
	bus->connection = sd_bus_unref(bus->connection);
}

/* The connection is lost, or there was none: try again later. error: positive errno. */
static void lose(struct bus *bus, int error)
{
	bool was_up = bus->up;

	drop(bus);
	if (was_up)
		log_info("%s: the connection is lost: %s", kind_name(bus), strerror(error));
	else if (error != bus->told)
		log_debug("%s: no connection: %s", kind_name(bus), strerror(error));
	bus->told = was_up ? 0 : error;
	bus->retry_ms = was_up ? BUS_RETRY_MIN_MS : bus->retry_ms * 2;
	if (bus->retry_ms > BUS_RETRY_MAX_MS)
		bus->retry_ms = BUS_RETRY_MAX_MS;
	loop_timer_start(bus->retry, bus->retry_ms);
	if (was_up)
		bus->ops->down(bus->arg);
}

/* sd-bus is ready once the bus has answered the hello. */
static void look_if_up(struct bus *bus)
{
	if (bus->up || sd_bus_is_ready(bus->connection) <= 0)
		return;
	bus->up = true;
	bus->told = 0;
	loop_timer_stop(bus->retry);
	log_debug("%s: connected", kind_name(bus));
	bus->ops->up(bus->arg, bus->connection);
}

static void on_work(void *arg)
{
	struct bus *bus = arg;
	int r = 1;

	bus->due_us = NEVER;
	for (int i = 0; r > 0 && i < MESSAGES_PER_TURN; i++) {
		r = sd_bus_process(bus->connection, NULL);
		if (r >= 0)
			look_if_up(bus);
	}
	if (r < 0)
		lose(bus, -r);
}

/* Before each wait: what does sd-bus wait for now? */
static void on_turn(void *arg)
{
	struct bus *bus = arg;
	uint64_t until_us = NEVER, now;
	int events;

	if (!bus->connection)
		return;
	events = sd_bus_get_events(bus->connection);
	if (events < 0 || sd_bus_get_timeout(bus->connection, &until_us) < 0) {
		lose(bus, ENOTCONN);
		return;
	}
	loop_watch_set_for(bus->watch, events & POLLIN, events & POLLOUT);
	if (until_us == bus->due_us)
		return;
	bus->due_us = until_us;
	now = now_us();
	if (until_us == NEVER)
		loop_timer_stop(bus->due);
	else
		loop_timer_start(bus->due,
			until_us > now ? (int64_t)((until_us - now + 999) / 1000) : 0);
}

/* Where the bus is, if it has a socket of this host: other ways to connect may wait. NULL: there is
 * no bus. The caller frees. */
static char *find_address(enum bus_kind kind)
{
	const char *named = getenv(
		kind == BUS_USER ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS");
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	_cleanup_free_ char *escaped = NULL;

	if (named && strncmp(named, "unix:", strlen("unix:")) == 0 && !strchr(named, ';'))
		return xstrdup(named);
	if (kind == BUS_SYSTEM)
		return xstrdup(SYSTEM_SOCKET);
	if ((named && *named) || !runtime || runtime[0] != '/' || strpbrk(runtime, "%,;="))
		return NULL;
	return xasprintf("unix:path=%s/bus", runtime);
}

/* Begin to connect. After su or sudo the variables may name the bus of another user, who would
 * then be told what is meant for this one. 0 or -errno. */
static int begin(struct bus *bus)
{
	_cleanup_free_ char *address = find_address(bus->kind);
	uid_t uid;
	pid_t pid;
	int r;

	if (!address)
		return -ENOENT;
	r = sd_bus_new(&bus->connection);
	if (r >= 0)
		r = sd_bus_set_address(bus->connection, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus->connection, 1);
	if (r >= 0)
		r = sd_bus_set_trusted(bus->connection, bus->kind == BUS_USER);
	if (r >= 0)
		r = sd_bus_start(bus->connection);
	if (r >= 0)
		r = sd_bus_get_fd(bus->connection);
	if (r < 0)
		return r;
	bus->watch = loop_watch_create(bus->loop, r, on_work, bus);
	r = sock_peer(r, &uid, &pid);
	if (r == 0 && bus->kind == BUS_USER && uid != geteuid())
		return -EPERM;
	return r;
}

static void on_retry(void *arg)
{
	struct bus *bus = arg;
	int r;

	if (bus->connection) {
		lose(bus, ETIMEDOUT);
		return;
	}
	r = begin(bus);
	if (r < 0)
		lose(bus, -r);
	else
		loop_timer_start(bus->retry, BUS_CONNECT_MS);
}

struct bus *bus_create(
	struct loop *loop, enum bus_kind kind, const struct bus_ops *ops, void *arg)
{
	struct bus *bus = xcalloc(1, sizeof(*bus));

	bus->kind = kind;
	bus->loop = loop;
	bus->ops = ops;
	bus->arg = arg;
	bus->due_us = NEVER;
	bus->retry_ms = BUS_RETRY_MIN_MS / 2;
	bus->prepare = loop_prepare_create(loop, on_turn, bus);
	bus->due = loop_timer_create(loop, on_work, bus);
	bus->retry = loop_timer_create(loop, on_retry, bus);
	loop_timer_start(bus->retry, 0);
	return bus;
}

struct bus *bus_destroy(struct bus *bus)
{
	if (!bus)
		return NULL;
	/* What is pending fits into the socket, or the bus does not read: then it is lost. */
	for (int i = 0; bus->up && i < MESSAGES_PER_TURN; i++)
		if ((sd_bus_get_events(bus->connection) & POLLOUT) == 0 ||
			sd_bus_process(bus->connection, NULL) <= 0)
			break;
	drop(bus);
	loop_prepare_destroy(bus->prepare);
	loop_timer_destroy(bus->due);
	loop_timer_destroy(bus->retry);
	free(bus);
	return NULL;
}

struct sd_bus *bus_connection(const struct bus *bus)
{
	return bus && bus->up ? bus->connection : NULL;
}
