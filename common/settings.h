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
struct problems;

enum setting_type {
	SETTING_INTEGER,  /* int64_t */
	SETTING_SIZE,	  /* int64_t, MiB */
	SETTING_WALLTIME, /* int64_t, seconds */
	SETTING_DURATION, /* int64_t, milliseconds */
	SETTING_BOOLEAN,  /* bool */
	SETTING_STRING,	  /* char *, NULL for "none" */
	SETTING_LIST,	  /* struct strv; minimum: the fewest items */
	SETTING_CHOICE, /* int or an enum: which of the words of the placeholder, "tls|none" */
	SETTING_TEXT,	/* char *, kept as it is, any number of lines; NULL for "none" */
	/* struct strv of "NAME=value"; minimum 1: names are those of variables and need a
	 * value; 0: directives, may stand alone (common/settings_list.h). */
	SETTING_MAP,
};

enum setting_id {
	/* The nine of draco (Python), with its names and defaults. */
	SETTING_PROCESSES,
	SETTING_CORES,
	SETTING_THREADS,
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
	/* The size of the cluster (daemon/policy/scaling.h, daemon/policy/fleet.h). */
	SETTING_IDLE_HOLD,
	SETTING_IDLE_TIMEOUT,
	SETTING_IDLE_SHUTDOWN,
	SETTING_TARGET_DURATION,
	SETTING_BACKLOG,
	SETTING_HANDOVER_MARGIN,
	SETTING_FAILURE_LIMIT,
	SETTING_PYTHON,
	SETTING_MINIMUM_WALLTIME,
	SETTING_LEAST_WALLTIME,
	SETTING_LOG_DIRECTORY,
	SETTING_LOG_RETENTION,
	SETTING_POLL_INTERVAL,
	SETTING_SCHEDULER_TIMEOUT,
	SETTING_WORKER_TIMEOUT,
	SETTING_SECURITY,
	SETTING_INTERFACE,
	SETTING_SCHEDULER_PORT,
	SETTING_REMOTE_PORT,
	SETTING_DASHBOARD,
	SETTING_DASHBOARD_ADDRESS,
	SETTING_DASHBOARD_PORT,
	/* What the jobs ask for besides, and what runs in them (common/settings_job.c). */
	SETTING_ACCOUNT,
	SETTING_QOS,
	SETTING_CONSTRAINT,
	SETTING_GRES,
	SETTING_GPUS,
	SETTING_EXCLUSIVE,
	SETTING_LICENSES,
	SETTING_NODELIST,
	SETTING_EXCLUDE,
	SETTING_MAIL_TYPE,
	SETTING_MAIL_USER,
	SETTING_DIRECTIVES,
	SETTING_PROLOGUE,
	SETTING_EPILOGUE,
	SETTING_JOB_ENVIRONMENT,
	SETTING_WORKER_OPTIONS,
	SETTING_SCHEDULER_OPTIONS,
	SETTING_WORKER_START,
	SETTING_SCRATCH_DIRECTORY,
	SETTING_COUNT,
};

/* The words of the choices, in the order of the table. */
enum worker_start { WORKER_START_FORKSERVER, WORKER_START_SPAWN };

enum security { SECURITY_TLS, SECURITY_NONE };
enum dashboard_mode { DASHBOARD_ON, DASHBOARD_SOCKET, DASHBOARD_OFF };

/* What belongs together in --help and in the documentation; the order is that of the groups
 * there. */
enum setting_group {
	GROUP_NONE, /* of no setting */
	GROUP_JOB,
	GROUP_PLACE,
	GROUP_SIZE,
	GROUP_WORKERS,
	GROUP_NETWORK,
	GROUP_OTHER,
	GROUP_COUNT,
};

/* Their headings. */
extern const char *const setting_groups[GROUP_COUNT];

struct setting {
	const char *name; /* as in files; the option is --name with '-' for '_' */
	enum setting_type type;
	size_t offset;		   /* in struct settings */
	const char *default_value; /* in the form that a file has */
	int64_t minimum, maximum;  /* of the numbers, in the unit of the type */
	const char *placeholder;   /* for --help; of a SETTING_CHOICE its words */
	const char *help;	   /* one sentence */
	enum setting_group group;
};

/* To add a setting: a member of struct settings, an enum setting_id and a row here. The rest
 * follows: files, variables, options, help, manual pages, docs/settings.md (make docs),
 * completion. */
extern const struct setting settings_table[SETTING_COUNT];

/* The first setting of the group from id on; SETTING_COUNT when there is none. */
int settings_in_group(enum setting_group group, int id);

/* The layers that a value can come from; a later one wins over an earlier one. */
enum settings_layer {
	LAYER_DEFAULT,
	LAYER_SITE,
	LAYER_USER,
	LAYER_ENVIRONMENT,
	LAYER_OPTION,
	LAYER_LIMIT, /* the site's limit took the place of what the others gave */
};

struct setting_place {
	enum settings_layer layer;
	unsigned line, column; /* in the file of the layer; else 0 */
	bool from_profile;
};

struct setting_limit {
	int64_t value; /* in the unit of the setting; 0: no limit */
	char *source;  /* "FILE:LINE" */
};

/* Words in the place of an amount of memory. */
#define MEMORY_NODE 0	 /* all that the node has, as sbatch --mem=0 */
#define MEMORY_NONE (-1) /* Slurm is not asked for memory */

