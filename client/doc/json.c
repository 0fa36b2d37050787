/* json.c: the page about --json, with the answers of each command. A test compares its keys with
 * real answers. */
#include <stdlib.h>
#include <string.h>

#include "client/doc/doc.h"
#include "client/doc/json.h"
#include "client/output.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/io/events.h"
#include "daemon/policy/job_phase.h"

struct answer {
	const char *command;	    /* the heading */
	const char *text;	    /* before the table */
	const struct doc_key *keys; /* ends with a NULL path; NULL: no table */
};

/* Words from the tables of the daemon */

static char *join(int count, const char *(*name)(int))
{
	struct strv words = STRV_INIT;
	char *text;

	for (int i = 0; i < count; i++)
		strv_addf(&words, "`%s`", name(i));
	text = strv_join(&words, ", ");
	strv_finish(&words);
	return text;
}

static const char *phase_name(int phase)
{
	return job_phase_name((enum job_phase)phase);
}

static char *phases(void)
{
	return join(PHASE_COUNT, phase_name);
}

static const char *kind_name(int kind)
{
	return event_kind_name((enum event_kind)kind);
}

static char *kinds(void)
{
	return join(EVENT_KINDS, kind_name);
}

/* Types of strings that have a table of their own. */
static const struct {
	const char *name;
	char *(*words)(void);
} word_types[] = {{"phase", phases}, {"kind", kinds}};

/* The tables */

static const struct doc_key error_keys[] = {
	{"error", "string", "what went wrong, as people read it"},
	{"data", "object", "more about it; missing where there is no more"},
	{"data.problems", "array", "each mistake in the settings"},
	{"data.problems[].severity", "string", "`error` or `warning`"},
	{"data.problems[].place", "string?", "file with line and column, variable, or option"},
	{"data.problems[].message", "string", "what is wrong there"},
	{"data.message", "string", "of a failed start: what happened"},
	{"data.log", "string?", "path of a log that says more"},
	{"data.tail", "string?", "the end of that log"},
	{"data.candidates", "array?",
		"each place that was tried, as `cluster.candidates` of `status`"},
	{"data.notices", "array", "as `cluster.notices` of `status`"},
	{0},
};

static const struct doc_key progress_keys[] = {
	{"state", "string", "state of the cluster, as `cluster.state` of `status`"},
	{"step", "integer", "number of the step; grows while the start makes progress"},
	{"message", "string", "what it is doing or waiting for"},
	{"elapsed_s", "number", "seconds since the start, or since the stop"},
	{"scheduler", "string", "state of the Dask scheduler"},
	{"workers", "integer", "workers that are connected"},
	{"workers_wanted", "integer", "workers that a start waits for"},
	{"joined", "boolean", "whether the cluster ran, or was starting, before"},
	{"milestones", "object", "as `cluster.milestones` of `status`"},
	{0},
};

static const struct doc_key start_keys[] = {
	{"joined", "boolean", "whether the cluster ran, or was starting, before"},
	{"limits", "array", "settings that a limit of the site has changed"},
	{"limits[].setting", "string", "its name"},
	{"limits[].asked", "string", "the value that was given"},
	{"limits[].given", "string", "the value that counts"},
	{"limits[].limit", "string", "the limit"},
	{"limits[].source", "string", "file and line of the limit"},
	{"limits[].message", "string", "all this in a sentence"},
	{"mistakes", "array",
		"empty: dracoctl tells of mistakes in the site's file before it asks dracod"},
	{"differences", "array",
		"with `joined`: settings of the running cluster that differ from those of this "
		"start"},
	{"differences[].setting", "string", "its name"},
	{"differences[].running", "string", "value in the running cluster"},
	{"differences[].asked", "string", "value of this start"},
	{"differences[].source", "string", "where that value comes from"},
	{0},
};

static const struct doc_key dry_run_keys[] = {
	{"candidates", "array", "as `cluster.candidates` of `status`"},
	{"chosen", "integer", "index of the candidate that a start would take; -1: none"},
	{"now", "integer", "the present time, to compare with `start`"},
	{0},
};

