/* settings.c: the table of all settings, and setting values by it. */
#include "common/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/nearest.h"
#include "common/other_names.h"
#include "common/settings_value.h"

#define AT(member)  offsetof(struct settings, member)
#define DAY_S	    86400
#define YEAR_MS	    (366LL * DAY_S * 1000)
#define WORKERS_MAX 100000

const char *const setting_groups[GROUP_COUNT] = {
	[GROUP_JOB] = "One job",
	[GROUP_PLACE] = "Where jobs run",
	[GROUP_SIZE] = "How large the cluster is",
	[GROUP_WORKERS] = "Workers and scheduler",
	[GROUP_NETWORK] = "Network, security and dashboard",
	[GROUP_OTHER] = "Logs, time limits and other options of sbatch",
};

const struct setting settings_table[SETTING_COUNT] = {
	[SETTING_PROCESSES] = {"processes", SETTING_INTEGER, AT(processes), "20", 1, 4096, "N",
		"Dask workers (processes) in one Slurm job", GROUP_JOB},
	[SETTING_CORES] = {"cores", SETTING_INTEGER, AT(cores), "40", 1, 65535, "N",
		"CPU cores of one job; each worker has cores / processes threads, unless threads "
		"is set",
		GROUP_JOB},
	[SETTING_THREADS] = {"threads", SETTING_INTEGER, AT(threads), "0", 0, 65535, "N",
		"threads of one worker, for tasks that use several cores each or none; 0 means "
		"cores / processes",
		GROUP_JOB},
	[SETTING_MEMORY] = {"memory", SETTING_SIZE, AT(memory_mib), "80 GiB", MEMORY_NONE,
		INT64_MAX, "SIZE|node|none",
		"memory of one job; each worker has memory / processes; \"node\" stands for all "
		"that a node has; with \"none\" Slurm is not asked for memory, and workers share "
		"what the job is given",
		GROUP_JOB},
	[SETTING_JOB_WALLTIME] = {"walltime", SETTING_WALLTIME, AT(walltime_s), "01:30:00", 60,
		INT64_MAX, "TIME", "walltime of one job, in any form of sbatch --time",
		GROUP_JOB},
	[SETTING_WAIT_TIMEOUT] = {"wait_timeout", SETTING_DURATION, AT(wait_timeout_ms), "300",
		1000, YEAR_MS, "TIME",
		"how long a job may wait in one place before it may run in the next one, too; "
		"when no place is left, the start fails",
		GROUP_PLACE},
	[SETTING_ADAPTIVE_SCALE_FACTOR] = {"adaptive_scale_factor", SETTING_INTEGER,
		AT(adaptive_scale_factor), "2", 1, 10000, "N",
		"the most workers, as a multiple of processes, unless maximum is set",
		GROUP_SIZE},
	[SETTING_USE_SCRATCH_DIR] = {"use_scratch_dir", SETTING_BOOLEAN, AT(use_scratch_dir),
		"true", 0, 0, "BOOL",
		"workers keep their local files under scratch_directory on the node",
		GROUP_WORKERS},
	[SETTING_RESERVATION] = {"reservation", SETTING_STRING, AT(reservation), "none", 0, 0,
		"NAME", "Slurm reservation for the jobs; it is tried first", GROUP_PLACE},
	[SETTING_QUEUES_TO_TRY] = {"queues_to_try", SETTING_LIST, AT(queues_to_try),
		"short, standard", 0, 0, "NAME,...",
		"partitions, in the order in which they are tried; with none the site chooses",
		GROUP_PLACE},
	[SETTING_MINIMUM] = {"minimum", SETTING_INTEGER, AT(minimum), "1", 1, WORKERS_MAX,
		"WORKERS",
		"the fewest workers; whole jobs are kept for them, and a start waits for them",
		GROUP_SIZE},
	[SETTING_MAXIMUM] = {"maximum", SETTING_INTEGER, AT(maximum), "0", 0, WORKERS_MAX,
		"WORKERS", "the most workers; 0 means adaptive_scale_factor x processes",
		GROUP_SIZE},
	[SETTING_IDLE_HOLD] = {"idle_hold", SETTING_DURATION, AT(idle_hold_ms), "60", 0,
		YEAR_MS, "TIME",
		"a job that is idle and not needed is kept for at most this long", GROUP_SIZE},
	[SETTING_IDLE_TIMEOUT] = {"idle_timeout", SETTING_DURATION, AT(idle_timeout_ms), "900",
		0, YEAR_MS, "TIME",
		"after this long with nothing to do and nothing in memory, the last job is given "
		"back, too; new tasks bring workers back; 0 means never",
		GROUP_SIZE},
	[SETTING_IDLE_SHUTDOWN] = {"idle_shutdown", SETTING_DURATION, AT(idle_shutdown_ms),
		"3600", 0, YEAR_MS, "TIME",
		"after this long with no client, nobody attached and nothing to do, the cluster "
		"stops; 0 means never",
		GROUP_SIZE},
	[SETTING_TARGET_DURATION] = {"target_duration", SETTING_DURATION,
		AT(target_duration_ms), "5", 100, YEAR_MS, "TIME",
		"the cluster grows until the known work would be done in this time",
		GROUP_SIZE},
	[SETTING_BACKLOG] = {"backlog", SETTING_INTEGER, AT(backlog), "0", 0, WORKERS_MAX,
		"JOBS", "the most jobs that may be pending; 0 means any number", GROUP_SIZE},
	[SETTING_HANDOVER_MARGIN] = {"handover_margin", SETTING_DURATION,
		AT(handover_margin_ms), "120", 4000, YEAR_MS, "TIME",
		"a job gets no new tasks when its walltime ends in less than this; its replacement "
		"is requested earlier",
		GROUP_SIZE},
	[SETTING_FAILURE_LIMIT] = {"failure_limit", SETTING_INTEGER, AT(failure_limit), "5", 1,
		1000, "JOBS", "after this many failed jobs in a row no more jobs are submitted",
		GROUP_SIZE},
	[SETTING_PYTHON] = {"python", SETTING_STRING, AT(python), "none", 1, 0, "COMMAND",
		"the Python of scheduler and workers: a path, or a command of several words that "
		"runs one, as in a container; none means the first python3 in PATH that has "
		"distributed",
		GROUP_WORKERS},
	[SETTING_MINIMUM_WALLTIME] = {"minimum_walltime", SETTING_WALLTIME,
		AT(minimum_walltime_s), "00:45:00", 1, INT64_MAX, "TIME",
		"a shorter walltime is refused", GROUP_JOB},
	[SETTING_LEAST_WALLTIME] = {"least_walltime", SETTING_WALLTIME, AT(least_walltime_s),
		"none", 0, INT64_MAX, "TIME|none",
		"a job may be given less than walltime, down to this, when it starts earlier so "
		"(sbatch --time-min); none gives it the whole walltime",
		GROUP_JOB},
	[SETTING_LOG_DIRECTORY] = {"log_directory", SETTING_STRING, AT(log_directory),
		"~/.draco_logs", 0, 0, "DIR",
		"where each start makes a directory for the logs of scheduler and jobs",
		GROUP_OTHER},
	[SETTING_LOG_RETENTION] = {"log_retention", SETTING_DURATION, AT(log_retention_ms),
		"14 days", 0, 10 * YEAR_MS, "TIME",
		"a start removes the logs of earlier starts to which nothing was written for this "
		"long; 0 keeps them",
		GROUP_OTHER},
	[SETTING_POLL_INTERVAL] = {"poll_interval", SETTING_DURATION, AT(poll_interval_ms), "5",
		500, YEAR_MS, "TIME",
		"time between two queries to Slurm while a job is waiting", GROUP_OTHER},
	[SETTING_SCHEDULER_TIMEOUT] = {"scheduler_timeout", SETTING_DURATION,
		AT(scheduler_timeout_ms), "120", 1000, YEAR_MS, "TIME",
		"how long the Dask scheduler may take to start", GROUP_OTHER},
	[SETTING_WORKER_TIMEOUT] = {"worker_timeout", SETTING_DURATION, AT(worker_timeout_ms),
		"180", 1000, YEAR_MS, "TIME",
		"how long the workers of a running job may take to connect, or to come back",
		GROUP_OTHER},
	[SETTING_SECURITY] = {"security", SETTING_CHOICE, AT(security), "tls", 0, 0, "tls|none",
		"tls encrypts all connections and admits only this user; none admits everyone who "
		"can reach the scheduler",
		GROUP_NETWORK},
	[SETTING_INTERFACE] = {"interface", SETTING_STRING, AT(interface), "auto", 0, 0,
		"auto|none|NAME",
		"the network for scheduler and workers: auto prefers an InfiniBand interface that "
		"reaches the nodes, none ignores InfiniBand, NAME is an interface or a name of "
		"this host",
		GROUP_NETWORK},
	[SETTING_SCHEDULER_PORT] = {"scheduler_port", SETTING_STRING, AT(scheduler_port),
		"auto", 0, 0, "auto|PORT|FIRST-LAST",
		"the Dask scheduler's port, or a range of which it takes one that is free, as a "
		"firewall allows them; auto is any free one of 20000 to 31999",
		GROUP_NETWORK},
	[SETTING_REMOTE_PORT] = {"remote_port", SETTING_STRING, AT(remote_port), "auto", 0, 0,
		"auto|none|PORT",
		"the port at which dracod serves this user's programs on other hosts with the same "
		"home; they must show the cluster's certificate; auto is a port that is free",
		GROUP_NETWORK},
	[SETTING_DASHBOARD] = {"dashboard", SETTING_CHOICE, AT(dashboard), "on", 0, 0,
		"on|socket|off",
		"Dask's dashboard: at a port (on), at a Unix socket that only this user can open "
		"(socket), or not at all (off)",
		GROUP_NETWORK},
	[SETTING_DASHBOARD_ADDRESS] = {"dashboard_address", SETTING_STRING,
		AT(dashboard_address), "127.0.0.1", 0, 0, "ADDRESS",
		"the address at which the dashboard listens; everyone who reaches it can read it",
		GROUP_NETWORK},
	[SETTING_DASHBOARD_PORT] = {"dashboard_port", SETTING_STRING, AT(dashboard_port),
		"auto", 0, 0, "auto|PORT",
		"the dashboard's port; auto is one that stays the same for user and cluster",
		GROUP_NETWORK},
	[SETTING_ACCOUNT] = {"account", SETTING_STRING, AT(account), "none", 0, 0, "NAME",
		"Slurm account that the jobs are charged to", GROUP_PLACE},
	[SETTING_QOS] = {"qos", SETTING_STRING, AT(qos), "none", 0, 0, "NAME",
		"quality of service of the jobs", GROUP_PLACE},
	[SETTING_CONSTRAINT] = {"constraint", SETTING_STRING, AT(constraint), "none", 0, 0,
		"FEATURES", "features that a job's node must have, as in sbatch --constraint",
		GROUP_PLACE},
	[SETTING_GRES] = {"gres", SETTING_STRING, AT(gres), "none", 0, 0, "NAME:COUNT,...",
		"generic resources of each job, as in sbatch --gres", GROUP_JOB},
	[SETTING_GPUS] = {"gpus", SETTING_STRING, AT(gpus), "none", 0, 0, "[TYPE:]COUNT",
		"GPUs of each job; each of its workers sees a share of them", GROUP_JOB},
	[SETTING_EXCLUSIVE] = {"exclusive", SETTING_BOOLEAN, AT(exclusive), "false", 0, 0,
		"BOOL", "each job has its node to itself", GROUP_JOB},
	[SETTING_LICENSES] = {"licenses", SETTING_STRING, AT(licenses), "none", 0, 0,
		"NAME[:COUNT],...", "licences that each job takes", GROUP_JOB},
	[SETTING_NODELIST] = {"nodelist", SETTING_STRING, AT(nodelist), "none", 0, 0, "NODE",
		"the node that each job must run on", GROUP_PLACE},
	[SETTING_EXCLUDE] = {"exclude", SETTING_STRING, AT(exclude), "none", 0, 0, "NODES",
		"nodes that no job may run on", GROUP_PLACE},
	[SETTING_MAIL_TYPE] = {"mail_type", SETTING_STRING, AT(mail_type), "none", 0, 0,
		"EVENT,...", "when Slurm sends mail about a job: BEGIN, END, FAIL, ...",
		GROUP_OTHER},
	[SETTING_MAIL_USER] = {"mail_user", SETTING_STRING, AT(mail_user), "none", 0, 0,
		"ADDRESS", "the address to which Slurm sends that mail", GROUP_OTHER},
	[SETTING_DIRECTIVES] = {"directives", SETTING_MAP, AT(directives), "none", 0, 0,
		"NAME=VALUE,...", "more options for the jobs: all that sbatch takes here",
		GROUP_OTHER},
	[SETTING_PROLOGUE] = {"prologue", SETTING_TEXT, AT(prologue), "none", 0, 0, "SHELL",
		"commands that a job runs before its workers; the first that fails ends the job, "
		"but not one inside a file or function that they use",
		GROUP_WORKERS},
	[SETTING_EPILOGUE] = {"epilogue", SETTING_TEXT, AT(epilogue), "none", 0, 0, "SHELL",
		"commands that a job runs after its workers", GROUP_WORKERS},
	[SETTING_JOB_ENVIRONMENT] = {"environment", SETTING_MAP, AT(environment), "none", 1, 0,
		"NAME=VALUE,...",
		"variables that the workers get in addition to those of the caller",
		GROUP_WORKERS},
	[SETTING_WORKER_OPTIONS] = {"worker_options", SETTING_LIST, AT(worker_options), "none",
		0, 0, "ARGUMENT,...", "more arguments for the command dask worker",
		GROUP_WORKERS},
	[SETTING_SCHEDULER_OPTIONS] = {"scheduler_options", SETTING_LIST, AT(scheduler_options),
		"none", 0, 0, "ARGUMENT,...", "more arguments for the command dask scheduler",
		GROUP_WORKERS},
	[SETTING_WORKER_START] = {"worker_start", SETTING_CHOICE, AT(worker_start),
		"forkserver", 0, 0, "forkserver|spawn",
		"how a job starts its worker processes: forkserver is fast, spawn is slow and "
		"works with everything",
		GROUP_WORKERS},
	[SETTING_SCRATCH_DIRECTORY] = {"scratch_directory", SETTING_STRING,
		AT(scratch_directory), "/scratch/$USER", 0, 0, "DIR",
		"where use_scratch_dir puts the workers' local files on the node",
		GROUP_WORKERS},
};

