/* settings.h: the table of all settings. Reading, checking, options, help and documentation come
 * from it. */
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
	SETTING_CPUS,	  /* int64_t, or CORES_NODE */
	SETTING_SIZE,	  /* int64_t, MiB */
	SETTING_WALLTIME, /* int64_t, seconds */
	SETTING_DURATION, /* int64_t, milliseconds */
	SETTING_BOOLEAN,  /* bool */
	SETTING_STRING,	  /* char *, NULL for "none" */
	SETTING_LIST,	  /* struct strv; minimum: the fewest items */
	SETTING_CHOICE,	  /* int or an enum: index of a word in the placeholder, "tls|none" */
	SETTING_TEXT,	  /* char *, any number of lines, unchanged; NULL for "none" */
	/* A struct strv of "NAME=value". minimum 1: the names are those of variables, and each
	 * needs a value. minimum 0: directives, which may have none (common/settings_list.h). */
	SETTING_MAP,
	/* A struct strv of places (common/place.h). minimum 1: options by partition, which are
	 * merged as a mapping is. minimum 0: a list. */
	SETTING_PLACES,
};

enum setting_id {
	/* The nine settings of draco (Python), with its names and defaults. */
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
	SETTING_QUEUE_OPTIONS,
	/* Settings of this draco. */
	SETTING_MINIMUM,
	SETTING_MAXIMUM,
	/* The cluster's size (daemon/policy/scaling.h, daemon/policy/fleet.h). */
	SETTING_IDLE_HOLD,
	SETTING_IDLE_TIMEOUT,
	SETTING_IDLE_SHUTDOWN,
	SETTING_FAIR_SHARE,
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
	SETTING_SCHEDULER_SILENCE,
	/* The scheduler's unit, where there is a systemd (systemd/scope.h). */
	SETTING_SCHEDULER_MEMORY_MAX,
	SETTING_SCHEDULER_MEMORY_HIGH,
	SETTING_SCHEDULER_CPU_WEIGHT,
	SETTING_SCHEDULER_TASKS_MAX,
	SETTING_WORKER_TIMEOUT,
	SETTING_SECURITY,
	SETTING_INTERFACE,
	SETTING_SCHEDULER_PORT,
	SETTING_REMOTE_PORT,
	SETTING_WORKER_PORT,
	SETTING_NANNY_PORT,
	SETTING_DASHBOARD,
	SETTING_DASHBOARD_ADDRESS,
	SETTING_DASHBOARD_PORT,
	/* Further resources of the jobs, and what runs in them (common/settings_job.c). */
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
	SETTING_PREIMPORT,
	SETTING_SCRATCH_DIRECTORY,
	SETTING_SLURM_INTERFACE,
	SETTING_COUNT,
};

/* The words of the choices, in the order of the table. */
enum worker_start { WORKER_START_FORKSERVER, WORKER_START_SPAWN };

enum slurm_interface { INTERFACE_AUTO, INTERFACE_LIBSLURM, INTERFACE_COMMANDS };
enum security { SECURITY_TLS, SECURITY_NONE };
enum dashboard_mode { DASHBOARD_ON, DASHBOARD_SOCKET, DASHBOARD_OFF };

/* Groups of settings in --help and in the documentation, in their order. */
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

/* The headings of the groups. */
extern const char *const setting_groups[GROUP_COUNT];

struct setting {
	const char *name; /* as in files; the option is --name with '-' in place of '_' */
	enum setting_type type;
	size_t offset;		   /* in struct settings */
	const char *default_value; /* in the form of a file */
	int64_t minimum, maximum;  /* for numbers, in the unit of the type */
	const char *placeholder;   /* for --help; with SETTING_CHOICE the words */
	const char *help;	   /* one sentence */
	enum setting_group group;
};

/* A new setting needs a member of struct settings, an enum setting_id and a row here. Files,
 * variables, options, help, manual pages, docs/settings.md (make docs) and completion follow from
 * the row. */
extern const struct setting settings_table[SETTING_COUNT];

/* The first setting of the group from id on; SETTING_COUNT: none. */
int settings_in_group(enum setting_group group, int id);

/* The layers that a value can come from. A later one has precedence over an earlier one. */
enum settings_layer {
	LAYER_DEFAULT,
	LAYER_SITE,
	LAYER_USER,
	LAYER_ENVIRONMENT,
	LAYER_OPTION,
	LAYER_LIMIT, /* the site's limit has replaced a value of another layer */
};

struct setting_place {
	enum settings_layer layer;
	unsigned line, column; /* in the layer's file; otherwise 0 */
	bool from_profile;
};

struct setting_limit {
	int64_t value; /* in the setting's unit; 0: no limit */
	char *source;  /* "FILE:LINE" */
};

/* Values for words in place of an amount of memory. */
#define CORES_NODE  0	 /* all cores of the node, with exclusive */
#define MEMORY_NODE 0	 /* all memory of the node, as sbatch --mem=0 */
#define MEMORY_NONE (-1) /* ask Slurm for no memory */