static const struct doc_key size_keys[] = {
	{"mode", "string", ""},
	{"paused", "boolean", ""},
	{"paused_why", "string?", ""},
	{"minimum_jobs", "integer", ""},
	{"maximum_jobs", "integer", ""},
	{"target", "integer", ""},
	{"needed", "integer", ""},
	{"why", "string", ""},
	{"shortage", "string?", ""},
	{"hold_ms", "integer", ""},
	{"hold_why", "string", ""},
	{"per_job", "object", ""},
	{"per_job.workers", "integer", ""},
	{"per_job.cores", "integer", "0: not known"},
	{"per_job.memory_mib", "integer", "0: not known"},
	{"waits", "boolean",
		"of `retire` only: whether the job stays until its results have a place to go"},
	{0},
};

static const struct doc_key stop_keys[] = {
	{"state", "string", "state of the cluster afterwards"},
	{"unconfirmed", "integer", "how many jobs may still run"},
	{"jobs", "array", "their ids"},
	{"slurm_answers", "boolean", "whether Slurm has answered last"},
	{"stays", "boolean",
		"of `shutdown` only: whether dracod stays until those jobs are gone"},
	{0},
};

static const struct doc_key events_keys[] = {
	{"id", "integer", "counts up, also from one dracod to the next"},
	{"time", "number", "when it happened"},
	{"kind", "kind", "one of"},
	{"subject", "string",
		"what it is about, such as `job`, `cluster`, `scheduler`, `slurm`, `dracod`"},
	{"name", "string", "which of them; missing where there is only one"},
	{"text", "string", "what happened, in one line"},
	{"from", "string", "of a `phase`: the phase or state before"},
	{"to", "string", "of a `phase`: the one after"},
	{"after_s", "number", "of a `phase`: seconds spent in the one before"},
	{"log", "string",
		"of a `failure`: path of a log that says more; missing where there is none"},
	{"tail", "string", "the end of that log"},
	{0},
};

static const struct doc_key list_keys[] = {
	{"name", "string", "for `--name`; `NAME@SLURM` in another Slurm than that of `NAME`"},
	{"slurm", "string?", "Slurm's ClusterName; null: not known"},
	{"host", "string?", "where dracod runs, or ran; null: not known"},
	{"state", "string",
		"as `cluster.state` of `status`; or `elsewhere`: dracod runs on another host and "
		"cannot be reached from here; `unknown`: it does not answer; `killed`: it ended "
		"without cleaning up, and jobs may remain"},
	{"workers", "integer", "workers that are connected"},
	{"jobs", "integer", "jobs"},
	{"address", "string?", "of the Dask scheduler"},
	{"dashboard", "string?", "URL of the dashboard"},
	{"note", "string?", "why there is no answer, and what helps"},
	{0},
};

static const struct doc_key where_keys[] = {
	{"name", "string", "of the state directory: the cluster's name, or `NAME@SLURM`"},
	{"slurm", "object?", "the Slurm that this program uses; null: no slurm.conf tells"},
	{"slurm.cluster", "string", "its ClusterName"},
	{"slurm.controllers", "array", "strings: host and port of each slurmctld"},
	{"state_directory", "string", "path"},
	{"runtime_directory", "string?",
		"path of the directory of the sockets; null: no dracod runs"},
	{"log", "string", "path of dracod's log"},
	{"settings", "string", "path of your settings file"},
	{0},
};

static const struct doc_key restart_keys[] = {
	{"pid", "integer", "process of the dracod that goes on"},
	{"former_pid", "integer", "process of the one before"},
	{"version", "string", "version of the one that goes on"},
	{"seconds", "number", "how long that took"},
	{0},
};

static const struct doc_key launch_keys[] = {
	{"name", "string", "of the state directory, as `name` of `where`"},
	{"pid", "integer", "process of dracod"},
	{"host", "string", "its host"},
	{"boot", "string", "id of the boot of that host"},
	{"job", "string?", "the Slurm job in which it runs, and with which it ends"},
	{"version", "string", "its version"},
	{"socket", "string", "path of its control socket"},
	{"supervised", "boolean", "whether systemd starts it again"},
	{"started", "integer", "when it started"},
	{"launched", "boolean", "whether this command started it"},
	{0},
};

static const struct doc_key takeover_keys[] = {
	{"host", "string", "the host that is now considered gone"},
	{"pid", "integer", "process of dracod there"},
	{0},
};