void *settings_member(const struct settings *settings, enum setting_id id)
{
	return (char *)UNCONST(settings) + settings_table[id].offset;
}

void settings_init(struct settings *settings)
{
	*settings = (struct settings){0};
	for (int id = 0; id < SETTING_COUNT; id++)
		if (settings_set(settings, id, settings_table[id].default_value, "default",
			    NULL) < 0)
			abort(); /* a default of the table cannot be parsed */
}

void settings_finish(struct settings *settings)
{
	for (int id = 0; id < SETTING_COUNT; id++) {
		value_release(&settings_table[id], settings_member(settings, id));
		free(settings->source[id]);
		free(settings->limit[id].source);
	}
	free(settings->profile);
	*settings = (struct settings){0};
}

void settings_copy(struct settings *settings, const struct settings *from)
{
	settings_finish(settings);
	for (int id = 0; id < SETTING_COUNT; id++) {
		value_copy(&settings_table[id], settings_member(settings, id),
			settings_member(from, id));
		xreplace(&settings->source[id], from->source[id]);
		settings->place[id] = from->place[id];
		settings->limit[id].value = from->limit[id].value;
		xreplace(&settings->limit[id].source, from->limit[id].source);
	}
	xreplace(&settings->profile, from->profile);
}

int settings_in_group(enum setting_group group, int id)
{
	while (id < SETTING_COUNT && settings_table[id].group != group)
		id++;
	return id;
}

