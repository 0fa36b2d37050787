/* manager.c: dracod on the user bus: the object with its methods, properties and names. */
#include "systemd/manager.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "common/paths.h"
#include "common/rpc.h"
#include "systemd/manager_call.h"
#include "systemd/names.h"

#define TABLE_MAX (RPC_METHOD_COUNT + 16)

/* A property of struct manager; type: of D-Bus. */
struct property {
	const char *name, *type;
	size_t offset;
	bool fixed;
};

struct manager {
	char *name, *version;
	uint32_t pid;
	char *state, *waits_for, *failure;
	uint32_t jobs, pending_jobs, workers, attached;
	const struct manager_ops *ops;
	void *arg;
	sd_bus_vtable table[TABLE_MAX];
	struct manager_calls *calls;
	sd_bus *connection; /* borrowed; NULL: the bus is not up */
	sd_bus_slot *object, *own_name, *common_name;
};

static const struct property properties[] = {
	{"Name", "s", offsetof(struct manager, name), true},
	{"Version", "s", offsetof(struct manager, version), true},
	{"ProcessId", "u", offsetof(struct manager, pid), true},
	{"State", "s", offsetof(struct manager, state), false},
	{"WaitsFor", "s", offsetof(struct manager, waits_for), false},
	{"Failure", "s", offsetof(struct manager, failure), false},
	{"Jobs", "u", offsetof(struct manager, jobs), false},
	{"PendingJobs", "u", offsetof(struct manager, pending_jobs), false},
	{"Workers", "u", offsetof(struct manager, workers), false},
	{"Attached", "u", offsetof(struct manager, attached), false},
};

static int find_method(const char *member)
{
	for (int i = 0; i < RPC_METHOD_COUNT; i++)
		if (rpc_methods[i].member && strcmp(rpc_methods[i].member, member) == 0)
			return i;
	return -ENOENT;
}

static int on_method(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	struct manager *manager = arg;
	int method = find_method(sd_bus_message_get_member(message));
	int fd = method < 0 ? method : manager->ops->connect(manager->arg);

	(void)error;
	return fd < 0 ? fd : manager_calls_request(manager->calls, message, method, fd);
}

static int on_clusters(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	struct manager *manager = arg;

	(void)error;
	return manager_calls_list(manager->calls, message);
}

#ifdef SD_BUS_METHOD_WITH_NAMES
#define METHOD(member, in, in_names, out, out_names, handler) \
	(sd_bus_vtable) SD_BUS_METHOD_WITH_NAMES(             \
		member, in, in_names, out, out_names, handler, SD_BUS_VTABLE_UNPRIVILEGED)
#else /* before systemd 243 */
#define SD_BUS_PARAM(name)
#define METHOD(member, in, in_names, out, out_names, handler) \
	(sd_bus_vtable) SD_BUS_METHOD(member, in, out, handler, SD_BUS_VTABLE_UNPRIVILEGED)
#endif

/* The object's description for sd-bus, from the table of methods and that of properties. */
static void make_table(sd_bus_vtable *row)
{
	*row++ = (sd_bus_vtable)SD_BUS_VTABLE_START(0);
	for (int i = 0; i < RPC_METHOD_COUNT; i++)
		if (rpc_methods[i].member)
			*row++ =
				METHOD(rpc_methods[i].member, "a{sv}", SD_BUS_PARAM(parameters),
					"a{sv}", SD_BUS_PARAM(result), on_method);
	*row++ = METHOD("Clusters", "", , "a(ss)", SD_BUS_PARAM(clusters), on_clusters);
	for (size_t i = 0; i < sizeof(properties) / sizeof(properties[0]); i++)
		*row++ = (sd_bus_vtable)SD_BUS_PROPERTY(properties[i].name, properties[i].type,
			NULL, properties[i].offset,
			properties[i].fixed ? SD_BUS_VTABLE_PROPERTY_CONST
					    : SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE);
	*row = (sd_bus_vtable)SD_BUS_VTABLE_END;
}

