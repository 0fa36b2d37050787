/* settings.h: what a user can set: one table, from which reading, checking, options, help and
 * documentation come. */
#ifndef DRACO_COMMON_SETTINGS_H
#define DRACO_COMMON_SETTINGS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/strv.h"

struct err;

enum setting_type {
	SETTING_INTEGER,  /* int64_t */
	SETTING_SIZE,	  /* int64_t, MiB */
	SETTING_WALLTIME, /* int64_t, seconds */
	SETTING_DURATION, /* int64_t, milliseconds */
	SETTING_BOOLEAN,  /* bool */
	SETTING_STRING,	  /* char *, NULL for "none" */
	SETTING_LIST,	  /* struct strv */
};

enum setting_id {
	/* The nine of draco (Python), with its names and defaults. */
	SETTING_PROCESSES,
	SETTING_CORES,
	SETTING_MEMORY,
	SETTING_JOB_WALLTIME,
	SETTING_WAIT_TIMEOUT,
	SETTING_ADAPTIVE_SCALE_FACTOR,
	SETTING_USE_SCRATCH_DIR,
	SETTING_RESERVATION,
	SETTING_QUEUES_TO_TRY,
	/* draco's own. */
	SETTING_MINIMUM,
	SETTING_MAXIMUM,
	SETTING_PYTHON,
	SETTING_MINIMUM_WALLTIME,
	SETTING_LOG_DIRECTORY,
	SETTING_LOG_RETENTION,
	SETTING_POLL_INTERVAL,
	SETTING_SCHEDULER_TIMEOUT,
	SETTING_WORKER_TIMEOUT,
	SETTING_COUNT,
};

struct setting {
	const char *name; /* as in files; the option is --name with '-' for '_' */
	enum setting_type type;
	size_t offset;		   /* in struct settings */
	const char *default_value; /* in the form that a file has */
	int64_t minimum, maximum;  /* of the numbers, in the unit of the type */
	const char *placeholder;   /* for --help */
	const char *help;	   /* one sentence */
};

extern const struct setting settings_table[SETTING_COUNT];

struct settings {
	int64_t processes; /* Dask workers in one job */
	int64_t cores;	   /* of one job */
	int64_t memory_mib;
	int64_t walltime_s;
	int64_t wait_timeout_ms;
	int64_t adaptive_scale_factor;
	bool use_scratch_dir;
	char *reservation; /* NULL: none */
	struct strv queues_to_try;
	int64_t minimum; /* workers */
	int64_t maximum; /* workers; 0: adaptive_scale_factor x processes */
	char *python;	 /* NULL: the first in the caller's PATH that has distributed */
	int64_t minimum_walltime_s;
	char *log_directory;
	int64_t log_retention_ms; /* 0: for ever */
	int64_t poll_interval_ms;
	int64_t scheduler_timeout_ms;
	int64_t worker_timeout_ms;
	char *source[SETTING_COUNT]; /* where the value came from, for a person */
};

/* All defaults; settings_finish() frees. */
void settings_init(struct settings *settings);
void settings_finish(struct settings *settings);
void settings_copy(struct settings *settings, const struct settings *from);

/* The setting of that name ('-' counts as '_'), or -ENOENT with the nearest name in err. */
int settings_find(const char *name, struct err *err);

/* Give one setting a value from its text. -EINVAL or -ERANGE: unchanged, err names setting, value
 * and what would be right. source says where the value is from, for people. */
int settings_set(struct settings *settings, enum setting_id id, const char *text,
	const char *source, struct err *err) __attribute__((warn_unused_result));

/* Give the settings that are members of object their values (strings, numbers, booleans, lists of
 * strings, null for none). */
int settings_set_json(struct settings *settings, const json_t *object, const char *source,
	struct err *err) __attribute__((warn_unused_result));

/* Check what concerns several settings at once, such as processes against cores. */
int settings_check(const struct settings *settings, struct err *err)
	__attribute__((warn_unused_result));

/* The value of one setting in the form that a file has; the caller frees. */
char *settings_format(const struct settings *settings, enum setting_id id);

/* All values as an object of strings. */
json_t *settings_to_json(const struct settings *settings);

/* What follows from the settings. */
int64_t settings_maximum(const struct settings *settings);	      /* workers */
int64_t settings_threads_per_worker(const struct settings *settings); /* at least 1 */
int64_t settings_bytes_per_worker(const struct settings *settings);

#endif
