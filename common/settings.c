/* settings.c: what a user can set: the one table, and reading and checking by it. */
#include "common/settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/nearest.h"
#include "common/parse.h"

#define AT(member)	   offsetof(struct settings, member)
#define DAY_S		   86400
#define YEAR_MS		   (366LL * DAY_S * 1000)
#define WORKER_MINIMUM_MIB 100 /* below, a Dask worker runs out of memory by starting */
#define WORKERS_MAX	   100000

const struct setting settings_table[SETTING_COUNT] = {
	[SETTING_PROCESSES] = {"processes", SETTING_INTEGER, AT(processes), "20", 1, 4096, "N",
		"Dask workers (processes) in one Slurm job"},
	[SETTING_CORES] = {"cores", SETTING_INTEGER, AT(cores), "40", 1, 65535, "N",
		"CPU cores of one job; each worker has cores / processes threads"},
	[SETTING_MEMORY] = {"memory", SETTING_SIZE, AT(memory_mib), "80 GiB", 1, INT64_MAX,
		"SIZE", "memory of one job; each worker has memory / processes"},
	[SETTING_JOB_WALLTIME] = {"walltime", SETTING_WALLTIME, AT(walltime_s), "01:30:00", 60,
		INT64_MAX, "TIME", "walltime of one job, in any form of sbatch --time"},
	[SETTING_WAIT_TIMEOUT] = {"wait_timeout", SETTING_DURATION, AT(wait_timeout_ms), "300",
		1000, YEAR_MS, "TIME",
		"how long a job may wait in the queue before the start fails"},
	[SETTING_ADAPTIVE_SCALE_FACTOR] = {"adaptive_scale_factor", SETTING_INTEGER,
		AT(adaptive_scale_factor), "2", 1, 10000, "N",
		"the most workers are this factor x processes"},
	[SETTING_USE_SCRATCH_DIR] = {"use_scratch_dir", SETTING_BOOLEAN, AT(use_scratch_dir),
		"true", 0, 0, "BOOL",
		"workers keep their local files under /scratch/$USER of the node"},
	[SETTING_RESERVATION] = {"reservation", SETTING_STRING, AT(reservation), "none", 0, 0,
		"NAME", "Slurm reservation for the jobs"},
	[SETTING_QUEUES_TO_TRY] = {"queues_to_try", SETTING_LIST, AT(queues_to_try),
		"short, standard", 0, 0, "NAME,...", "partitions, in the order to try them"},
	[SETTING_MINIMUM] = {"minimum", SETTING_INTEGER, AT(minimum), "1", 1, WORKERS_MAX,
		"WORKERS", "the fewest workers; whole jobs are kept for them"},
	[SETTING_MAXIMUM] = {"maximum", SETTING_INTEGER, AT(maximum), "0", 0, WORKERS_MAX,
		"WORKERS", "the most workers; 0 means adaptive_scale_factor x processes"},
	[SETTING_PYTHON] = {"python", SETTING_STRING, AT(python), "none", 0, 0, "PATH",
		"the Python of scheduler and workers; none means the first python3 in PATH that has "
		"distributed"},
	[SETTING_MINIMUM_WALLTIME] = {"minimum_walltime", SETTING_WALLTIME,
		AT(minimum_walltime_s), "00:45:00", 1, INT64_MAX, "TIME",
		"a shorter walltime is refused"},
	[SETTING_LOG_DIRECTORY] = {"log_directory", SETTING_STRING, AT(log_directory),
		"~/.draco_logs", 0, 0, "DIR",
		"where each start makes a directory for the logs of scheduler and jobs"},
	[SETTING_LOG_RETENTION] = {"log_retention", SETTING_DURATION, AT(log_retention_ms),
		"14 days", 0, 10 * YEAR_MS, "TIME",
		"a start removes the logs of earlier ones in which nothing was written for so long; "
		"0 keeps them"},
	[SETTING_POLL_INTERVAL] = {"poll_interval", SETTING_DURATION, AT(poll_interval_ms), "5",
		500, YEAR_MS, "TIME", "how often Slurm is asked while a job is waiting"},
	[SETTING_SCHEDULER_TIMEOUT] = {"scheduler_timeout", SETTING_DURATION,
		AT(scheduler_timeout_ms), "120", 1000, YEAR_MS, "TIME",
		"how long the Dask scheduler may take to start"},
	[SETTING_WORKER_TIMEOUT] = {"worker_timeout", SETTING_DURATION, AT(worker_timeout_ms),
		"180", 1000, YEAR_MS, "TIME",
		"how long the workers of a running job may take to connect"},
};

static void *member(const struct settings *settings, enum setting_id id)
{
	return (char *)UNCONST(settings) + settings_table[id].offset;
}