static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(*a == '-' && *b == '_'))
			return false;
	return !*a && !*b;
}

/* The error for a name that another program has for a setting. */
static int other_name(const struct other_name *other, const char *name, struct err *err)
{
	const char *advice = other->advice ? other->advice : "";

	if (!other->setting)
		return err_set(err, -ENOENT, "there is no setting \"%s\": %s", name, advice);
	return err_set(err, -ENOENT, "there is no setting \"%s\"; use \"%s\"%s%s%s", name,
		other->setting, *advice ? " (" : "", advice, *advice ? ")" : "");
}

int settings_find(const char *name, struct err *err)
{
	const struct other_name *other = other_name_find(name);
	const char *near;

	for (int id = 0; id < SETTING_COUNT; id++)
		if (same_name(name, settings_table[id].name))
			return id;
	if (other)
		return other_name(other, name, err);
	near = nearest(name, settings_table, SETTING_COUNT, sizeof(settings_table[0]));
	if (near)
		return err_set(err, -ENOENT, "there is no setting \"%s\"; did you mean \"%s\"?",
			name, near);
	return err_set(err, -ENOENT, "there is no setting \"%s\"", name);
}

/* The value of any setting, by its type. */
union value {
	int64_t number;
	bool boolean;
	int choice;
	char *text;
	struct strv list;
};