static const struct doc_key config_show_keys[] = {
	{"settings", "object", "each setting under its name"},
	{"settings.*", "object", "the setting"},
	{"settings.*.value", "any", "its effective value: see below"},
	{"settings.*.layer", "string",
		"`default`, `site`, `user`, `environment`, `option` or `limit`: where it comes "
		"from"},
	{"settings.*.source", "string", "the same for people: file and line, variable, option"},
	{"settings.*.file", "string", "path of the file; missing for other layers"},
	{"settings.*.line", "integer", "its line; likewise"},
	{"settings.*.profile", "string",
		"profile that it is from; missing when it is from none"},
	{"profile", "string?", "the profile in use"},
	{"limits", "array", "as `limits` of `start`"},
	{"limits[].*", "string", "likewise"},
	{0},
};

static const struct doc_key config_explain_keys[] = {
	{"name", "string", "name of the setting"},
	{"help", "string", "its meaning"},
	{"type", "string", "its type, for people"},
	{"range", "string?", "its range, for people"},
	{"default", "any", "its default: see below"},
	{"variable", "string", "the variable that gives it"},
	{"option", "string", "the option that gives it, without the dashes"},
	{"value", "any",
		"this key and those that follow: as `settings.*` of `config show`; missing while "
		"`config check` finds errors"},
	{"layer", "string", ""},
	{"source", "string", ""},
	{"file", "string", ""},
	{"line", "integer", ""},
	{"profile", "string", ""},
	{0},
};

static const struct doc_key config_check_keys[] = {
	{"good", "boolean", "whether there is no error"},
	{"problems", "array", "as `data.problems` of an error"},
	{"problems[].severity", "string", ""},
	{"problems[].place", "string?", ""},
	{"problems[].message", "string", ""},
	{0},
};

static const struct doc_key config_path_keys[] = {
	{"site", "object", "the site's file"},
	{"site.path", "string?", "its path"},
	{"site.exists", "boolean", "whether it is there"},
	{"user", "object", "the user's file"},
	{"user.path", "string?", "its path"},
	{"user.exists", "boolean", "whether it is there"},
	{0},
};

static const struct doc_key config_init_keys[] = {
	{"path", "string", "path of the file that was written"},
	{"proposed", "array", "the settings that have a value for this Slurm, not the default"},
	{"proposed[].setting", "string", "the setting"},
	{"proposed[].value", "string", "its value, as in the file"},
	{"proposed[].reason", "string", "the fact that it rests on"},
	{"hindrance", "string or null", "why there are no values for this Slurm"},
	{0},
};

static const struct doc_key config_profiles_keys[] = {
	{"[].name", "string", "name of the profile"},
	{"[].places", "array", "strings: file and line of each definition"},
	{0},
};

static const struct doc_key logs_list_keys[] = {
	{"directory", "string?", "directory of the logs of the present or last start"},
	{"logs", "array", "the logs"},
	{"logs[].name", "string",
		"`daemon`, `scheduler`, or the id of a job: an argument of `logs`"},
	{"logs[].path", "string", "its path"},
	{"logs[].bytes", "integer", "its size"},
	{"logs[].changed", "integer", "when it was last written to"},
	{"earlier", "array", "strings: directories of earlier starts"},
	{0},
};

static const struct doc_key logs_keys[] = {
	{"log", "string", "its name"},
	{"path", "string", "its path"},
	{"lines", "array", "strings: its last lines"},
	{0},
};

static const struct doc_key script_keys[] = {
	{"script", "string", "the batch script"},
	{0},
};

static const struct doc_key dashboard_keys[] = {
	{"mode", "string", "this key and those that follow: as `dashboard` of `status`"},
	{"url", "string?", ""},
	{"address", "string?", ""},
	{"port", "integer?", ""},
	{"wanted_port", "integer", ""},
	{"socket", "string?", ""},
	{"note", "string?", ""},
	{"ssh", "string", "an ssh command that forwards the dashboard to your own machine"},
	{"ssh_url", "string", "its URL there"},
	{"jupyter_path", "string?", "its path below a JupyterHub server on this host"},
	{0},
};