static void release(struct settings *settings, enum setting_id id)
{
	if (settings_table[id].type == SETTING_STRING)
		xreplace(member(settings, id), NULL);
	else if (settings_table[id].type == SETTING_LIST)
		strv_finish(member(settings, id));
}

void settings_init(struct settings *settings)
{
	*settings = (struct settings){0};
	for (int id = 0; id < SETTING_COUNT; id++)
		if (settings_set(settings, id, settings_table[id].default_value, "default",
			    NULL) < 0)
			abort(); /* a default of the table that does not parse */
}

void settings_finish(struct settings *settings)
{
	for (int id = 0; id < SETTING_COUNT; id++) {
		release(settings, id);
		free(settings->source[id]);
	}
	*settings = (struct settings){0};
}

void settings_copy(struct settings *settings, const struct settings *from)
{
	settings_finish(settings);
	*settings = *from;
	for (int id = 0; id < SETTING_COUNT; id++) {
		settings->source[id] = xstrdup(from->source[id]);
		if (settings_table[id].type == SETTING_STRING) {
			char **text = member(settings, id);

			*text = *text ? xstrdup(*text) : NULL;
		} else if (settings_table[id].type == SETTING_LIST) {
			struct strv *list = member(settings, id);

			*list = (struct strv)STRV_INIT;
			strv_copy(list, member(from, id));
		}
	}
}

static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(*a == '-' && *b == '_'))
			return false;
	return !*a && !*b;
}

int settings_find(const char *name, struct err *err)
{
	const char *near;

	for (int id = 0; id < SETTING_COUNT; id++)
		if (same_name(name, settings_table[id].name))
			return id;
	near = nearest(name, settings_table, SETTING_COUNT, sizeof(settings_table[0]));
	if (near)
		return err_set(err, -ENOENT, "there is no setting \"%s\"; did you mean \"%s\"?",
			name, near);
	return err_set(err, -ENOENT, "there is no setting \"%s\"", name);
}

static int parse_number(
	const struct setting *setting, const char *text, int64_t *ret, struct err *err)
{
	char low[FORMAT_MAX], high[FORMAT_MAX];
	char *(*format)(int64_t, char *);
	int64_t value = 0;
	int r;

	switch (setting->type) {
	case SETTING_SIZE:
		r = parse_size(text, &value, err);
		format = format_size;
		break;
	case SETTING_WALLTIME:
		r = parse_walltime(text, &value, err);
		format = format_walltime;
		break;
	case SETTING_DURATION:
		r = parse_duration(text, &value, err);
		format = format_duration;
		break;
	default:
		r = parse_integer(text, setting->minimum, setting->maximum, ret, err);
		return r;
	}
	if (r < 0)
		return r;
	if (value < setting->minimum)
		return err_set(err, -ERANGE, "%s is too little: at least %s", text,
			format(setting->minimum, low));
	if (value > setting->maximum)
		return err_set(err, -ERANGE, "%s is too much: at most %s", text,
			format(setting->maximum, high));
	*ret = value;
	return 0;
}

static bool is_none(const char *text)
{
	return !*text || strcasecmp(text, "none") == 0 || strcasecmp(text, "null") == 0 ||
		strcmp(text, "~") == 0;
}

static int set_value(
	struct settings *settings, enum setting_id id, const char *text, struct err *err)
{
	const struct setting *setting = &settings_table[id];
	struct strv list = STRV_INIT;

	switch (setting->type) {
	case SETTING_BOOLEAN:
		return parse_boolean(text, member(settings, id), err);
	case SETTING_STRING:
		xreplace(member(settings, id), is_none(text) ? NULL : text);
		return 0;
	case SETTING_LIST:
		strv_split(&list, text, ',');
		if (list.count == 0)
			return err_set(err, -EINVAL, "\"%s\" names nothing: give %s", text,
				setting->placeholder);
		strv_finish(member(settings, id));
		*(struct strv *)member(settings, id) = list;
		return 0;
	default:
		return parse_number(setting, text, member(settings, id), err);
	}
}

int settings_set(struct settings *settings, enum setting_id id, const char *text,
	const char *source, struct err *err)
{
	int r = set_value(settings, id, text, err);

	if (r < 0) {
		err_prefix(err, "%s", settings_table[id].name);
		return r;
	}
	xreplace(&settings->source[id], source);
	return 0;
}

