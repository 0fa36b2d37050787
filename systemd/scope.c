/* scope.c: gives the Dask scheduler a unit of its own: a transient scope of the user manager.
 *
 *	IDLE -> ASKED (StartTransientUnit) -> QUEUED (its job) -> IDLE
 *
 * What the manager says of its job is a hint: whether the process is in the unit is what the
 * kernel's list of its cgroups says. */
#include "systemd/scope.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "daemon/io/cgroup.h"
#include "daemon/io/loop.h"
#include "systemd/bus.h"

#define MANAGER	  "org.freedesktop.systemd1"
#define PATH	  "/org/freedesktop/systemd1"
#define INTERFACE MANAGER ".Manager"
#define JOB_MS	  10000 /* for the manager to do it */
#define AGAIN_MS  500
#define TRIES	  4

struct scope {
	char *unit, *slice;
	char *own_unit;	    /* that of dracod; NULL: it is no service, and has no scope */
	sd_bus *connection; /* NULL: the bus is not up */
	sd_bus_slot *match, *call;
	struct loop_timer *timer; /* the next try, or the end of patience */
	pid_t pid;		  /* wanted in the unit; 0: none */
	struct scope_limits limits;
	char *job; /* the manager's; NULL: it was not asked, or has not answered */
	int tries;
	scope_settled_fn fn;
	void *arg;
};

static void drop(struct scope *scope)
{
	scope->call = sd_bus_slot_unref(scope->call);
	scope->match = sd_bus_slot_unref(scope->match);
	xreplace(&scope->job, NULL);
	loop_timer_stop(scope->timer);
}

static bool is_in_unit(const struct scope *scope)
{
	_cleanup_free_ char *directory = cgroup_of_unit(scope->pid, scope->unit);

	return directory && strcmp(cgroup_unit_name(directory), scope->unit) == 0;
}

/* The manager has done what it can. */
static void settle(struct scope *scope, const char *why)
{
	drop(scope);
	if (is_in_unit(scope)) {
		log_debug("scheduler: process %d is in %s", (int)scope->pid, scope->unit);
		scope->fn(scope->arg, NULL);
	} else if (kill(scope->pid, 0) == 0) {
		scope->fn(scope->arg, why);
	}
}

static int on_removed(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	const char *path = "", *unit = "", *result = "";
	_cleanup_free_ char *why = NULL;
	struct scope *scope = arg;
	uint32_t id = 0;

	(void)error;
	if (!scope->job ||
		sd_bus_message_read(message, "uoss", &id, &path, &unit, &result) < 0 ||
		strcmp(path, scope->job) != 0)
		return 0;
	why = xasprintf("the job that starts %s ended with \"%s\"", scope->unit, result);
	settle(scope, why);
	return 0;
}