static const struct doc_key doctor_keys[] = {
	{"status", "string", "the worst of the findings"},
	{"checks", "array", "the findings"},
	{"checks[].name", "string", "what was looked at"},
	{"checks[].status", "string", "`ok`, `warning` or `failed`"},
	{"checks[].text", "string", "what was found"},
	{"checks[].remedy", "string", "what helps; missing where nothing is to be done"},
	{"checks[].check", "string", "the check that found it"},
	{0},
};

static const struct doc_key version_keys[] = {
	{"dracoctl", "string", "version of dracoctl"},
	{"dracod", "string?", "version of the running dracod; null: none runs"},
	{"slurm", "object?",
		"how Slurm would be asked here, without asking it; null: it cannot be used"},
	{"slurm.interface", "string", "`libslurm` or `commands`"},
	{"slurm.why", "string", "why in this way"},
	{"slurm.version", "string?",
		"of Slurm, as libslurm was built for it, or of the commands"},
	{"slurm.built", "string?",
		"the Slurm that the libslurm in use was built for; null: none"},
	{"slurm.libslurm", "string?", "its file; null: none is in use"},
	{"slurm.broken", "boolean",
		"whether the commands are used because the libslurm that fits does not start"},
	{"json", "integer", "version of this format"},
	{0},
};

static const struct answer answers[] = {
	{"Errors",
		"A command that fails prints an object with `error` on standard output. The "
		"exit status says which kind of failure it is.",
		error_keys},
	{"start",
		"While it waits, each step is an object on a line of its own:", progress_keys},
	{"start, at the end",
		"The last object is what `status` answers, and these keys besides:",
		start_keys},
	{"start --dry-run", "Exit status 1 when no place can run the jobs.", dry_run_keys},
	{"status", "", doc_status_keys},
	{"scale, adapt, pause, resume, retire",
		"The size as it is meant from now on, with the keys of `size` in `status`.",
		size_keys},
	{"stop, shutdown", "", stop_keys},
	{"events", "Each event is an object on a line.", events_keys},
	{"env",
		"An object with the variables that let `Client()` connect: each name with its "
		"value, a string.",
		NULL},
	{"launch", "", launch_keys},
	{"restart", "", restart_keys},
	{"list", "An array.", list_keys},
	{"where", "", where_keys},
	{"takeover", "", takeover_keys},
	{"config show", "", config_show_keys},
	{"config explain", "An object for one setting, an array of them for several.",
		config_explain_keys},
	{"config check", "Exit status 1 when there is an error.", config_check_keys},
	{"config path", "", config_path_keys},
	{"config init", "", config_init_keys},
	{"config profiles", "An array.", config_profiles_keys},
	{"logs --list", "", logs_list_keys},
	{"logs", "`--json` and `--follow` exclude each other.", logs_keys},
	{"script", "", script_keys},
	{"dashboard", "", dashboard_keys},
	{"doctor", "", doctor_keys},
	{"version", "", version_keys},
	{"run", "It prints nothing by itself: the output is that of its command.", NULL},
	{0},
};

static void put_key(FILE *page, const struct doc_key *key)
{
	int length = (int)strcspn(key->type, "?");

	fprintf(page, "| `%s` | ", key->path);
	for (size_t i = 0; i < sizeof(word_types) / sizeof(word_types[0]); i++) {
		_cleanup_free_ char *words = NULL;

		if (strcmp(word_types[i].name, key->type) != 0)
			continue;
		words = word_types[i].words();
		fprintf(page, "string | %s %s |\n", key->help, words);
		return;
	}
	fprintf(page, "%.*s%s | %s |\n", length, key->type, key->type[length] ? " or null" : "",
		key->help);
}

void doc_json_keys(FILE *page)
{
	for (const struct answer *answer = answers; answer->command; answer++) {
		fprintf(page, "%s### %s\n", answer == answers ? "" : "\n", answer->command);
		if (*answer->text)
			fprintf(page, "\n%s\n", answer->text);
		if (answer->keys)
			fputs("\n| key | type | meaning |\n|---|---|---|\n", page);
		for (const struct doc_key *key = answer->keys; key && key->path; key++)
			put_key(page, key);
	}
}

void doc_json_version(FILE *page)
{
	fprintf(page, "This is version %d of the format.\n", OUTPUT_JSON_VERSION);
}