static bool has_entries(const struct settings *settings, enum setting_id id)
{
	return settings_table[id].type == SETTING_MAP &&
		!value_is_none(&settings_table[id], settings_member(settings, id));
}

/* Set a value from text; text NULL: from JSON. */
static int set(struct settings *settings, enum setting_id id, const char *text,
	const json_t *json, const char *source, struct err *err)
{
	const struct setting *setting = &settings_table[id];
	bool adds = has_entries(settings, id);
	void *at = settings_member(settings, id);
	_cleanup_free_ char *both = NULL;
	union value before = {0};
	int r;

	value_copy(setting, &before, at);
	r = text ? value_set_text(setting, at, text, err)
		 : value_set_json(setting, at, json, err);
	if (r == 0) {
		r = settings_check_value(settings, id, err);
		if (r < 0)
			value_copy(setting, at, &before);
	}
	value_release(setting, &before);
	if (r < 0) {
		err_prefix(err, "%s", setting->name);
		return r;
	}
	/* The entries of a mapping may come from several places. */
	if (adds && has_entries(settings, id) && settings->source[id] &&
		strcmp(settings->source[id], source) != 0)
		both = xasprintf("%s + %s", settings->source[id], source);
	xreplace(&settings->source[id], both ? both : source);
	return 0;
}