struct settings {
	int64_t processes;  /* Dask workers in one job */
	int64_t cores;	    /* of one job; CORES_NODE is possible, too */
	int64_t threads;    /* of one worker; 0: cores / processes */
	int64_t memory_mib; /* MEMORY_NODE or MEMORY_NONE are possible, too */
	int64_t walltime_s;
	int64_t wait_timeout_ms;
	int64_t adaptive_scale_factor;
	bool use_scratch_dir;
	char *reservation;	   /* NULL: none */
	struct strv queues_to_try; /* places */
	struct strv queue_options; /* places, each partition once */
	int64_t minimum;	   /* workers */
	int64_t maximum;	   /* workers; 0: adaptive_scale_factor x processes */
	int64_t idle_hold_ms;	   /* the longest time that an idle job is kept */
	int64_t idle_timeout_ms;   /* time without work until the last job goes; 0: never */
	/* Time without clients and work until the cluster stops; 0: never. */
	int64_t idle_shutdown_ms;
	bool fair_share; /* between programs */
	int64_t target_duration_ms;
	int64_t backlog; /* the most pending jobs; 0: no limit */
	int64_t handover_margin_ms;
	int64_t failure_limit; /* failed jobs in a row */
	char *python;	       /* NULL: the first one with distributed in the caller's PATH */
	int64_t minimum_walltime_s;
	int64_t least_walltime_s; /* 0: none; a job gets its whole walltime */
	char *log_directory;	  /* may hold variables of the start (common/expand.h) */
	int64_t log_retention_ms; /* 0: without limit */
	int64_t poll_interval_ms;
	int64_t scheduler_timeout_ms;
	int64_t scheduler_silence_ms; /* 0: without limit */
	/* 0: no limit of draco's */
	int64_t scheduler_memory_max_mib, scheduler_memory_high_mib;
	int64_t scheduler_cpu_weight, scheduler_tasks_max;
	int64_t worker_timeout_ms;
	enum security security;
	char *interface; /* "auto", an interface or a host name; NULL: none */
	/* Ports: "auto", a number, or "FIRST-LAST". remote_port may be NULL: none. */
	char *scheduler_port, *remote_port, *worker_port, *nanny_port;
	enum dashboard_mode dashboard;
	char *dashboard_address; /* IPv4, dotted */
	char *dashboard_port;	 /* as the ports above */
	char *account, *qos, *constraint, *gres,
		*gpus; /* values for sbatch's options; NULL: none */
	bool exclusive;
	char *licenses, *nodelist, *exclude, *mail_type, *mail_user;
	struct strv directives;	 /* further options of sbatch, "NAME=value" or "NAME" */
	char *prologue;		 /* shell text of the job before its workers; NULL: none */
	char *epilogue;		 /* shell text of the job after its workers; NULL: none */
	struct strv environment; /* of the workers, "NAME=value" */
	struct strv worker_options, scheduler_options; /* further arguments */
	enum worker_start worker_start;
	struct strv preimport;	 /* names of modules */
	char *scratch_directory; /* may hold variables of the node (common/expand.h) */
	enum slurm_interface slurm_interface;
	/* The origin of each value. */
	char *source
		[SETTING_COUNT]; /* for a person: "default", "FILE:LINE", "DRACO_CORES" ... */
	struct setting_place place[SETTING_COUNT];
	struct setting_limit limit[SETTING_COUNT]; /* the site's */
	char *profile;				   /* the profile in use; NULL: none */
};

/* Set all defaults. settings_finish() frees. */
void settings_init(struct settings *settings);
void settings_finish(struct settings *settings);
void settings_copy(struct settings *settings, const struct settings *from);

/* The setting with this name ('-' counts as '_'). -ENOENT with err, which suggests the nearest
 * name, or the setting for another program's name. */
int settings_find(const char *name, struct err *err);

/* Set a value from text. source tells its origin, for a person. -EINVAL or -ERANGE: the value is
 * unchanged, and err names the setting, the value and what would be right. */
int settings_set(struct settings *settings, enum setting_id id, const char *text,
	const char *source, struct err *err) __attribute__((warn_unused_result));

/* As settings_set(), from JSON: a string, a number, a boolean, null for none, or a list or mapping
 * of them. */
int settings_set_value(struct settings *settings, enum setting_id id, const json_t *value,
	const char *source, struct err *err) __attribute__((warn_unused_result));

/* Set values from the members of object, up to the first error. */
int settings_set_json(struct settings *settings, const json_t *object, const char *source,
	struct err *err) __attribute__((warn_unused_result));

/* Check one value beyond its type and bounds. settings_set() calls this. */
int settings_check_value(const struct settings *settings, enum setting_id id, struct err *err)
	__attribute__((warn_unused_result));

/* Check the rules between settings, such as processes against cores. Reports the first broken
 * one. */
int settings_check(const struct settings *settings, struct err *err)
	__attribute__((warn_unused_result));

/* Check all rules between settings. Each problem has the place of the value that was given last.
 * Rules about a setting that is marked in without (may be NULL) are skipped. */
void settings_check_all(const struct settings *settings, const bool without[SETTING_COUNT],
	struct problems *problems);

/* The value in the form of a file. The caller frees. */
char *settings_format(const struct settings *settings, enum setting_id id);

/* The value for settings_set_value(); see value_to_json(). And all values, as an object. */
json_t *settings_value_to_json(const struct settings *settings, enum setting_id id);
json_t *settings_to_json(const struct settings *settings);

/* The member of settings that holds the value. */
void *settings_member(const struct settings *settings, enum setting_id id);

/* The origin of a value, with the column, for an error. The caller frees. */
char *settings_place(const struct settings *settings, enum setting_id id);

/* Values that follow from the settings. */
int64_t settings_maximum(const struct settings *settings); /* workers */
/* 0: the node decides, as cores is CORES_NODE. */
int64_t settings_threads_per_worker(const struct settings *settings);

/* "40 cores", or "all cores". The caller frees. */
char *settings_describe_cores(const struct settings *settings);
/* 0: the job gets an amount that only its node knows. */
int64_t settings_bytes_per_worker(const struct settings *settings);
/* The range of ports of a setting for ports. Returns false, and sets both to 0, with "auto" (any
 * port) and with none. */
bool settings_ports(
	const struct settings *settings, enum setting_id id, int *ret_first, int *ret_last);

#endif