/* The text that a JSON value stands for; NULL when it cannot stand for a setting. */
static char *value_text(const json_t *value)
{
	struct strv list = STRV_INIT;
	char *text = NULL;

	switch (json_typeof(value)) {
	case JSON_STRING:
		return xstrdup(json_string_value(value));
	case JSON_INTEGER:
		return xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	case JSON_REAL:
		return xasprintf("%.15g", json_real_value(value));
	case JSON_TRUE:
		return xstrdup("true");
	case JSON_FALSE:
		return xstrdup("false");
	case JSON_NULL:
		return xstrdup("none");
	case JSON_ARRAY:
		for (size_t i = 0; i < json_array_size(value); i++) {
			const json_t *item = json_array_get(value, i);

			if (!json_is_string(item)) {
				strv_finish(&list);
				return NULL;
			}
			strv_add(&list, json_string_value(item));
		}
		text = strv_join(&list, ",");
		strv_finish(&list);
		return text;
	default:
		return NULL;
	}
}

int settings_set_json(
	struct settings *settings, const json_t *object, const char *source, struct err *err)
{
	const char *name;
	json_t *value;

	json_object_foreach (UNCONST(object), name, value) {
		_cleanup_free_ char *text = value_text(value);
		int id = settings_find(name, err);
		int r;

		if (id < 0)
			return id;
		if (!text)
			return err_set(err, -EINVAL,
				"%s: give a string, a number, a boolean or a list of strings",
				name);
		r = settings_set(settings, id, text, source, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int settings_check(const struct settings *s, struct err *err)
{
	char given[FORMAT_MAX], least[FORMAT_MAX];
	int64_t per_worker_mib = s->memory_mib / s->processes;

	if (s->processes > s->cores)
		return err_set(err, -EINVAL,
			"processes %" PRId64 " is more than cores %" PRId64
			": each worker needs a core; lower processes or raise cores",
			s->processes, s->cores);
	if (per_worker_mib < WORKER_MINIMUM_MIB)
		return err_set(err, -EINVAL,
			"memory %s leaves %" PRId64 " MiB to each of %" PRId64
			" workers, and a Dask worker needs at least %d MiB: raise memory or lower "
			"processes",
			format_size(s->memory_mib, given), per_worker_mib, s->processes,
			WORKER_MINIMUM_MIB);
	if (s->walltime_s < s->minimum_walltime_s)
		return err_set(err, -EINVAL,
			"walltime %s is below the minimum of %s: give at least that (or lower "
			"minimum_walltime)",
			format_walltime(s->walltime_s, given),
			format_walltime(s->minimum_walltime_s, least));
	if (s->minimum > settings_maximum(s)) {
		if (s->maximum)
			return err_set(err, -EINVAL,
				"minimum %" PRId64 " is above maximum %" PRId64
				": lower the one or raise the other",
				s->minimum, s->maximum);
		return err_set(err, -EINVAL,
			"minimum %" PRId64 " is above the maximum of %" PRId64
			" (adaptive_scale_factor %" PRId64 " x processes %" PRId64
			"): set maximum, or raise adaptive_scale_factor",
			s->minimum, settings_maximum(s), s->adaptive_scale_factor,
			s->processes);
	}
	return 0;
}

char *settings_format(const struct settings *settings, enum setting_id id)
{
	const void *value = member(settings, id);
	char text[FORMAT_MAX];
	int64_t number = 0;

	if (settings_table[id].type <= SETTING_DURATION)
		number = *(const int64_t *)value;
	switch (settings_table[id].type) {
	case SETTING_INTEGER:
		return xasprintf("%" PRId64, number);
	case SETTING_SIZE:
		return xstrdup(format_size(number, text));
	case SETTING_WALLTIME:
		return xstrdup(format_walltime(number, text));
	case SETTING_DURATION:
		if (number % 1000)
			return xasprintf("%" PRId64 " ms", number);
		return xasprintf("%" PRId64, number / 1000);
	case SETTING_BOOLEAN:
		return xstrdup(*(const bool *)value ? "true" : "false");
	case SETTING_STRING:
		return xstrdup(*(char *const *)value ? *(char *const *)value : "none");
	case SETTING_LIST:
		return strv_join(value, ", ");
	}
	abort();
}

json_t *settings_to_json(const struct settings *settings)
{
	json_t *object = json_object();

	for (int id = 0; id < SETTING_COUNT; id++) {
		_cleanup_free_ char *text = settings_format(settings, id);

		json_object_set_new(object, settings_table[id].name, json_text(text));
	}
	return object;
}

int64_t settings_maximum(const struct settings *settings)
{
	return settings->maximum ? settings->maximum
				 : settings->adaptive_scale_factor * settings->processes;
}

int64_t settings_threads_per_worker(const struct settings *settings)
{
	return settings->cores / settings->processes;
}

int64_t settings_bytes_per_worker(const struct settings *settings)
{
	return settings->memory_mib * 1024 * 1024 / settings->processes;
}