struct settings {
	int64_t processes;  /* Dask workers in one job */
	int64_t cores;	    /* of one job */
	int64_t threads;    /* of one worker; 0: cores / processes */
	int64_t memory_mib; /* or MEMORY_NODE, MEMORY_NONE */
	int64_t walltime_s;
	int64_t wait_timeout_ms;
	int64_t adaptive_scale_factor;
	bool use_scratch_dir;
	char *reservation; /* NULL: none */
	struct strv queues_to_try;
	int64_t minimum;	 /* workers */
	int64_t maximum;	 /* workers; 0: adaptive_scale_factor x processes */
	int64_t idle_hold_ms;	 /* the most that an idle job is kept */
	int64_t idle_timeout_ms; /* without work, until the last job goes; 0: never */
	int64_t idle_shutdown_ms; /* without client and work, until the cluster stops; 0: never */
	int64_t target_duration_ms;
	int64_t backlog; /* the most pending jobs; 0: any number */
	int64_t handover_margin_ms;
	int64_t failure_limit; /* of jobs in a row */
	char *python;	       /* NULL: the first in the caller's PATH that has distributed */
	int64_t minimum_walltime_s;
	int64_t least_walltime_s; /* 0: none, a job gets its whole walltime */
	char *log_directory;
	int64_t log_retention_ms; /* 0: for ever */
	int64_t poll_interval_ms;
	int64_t scheduler_timeout_ms;
	int64_t worker_timeout_ms;
	enum security security;
	char *interface;      /* "auto", or of an interface or this host; NULL: none */
	char *scheduler_port; /* "auto", a number, or "FIRST-LAST" */
	char *remote_port;    /* "auto" or a number; NULL: none */
	enum dashboard_mode dashboard;
	char *dashboard_address; /* IPv4, dotted */
	char *dashboard_port;	 /* "auto" or a number */
	char *account, *qos, *constraint, *gres,
		*gpus; /* values of sbatch's options; NULL: none */
	bool exclusive;
	char *licenses, *nodelist, *exclude, *mail_type, *mail_user;
	struct strv directives;	 /* other options of sbatch, "NAME=value" or "NAME" */
	char *prologue;		 /* shell text of the job before the workers; NULL: none */
	char *epilogue;		 /* and after them */
	struct strv environment; /* of the workers, "NAME=value" */
	struct strv worker_options, scheduler_options; /* more arguments */
	enum worker_start worker_start;
	char *scratch_directory; /* may contain $USER */
	/* Where each value came from. */
	char *source
		[SETTING_COUNT]; /* for a person: "default", "FILE:LINE", "DRACO_CORES" ... */
	struct setting_place place[SETTING_COUNT];
	struct setting_limit limit[SETTING_COUNT]; /* of the site */
	char *profile;				   /* whose values are among them; NULL: none */
};

/* All defaults; settings_finish() frees. */
void settings_init(struct settings *settings);
void settings_finish(struct settings *settings);
void settings_copy(struct settings *settings, const struct settings *from);

/* The setting of that name ('-' counts as '_'), or -ENOENT with the nearest name in err, or
 * with the setting that does what another program calls so. */
int settings_find(const char *name, struct err *err);

/* Give one setting a value from its text. -EINVAL or -ERANGE: unchanged, err names setting, value
 * and what would be right. source says where the value is from, for people. */
int settings_set(struct settings *settings, enum setting_id id, const char *text,
	const char *source, struct err *err) __attribute__((warn_unused_result));

/* As settings_set(), from JSON: a string, number or boolean, null for none, a list or mapping of
 * them. */
int settings_set_value(struct settings *settings, enum setting_id id, const json_t *value,
	const char *source, struct err *err) __attribute__((warn_unused_result));

/* Give the settings that are members of object their values, up to the first mistake. */
int settings_set_json(struct settings *settings, const json_t *object, const char *source,
	struct err *err) __attribute__((warn_unused_result));

/* Check a value by itself, beyond its type and bounds: settings_set() does. */
int settings_check_value(const struct settings *settings, enum setting_id id, struct err *err)
	__attribute__((warn_unused_result));

/* Check what concerns several settings at once, such as processes against cores: the first
 * mistake. */
int settings_check(const struct settings *settings, struct err *err)
	__attribute__((warn_unused_result));

/* All such mistakes, each at the place of the value that was given last, without those that
 * concern a setting which is marked in without (may be NULL). */
void settings_check_all(const struct settings *settings, const bool without[SETTING_COUNT],
	struct problems *problems);

/* The value of one setting in the form that a file has; the caller frees. */
char *settings_format(const struct settings *settings, enum setting_id id);

/* The value of one setting for settings_set_value(), as value_to_json(). And all of them, as an
 * object. */
json_t *settings_value_to_json(const struct settings *settings, enum setting_id id);
json_t *settings_to_json(const struct settings *settings);

/* The member of settings that holds the value. */
void *settings_member(const struct settings *settings, enum setting_id id);

/* Where a value came from, with the column, for an error; the caller frees. */
char *settings_place(const struct settings *settings, enum setting_id id);

/* What follows from the settings. */
int64_t settings_maximum(const struct settings *settings);	      /* workers */
int64_t settings_threads_per_worker(const struct settings *settings); /* at least 1 */
/* 0: what the job is given, which its node knows. */
int64_t settings_bytes_per_worker(const struct settings *settings);
/* False: auto, any port. */
bool settings_scheduler_ports(const struct settings *settings, int *ret_first, int *ret_last);
int settings_dashboard_port(const struct settings *settings); /* 0: auto */
int settings_remote_port(const struct settings *settings);    /* 0: auto; -1: none */

#endif
