/* restart.c: when the service manager ends dracod: does it start it again at once?
 *
 * A process cannot tell "systemctl restart" from "systemctl stop": both are a SIGTERM. While the
 * unit stops, it has a job that says so: three questions lead to its type. */
#include "systemd/restart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"

#define MANAGER	    "org.freedesktop.systemd1"
#define QUESTION_US ((uint64_t)RESTART_ASK_MS * 1000 / 3)

struct restart {
	sd_bus_slot *slot; /* the question; NULL: none */
	restart_fn fn;
	void *arg;
};

static void tell(struct restart *restart, bool restarts)
{
	restart->slot = sd_bus_slot_unref(restart->slot);
	restart->fn(restart->arg, restarts);
}

static int get_property(struct restart *restart, sd_bus *connection, const char *path,
	const char *interface, const char *name, sd_bus_message_handler_t fn)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	int r = sd_bus_message_new_method_call(
		connection, &message, MANAGER, path, "org.freedesktop.DBus.Properties", "Get");

	restart->slot = sd_bus_slot_unref(restart->slot);
	if (r >= 0)
		r = sd_bus_message_append(message, "ss", interface, name);
	if (r >= 0)
		r = sd_bus_call_async(
			connection, &restart->slot, message, fn, restart, QUESTION_US);
	return r;
}

static int on_type(sd_bus_message *answer, void *arg, sd_bus_error *error)
{
	const char *type = "";

	(void)error;
	if (!sd_bus_message_is_method_error(answer, NULL))
		sd_bus_message_read(answer, "v", "s", &type);
	tell(arg, strcmp(type, "restart") == 0);
	return 0;
}

static int on_job(sd_bus_message *answer, void *arg, sd_bus_error *error)
{
	struct restart *restart = arg;
	const char *path = NULL;
	uint32_t id = 0;
	int r = -ENOENT;

	(void)error;
	if (!sd_bus_message_is_method_error(answer, NULL))
		r = sd_bus_message_read(answer, "v", "(uo)", &id, &path);
	if (r >= 0 && id > 0)
		r = get_property(restart, sd_bus_message_get_bus(answer), path, MANAGER ".Job",
			"JobType", on_type);
	if (r < 0 || id == 0)
		tell(restart, false);
	return 0;
}

static int on_unit(sd_bus_message *answer, void *arg, sd_bus_error *error)
{
	struct restart *restart = arg;
	const char *path = NULL;
	int r = -ENOENT;

	(void)error;
	if (!sd_bus_message_is_method_error(answer, NULL))
		r = sd_bus_message_read(answer, "o", &path);
	if (r >= 0)
		r = get_property(restart, sd_bus_message_get_bus(answer), path, MANAGER ".Unit",
			"Job", on_job);
	if (r < 0)
		tell(restart, false);
	return 0;
}

int restart_ask(struct restart *restart, struct sd_bus *connection)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	int r = sd_bus_message_new_method_call(connection, &message, MANAGER,
		"/org/freedesktop/systemd1", MANAGER ".Manager", "GetUnitByPID");

	if (r >= 0)
		r = sd_bus_message_append(message, "u", (uint32_t)getpid());
	if (r >= 0)
		r = sd_bus_message_set_auto_start(message, 0);
	restart->slot = sd_bus_slot_unref(restart->slot);
	if (r >= 0)
		r = sd_bus_call_async(
			connection, &restart->slot, message, on_unit, restart, QUESTION_US);
	return r < 0 ? r : 0;
}

void restart_down(struct restart *restart)
{
	if (restart->slot)
		tell(restart, false);
}

struct restart *restart_create(restart_fn fn, void *arg)
{
	struct restart *restart = xcalloc(1, sizeof(*restart));

	restart->fn = fn;
	restart->arg = arg;
	return restart;
}

struct restart *restart_destroy(struct restart *restart)
{
	if (restart)
		sd_bus_slot_unref(restart->slot);
	free(restart);
	return NULL;
}