static int on_named(sd_bus_message *answer, void *arg, sd_bus_error *error)
{
	(void)error;
	if (sd_bus_message_get_errno(answer))
		log_warning("user bus: the name %s is not given: %s", (const char *)arg,
			sd_bus_message_get_error(answer)->message);
	return 0;
}

/* Ask for the names: for the name of all dracods, wait in line where another has it already. */
static int take_names(struct manager *manager)
{
	_cleanup_free_ char *label = NULL, *name = NULL;
	bool first = strcmp(manager->name, PATHS_NAME_DEFAULT) == 0;
	int r = sd_bus_path_encode("/", manager->name, &label);

	if (r < 0)
		return r;
	name = xasprintf(MANAGER_NAME ".%s", label + 1);
	r = sd_bus_request_name_async(manager->connection, &manager->own_name, name, 0,
		on_named, UNCONST("of this cluster"));
	if (r < 0)
		return r;
	return sd_bus_request_name_async(manager->connection, &manager->common_name,
		MANAGER_NAME,
		SD_BUS_NAME_QUEUE |
			(first ? SD_BUS_NAME_REPLACE_EXISTING : SD_BUS_NAME_ALLOW_REPLACEMENT),
		on_named, UNCONST(MANAGER_NAME));
}

void manager_up(struct manager *manager, struct sd_bus *connection)
{
	int r;

	manager->connection = connection;
	r = sd_bus_add_object_vtable(connection, &manager->object, MANAGER_PATH, MANAGER_NAME,
		manager->table, manager);
	if (r >= 0)
		r = take_names(manager);
	if (r < 0)
		log_warning("user bus: cannot serve there: %s", strerror(-r));
}

void manager_down(struct manager *manager)
{
	manager->connection = NULL;
	manager_calls_drop(manager->calls);
	manager->object = sd_bus_slot_unref(manager->object);
	manager->own_name = sd_bus_slot_unref(manager->own_name);
	manager->common_name = sd_bus_slot_unref(manager->common_name);
}

static void change_text(char **target, const char *text, const char *name, const char ***list)
{
	if (strcmp(*target, text) == 0)
		return;
	xreplace(target, text);
	*(*list)++ = name;
}

static void change_number(
	uint32_t *target, uint32_t number, const char *name, const char ***list)
{
	if (*target == number)
		return;
	*target = number;
	*(*list)++ = name;
}

void manager_set_facts(struct manager *manager, const struct manager_facts *facts)
{
	const char *changed[sizeof(properties) / sizeof(properties[0]) + 1] = {NULL};
	const char **end = changed;

	change_text(&manager->state, facts->state, "State", &end);
	change_text(&manager->waits_for, facts->waits_for, "WaitsFor", &end);
	change_text(&manager->failure, facts->failure, "Failure", &end);
	change_number(&manager->jobs, facts->jobs, "Jobs", &end);
	change_number(&manager->pending_jobs, facts->pending_jobs, "PendingJobs", &end);
	change_number(&manager->workers, facts->workers, "Workers", &end);
	change_number(&manager->attached, facts->attached, "Attached", &end);
	if (manager->connection && end != changed)
		sd_bus_emit_properties_changed_strv(manager->connection, MANAGER_PATH,
			MANAGER_NAME, (char **)UNCONST(changed));
}

struct manager *manager_create(
	struct loop *loop, const char *name, const struct manager_ops *ops, void *arg)
{
	struct manager *manager = xcalloc(1, sizeof(*manager));

	manager->name = xstrdup(name);
	manager->version = xstrdup(PACKAGE_VERSION);
	manager->pid = (uint32_t)getpid();
	manager->state = xstrdup("");
	manager->waits_for = xstrdup("");
	manager->failure = xstrdup("");
	manager->ops = ops;
	manager->arg = arg;
	manager->calls = manager_calls_create(loop);
	make_table(manager->table);
	return manager;
}

struct manager *manager_destroy(struct manager *manager)
{
	if (!manager)
		return NULL;
	if (manager->connection)
		manager_calls_end(manager->calls);
	manager_down(manager);
	manager_calls_destroy(manager->calls);
	free(manager->name);
	free(manager->version);
	free(manager->state);
	free(manager->waits_for);
	free(manager->failure);
	free(manager);
	return NULL;
}