int settings_set(struct settings *settings, enum setting_id id, const char *text,
	const char *source, struct err *err)
{
	return set(settings, id, text, NULL, source, err);
}

int settings_set_value(struct settings *settings, enum setting_id id, const json_t *value,
	const char *source, struct err *err)
{
	return set(settings, id, NULL, value, source, err);
}

int settings_set_json(
	struct settings *settings, const json_t *object, const char *source, struct err *err)
{
	const char *name;
	json_t *value;

	json_object_foreach (UNCONST(object), name, value) {
		int id = settings_find(name, err);
		int r = id < 0 ? id : settings_set_value(settings, id, value, source, err);

		if (r < 0)
			return r;
	}
	return 0;
}

char *settings_format(const struct settings *settings, enum setting_id id)
{
	return value_format(&settings_table[id], settings_member(settings, id));
}

json_t *settings_value_to_json(const struct settings *settings, enum setting_id id)
{
	return value_to_json(&settings_table[id], settings_member(settings, id));
}

json_t *settings_to_json(const struct settings *settings)
{
	json_t *object = json_object();

	for (int id = 0; id < SETTING_COUNT; id++)
		json_object_set_new(
			object, settings_table[id].name, settings_value_to_json(settings, id));
	return object;
}

char *settings_place(const struct settings *settings, enum setting_id id)
{
	if (settings->place[id].column)
		return xasprintf("%s:%u", settings->source[id], settings->place[id].column);
	return xstrdup(settings->source[id]);
}

int64_t settings_maximum(const struct settings *settings)
{
	return settings->maximum ? settings->maximum
				 : settings->adaptive_scale_factor * settings->processes;
}

int64_t settings_threads_per_worker(const struct settings *settings)
{
	if (settings->threads)
		return settings->threads;
	return settings->cores > settings->processes ? settings->cores / settings->processes
						     : 1;
}

int64_t settings_bytes_per_worker(const struct settings *settings)
{
	return settings->memory_mib > 0
		? settings->memory_mib * 1024 * 1024 / settings->processes
		: 0;
}

static int port(const char *text, int none)
{
	if (!text)
		return none;
	return strcasecmp(text, "auto") == 0 ? 0 : atoi(text);
}

bool settings_scheduler_ports(const struct settings *settings, int *ret_first, int *ret_last)
{
	const char *last = strchr(settings->scheduler_port, '-');

	*ret_first = port(settings->scheduler_port, 0);
	*ret_last = last ? atoi(last + 1) : *ret_first;
	return *ret_first > 0;
}

int settings_dashboard_port(const struct settings *settings)
{
	return port(settings->dashboard_port, 0);
}

int settings_remote_port(const struct settings *settings)
{
	return port(settings->remote_port, -1);
}
