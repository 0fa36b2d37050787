/* death.c: judges the death of a worker by what the preload knows of it. Pure. */
#include "daemon/policy/death.h"

#include <inttypes.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/parse.h"
#include "common/strv.h"
#include "common/visible.h"

#define SHOWN_MAX 100 /* bytes of a name */

bool death_is_of_memory(const json_t *death)
{
	double memory = (double)json_get_integer(death, "memory", 0);
	double limit = (double)json_get_integer(death, "limit", 0);

	return limit > 0 && memory * 100 > limit * DEATH_MEMORY_PERCENT;
}

/* A name from Dask, where it may be anything. The caller frees. */
static char *show(const char *name)
{
	_cleanup_free_ char *clean = visible_text(name, "");

	return xasprintf("\"%.*s\"", SHOWN_MAX, clean);
}

static void add_task(const json_t *death, struct strv *parts)
{
	json_int_t tasks = json_get_integer(death, "tasks", 0);
	_cleanup_free_ char *name = show(json_get_text(death, "task", "?"));

	if (tasks == 1)
		strv_addf(parts, "task %s ran", name);
	else if (tasks > 1)
		strv_addf(parts, "task %s and %" JSON_INTEGER_FORMAT " more ran", name,
			tasks - 1);
}

static void add_memory(const json_t *death, struct strv *parts)
{
	json_int_t memory = json_get_integer(death, "memory", 0);
	json_int_t limit = json_get_integer(death, "limit", 0);
	char size[FORMAT_MAX], most[FORMAT_MAX];

	if (memory > 0 && limit > 0)
		strv_addf(parts, "its process had %s of %s", format_bytes(memory, size),
			format_bytes(limit, most));
	else if (memory > 0)
		strv_addf(parts, "its process had %s", format_bytes(memory, size));
}

static void add_results(const json_t *death, struct strv *parts)
{
	json_int_t held = json_get_integer(death, "held", 0);
	const json_t *results = json_object_get(death, "results"), *result;
	char size[FORMAT_MAX];
	size_t i;

	if (held <= 0)
		return;
	strv_addf(parts, "it held results of %s", format_bytes(held, size));
	json_array_foreach (results, i, result) {
		const char *text = json_string_value(json_array_get(result, 0));
		json_int_t bytes = json_integer_value(json_array_get(result, 1));
		_cleanup_free_ char *name = show(text ? text : "?");

		strv_addf(parts, "%s%s with %s", i == 0 ? "the largest " : "", name,
			format_bytes(bytes > 0 ? bytes : 0, size));
	}
}

char *death_describe(const json_t *death)
{
	struct strv parts = STRV_INIT;
	char *text;

	add_task(death, &parts);
	add_memory(death, &parts);
	add_results(death, &parts);
	text = parts.count ? strv_join(&parts, ", ") : NULL;
	strv_finish(&parts);
	return text;
}
