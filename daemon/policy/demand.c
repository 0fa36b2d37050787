/* demand.c: the work of the Dask scheduler, from its preload's report. Pure. */
#include "daemon/policy/demand.h"

#include <stdio.h>
#include <string.h>

#include "common/json.h"

/* Bounds that keep sums of counts and of milliseconds from overflowing. */
#define COUNT_MAX   (INT64_C(1) << 56)
#define SECONDS_MAX 1e12

static int64_t count_of(const json_t *load, const char *name)
{
	json_int_t value = json_get_integer(load, name, 0);

	if (value < 0)
		return 0;
	return value < COUNT_MAX ? value : COUNT_MAX;
}

static double seconds_of(const json_t *load, const char *name)
{
	double value = json_number_value(json_object_get(load, name));

	if (!(value > 0))
		return 0;
	return value < SECONDS_MAX ? value : SECONDS_MAX;
}

void demand_parse(const json_t *load, struct demand *ret)
{
	*ret = (struct demand){.known = load != NULL};
	if (!load)
		return;
	ret->tasks = count_of(load, "tasks");
	ret->ready = count_of(load, "ready");
	ret->running = count_of(load, "running");
	ret->long_running = count_of(load, "long_running");
	ret->unrunnable = count_of(load, "unrunnable");
	ret->unknown = count_of(load, "unknown");
	ret->occupancy_s = seconds_of(load, "occupancy");
	ret->longest_s = seconds_of(load, "longest");
	snprintf(ret->longest, sizeof(ret->longest), "%s",
		json_get_text(load, "longest_name", ""));
	ret->memory = count_of(load, "memory");
	ret->paused = count_of(load, "paused");
	ret->pause_percent = count_of(load, "pause_percent");
	ret->waited_for = count_of(load, "waited_for");
	ret->clients = (int64_t)json_array_size(json_object_get(load, "clients"));
}

static bool has_text(const json_t *list, const char *text)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (json_is_string(item) && strcmp(json_string_value(item), text) == 0)
			return true;
	return false;
}

int64_t demand_other_clients(const json_t *load, const json_t *own)
{
	const json_t *client;
	int64_t count = 0;
	size_t i;

	json_array_foreach (json_object_get(load, "clients"), i, client)
		if (json_is_string(client))
			count += !has_text(own, json_string_value(client));
	return count;
}

bool demand_has_work(const struct demand *demand)
{
	return demand->ready > 0 || demand->running > 0 || demand->long_running > 0 ||
		demand->waited_for > 0;
}