/* Will it be another answer soon? */
static bool passes(const sd_bus_error *refused)
{
	static const char *const names[] = {
		MANAGER ".UnitExists",	      /* of the former process */
		SD_BUS_ERROR_NO_REPLY,	      /* the manager is executed again ... */
		SD_BUS_ERROR_SERVICE_UNKNOWN, /* ... and not on the bus yet */
		SD_BUS_ERROR_NAME_HAS_NO_OWNER,
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (sd_bus_error_has_name(refused, names[i]))
			return true;
	return false;
}

static int on_answer(sd_bus_message *answer, void *arg, sd_bus_error *error)
{
	const sd_bus_error *refused = sd_bus_message_get_error(answer);
	struct scope *scope = arg;
	const char *path = NULL;

	(void)error;
	scope->call = sd_bus_slot_unref(scope->call);
	if (!refused && sd_bus_message_read(answer, "o", &path) >= 0) {
		xreplace(&scope->job, path);
		return 0;
	}
	if (refused && passes(refused) && scope->tries < TRIES) {
		drop(scope);
		loop_timer_start(scope->timer, AGAIN_MS);
		return 0;
	}
	settle(scope, refused && refused->message ? refused->message : "the answer is strange");
	return 0;
}

static int add_limit(sd_bus_message *message, const char *name, int64_t value)
{
	return value > 0 ? sd_bus_message_append(message, "(sv)", name, "t", (uint64_t)value)
			 : 0;
}

static int add_properties(const struct scope *scope, sd_bus_message *message)
{
	const struct scope_limits *limits = &scope->limits;
	int r = sd_bus_message_open_container(message, 'a', "(sv)");

	if (r >= 0)
		r = sd_bus_message_append(message, "(sv)(sv)(sv)(sv)(sv)", "Description", "s",
			"Dask scheduler of draco", "Slice", "s", scope->slice, "CollectMode",
			"s", "inactive-or-failed", "PIDs", "au", 1, (uint32_t)scope->pid,
			/* At a logout dracod ends first, which ends the scheduler itself. */
			"Before", "as", 1, scope->own_unit);
	if (r >= 0)
		r = add_limit(message, "MemoryHigh", limits->memory_high);
	if (r >= 0)
		r = add_limit(message, "MemoryMax", limits->memory_max);
	if (r >= 0)
		r = add_limit(message, "CPUWeight", limits->cpu_weight);
	if (r >= 0)
		r = add_limit(message, "TasksMax", limits->tasks_max);
	return r < 0 ? r : sd_bus_message_close_container(message);
}

static int ask(struct scope *scope)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	/* The match comes first, so that no answer is missed. Without the manager's Subscribe()
	 * only the ends of own jobs are heard. */
	int r = sd_bus_match_signal_async(scope->connection, &scope->match, MANAGER, PATH,
		INTERFACE, "JobRemoved", on_removed, NULL, scope);

	if (r >= 0)
		r = sd_bus_message_new_method_call(scope->connection, &message, MANAGER, PATH,
			INTERFACE, "StartTransientUnit");
	if (r >= 0)
		r = sd_bus_message_set_auto_start(message, 0);
	if (r >= 0)
		r = sd_bus_message_append(message, "ss", scope->unit, "fail");
	if (r >= 0)
		r = add_properties(scope, message);
	if (r >= 0)
		r = sd_bus_message_append(message, "a(sa(sv))", 0);
	if (r >= 0)
		r = sd_bus_call_async(scope->connection, &scope->call, message, on_answer,
			scope, BUS_CALL_US);
	return r;
}

static void try(struct scope *scope)
{
	int r;

	drop(scope);
	if (!scope->connection || !scope->own_unit || scope->pid == 0)
		return;
	if (is_in_unit(scope)) { /* another dracod has asked for it */
		settle(scope, NULL);
		return;
	}
	scope->tries++;
	r = ask(scope);
	if (r < 0)
		settle(scope, strerror(-r));
	else
		loop_timer_start(scope->timer, JOB_MS);
}

static void on_timer(void *arg)
{
	struct scope *scope = arg;

	if (scope->match)
		settle(scope, "the user manager does not answer");
	else
		try(scope);
}

void scope_want(struct scope *scope, pid_t pid, const struct scope_limits *limits)
{
	if (pid == scope->pid)
		return;
	scope->pid = pid;
	scope->limits = *limits;
	scope->tries = 0;
	try(scope);
}

void scope_up(struct scope *scope, struct sd_bus *connection)
{
	scope->connection = connection;
	try(scope);
}

void scope_down(struct scope *scope)
{
	drop(scope);
	scope->connection = NULL;
}

/* The name as a part of a unit's name that has no meaning: "a-b" would be a slice in "a". The
 * caller frees. */
static char *escape(const char *name)
{
	char *text = xcalloc(strlen(name) + 1, strlen("\\x2d")), *end = text;

	for (; *name; name++)
		if (strchr("-@:\\", *name))
			end += sprintf(end, "\\x%02x", *name);
		else
			*end++ = *name;
	return text;
}

struct scope *scope_create(struct loop *loop, const char *name, scope_settled_fn fn, void *arg)
{
	struct scope *scope = xcalloc(1, sizeof(*scope));
	_cleanup_free_ char *label = escape(name), *own = cgroup_of_unit(getpid(), "");
	const char *dot = own ? strrchr(own, '.') : NULL;

	scope->unit = xasprintf(CGROUP_SCHEDULER "%s.scope", label);
	scope->slice = xasprintf("draco-%s.slice", label);
	if (dot && strcmp(dot, ".service") == 0)
		scope->own_unit = xstrdup(cgroup_unit_name(own));
	scope->timer = loop_timer_create(loop, on_timer, scope);
	scope->fn = fn;
	scope->arg = arg;
	return scope;
}

struct scope *scope_destroy(struct scope *scope)
{
	if (!scope)
		return NULL;
	drop(scope);
	loop_timer_destroy(scope->timer);
	free(scope->unit);
	free(scope->slice);
	free(scope->own_unit);
	free(scope);
	return NULL;
}
