/* settings_check.c: checks values beyond their type, and the rules between settings. Pure. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/argv.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/expand.h"
#include "common/parse.h"
#include "common/problems.h"
#include "common/settings.h"
#include "common/settings_job.h"
#include "common/settings_places.h"

#define WORKER_MINIMUM_MIB    100 /* with less, a Dask worker cannot even start */
#define INVOLVED_MAX	      4
#define SCHEDULER_MINIMUM_MIB 256

/* dracod has no working directory that a relative path could mean. */
static int check_path(const struct settings *settings, enum setting_id id, struct err *err)
{
	const char *path = id == SETTING_LOG_DIRECTORY ? settings->log_directory : NULL;
	struct strv words = STRV_INIT;
	int r = 0;

	if (id == SETTING_PYTHON && settings->python) {
		r = argv_read(settings->python, &words, err);
		path = r == 0 && strchr(words.item[0], '/') ? words.item[0] : NULL;
	}
	if (id == SETTING_LOG_DIRECTORY && path) {
		r = expand_check(path, err);
		if (path[0] == '$')
			path = NULL;
	}
	if (r == 0 && path && path[0] != '/' && strncmp(path, "~/", 2) != 0)
		r = err_set(err, -EINVAL,
			"\"%s\" is a relative path: begin it with \"/\" or \"~/\"", path);
	strv_finish(&words);
	return r;
}

static bool is_port(const char *text)
{
	int64_t port;

	return strcasecmp(text, "auto") == 0 ||
		parse_integer(text, 1024, 65535, &port, NULL) == 0;
}

/* Check a text such as "8786" or "8786-8800". */
static bool is_port_or_range(const char *text)
{
	const char *dash = strchr(text, '-');
	_cleanup_free_ char *before = xstrndup(text, dash ? (size_t)(dash - text) : 0);
	int64_t first, last;

	return dash ? parse_integer(before, 1024, 65535, &first, NULL) == 0 &&
			parse_integer(dash + 1, 1024, 65535, &last, NULL) == 0 && first <= last
		    : is_port(text);
}

static bool is_port_setting(enum setting_id id)
{
	return id == SETTING_SCHEDULER_PORT || id == SETTING_REMOTE_PORT ||
		id == SETTING_WORKER_PORT || id == SETTING_NANNY_PORT ||
		id == SETTING_DASHBOARD_PORT;
}

static int check_port(const struct settings *s, enum setting_id id, struct err *err)
{
	const char *text = *(char *const *)settings_member(s, id);
	bool may_be_none = id == SETTING_REMOTE_PORT;

	if (text ? is_port_or_range(text) : may_be_none)
		return 0;
	return err_set(err, -EINVAL,
		"\"%s\" is neither a port nor a range of ports: give auto,%s a number from 1024 to "
		"65535, or two of them, the lower one first, such as 8786-8800",
		text ? text : "none", may_be_none ? " none," : "");
}

static int check_network(const struct settings *s, enum setting_id id, struct err *err)
{
	struct in_addr address;

	if (id == SETTING_DASHBOARD_ADDRESS &&
		(!s->dashboard_address ||
			inet_pton(AF_INET, s->dashboard_address, &address) != 1))
		return err_set(err, -EINVAL,
			"\"%s\" is not an IPv4 address: give 127.0.0.1, another address of this "
			"host, or 0.0.0.0 for all of them",
			s->dashboard_address ? s->dashboard_address : "none");
	return is_port_setting(id) ? check_port(s, id, err) : 0;
}

/* Each function checks the setting with this id if it is about that setting. The errors do not name
 * the setting. */
static int (*const value_checks[])(
	const struct settings *settings, enum setting_id id, struct err *err) = {
	check_path,
	check_network,
	settings_check_job,
	settings_check_places,
};

int settings_check_value(const struct settings *settings, enum setting_id id, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(value_checks) / sizeof(value_checks[0]); i++)
		r = value_checks[i](settings, id, err);
	return r;
}

/* "cores 40". The origin is added unless the error is reported there, or it is just the setting's
 * name. */
static char *show(
	const struct settings *settings, enum setting_id id, enum setting_id reported_at)
{
	_cleanup_free_ char *value = settings_format(settings, id);

	if (id == reported_at || strcmp(settings->source[id], settings_table[id].name) == 0)
		return xasprintf("%s %s", settings_table[id].name, value);
	return xasprintf("%s %s (%s)", settings_table[id].name, value, settings->source[id]);
}

static char *check_cores(const struct settings *s, enum setting_id at)
{
	_cleanup_free_ char *processes = show(s, SETTING_PROCESSES, at);
	_cleanup_free_ char *cores = show(s, SETTING_CORES, at);

	if (s->cores == CORES_NODE || s->processes <= s->cores || s->threads)
		return NULL;
	return xasprintf(
		"%s is more than %s: each worker needs a core; lower processes or raise cores, or "
		"say by threads that workers share cores",
		processes, cores);
}

static char *check_whole_node(const struct settings *s, enum setting_id at)
{
	_cleanup_free_ char *cores = show(s, SETTING_CORES, at);

	if (s->cores != CORES_NODE || s->exclusive)
		return NULL;
	return xasprintf("%s needs a node without other jobs: set exclusive, too", cores);
}

static char *check_memory(const struct settings *s, enum setting_id at)
{
	_cleanup_free_ char *processes = show(s, SETTING_PROCESSES, at);
	_cleanup_free_ char *memory = show(s, SETTING_MEMORY, at);
	int64_t each = s->memory_mib / s->processes;

	if (s->memory_mib <= 0 || each >= WORKER_MINIMUM_MIB)
		return NULL;
	return xasprintf(
		"%s leaves %" PRId64
		" MiB to each worker with %s, and a Dask worker needs at least %d MiB: "
		"raise memory or lower processes",
		memory, each, processes, WORKER_MINIMUM_MIB);
}

static char *check_walltime(const struct settings *s, enum setting_id at)
{
	_cleanup_free_ char *walltime = show(s, SETTING_JOB_WALLTIME, at);
	_cleanup_free_ char *least = show(s, SETTING_MINIMUM_WALLTIME, at);
	/* The user wrote a form such as 1:30, which means minutes:seconds. */
	bool may_mean_hours;
	char meant[FORMAT_MAX];

	if (s->walltime_s >= s->minimum_walltime_s)
		return NULL;
	may_mean_hours = s->walltime_s < 720 && s->walltime_s * 60 >= s->minimum_walltime_s;
	return xasprintf("%s is below %s: give at least that (or lower minimum_walltime)%s%s%s",
		walltime, least, may_mean_hours ? "; did you mean " : "",
		may_mean_hours ? format_walltime(s->walltime_s * 60, meant) : "",
		may_mean_hours ? "?" : "");
}

static char *check_least_walltime(const struct settings *s, enum setting_id at)
{
	_cleanup_free_ char *least = show(s, SETTING_LEAST_WALLTIME, at);
	_cleanup_free_ char *walltime = show(s, SETTING_JOB_WALLTIME, at);
	_cleanup_free_ char *minimum = show(s, SETTING_MINIMUM_WALLTIME, at);

	if (s->least_walltime_s == 0)
		return NULL;
	if (s->least_walltime_s > s->walltime_s)
		return xasprintf(
			"%s is above %s: a job may get less than its walltime, not more", least,
			walltime);
	if (s->least_walltime_s < s->minimum_walltime_s)
		return xasprintf(
			"%s is below %s: give at least that (or lower minimum_walltime)", least,
			minimum);
	return NULL;
}

static char *check_maximum(const struct settings *s, enum setting_id at)
{
	_cleanup_free_ char *minimum = show(s, SETTING_MINIMUM, at);
	_cleanup_free_ char *maximum = show(s, SETTING_MAXIMUM, at);
	_cleanup_free_ char *factor = show(s, SETTING_ADAPTIVE_SCALE_FACTOR, at);
	_cleanup_free_ char *processes = show(s, SETTING_PROCESSES, at);

	if (s->minimum <= settings_maximum(s))
		return NULL;
	if (s->maximum)
		return xasprintf(
			"%s is above %s: lower one or raise the other", minimum, maximum);
	return xasprintf("%s is above the maximum of %" PRId64
			 " workers, which is %s x %s: set maximum, or raise "
			 "adaptive_scale_factor",
		minimum, settings_maximum(s), factor, processes);
}

static char *check_ports(const struct settings *s, enum setting_id at)
{
	_cleanup_free_ char *scheduler = show(s, SETTING_SCHEDULER_PORT, at);
	_cleanup_free_ char *remote = show(s, SETTING_REMOTE_PORT, at);
	int first, last, remote_first, remote_last;

	if (!settings_ports(s, SETTING_SCHEDULER_PORT, &first, &last) ||
		!settings_ports(s, SETTING_REMOTE_PORT, &remote_first, &remote_last) ||
		remote_first != remote_last || remote_first < first || remote_first > last)
		return NULL;
	return xasprintf(
		"%s and %s: two servers cannot have one port: give one of them another",
		scheduler, remote);
}

/* How many ports two ranges have in common. */
static int overlap(int first, int last, int other_first, int other_last)
{
	int from = first > other_first ? first : other_first;
	int to = last < other_last ? last : other_last;

	return to < from ? 0 : to - from + 1;
}

/* Each worker of a job, and its nanny, need a port of their own. */
static char *check_node_ports(const struct settings *s, enum setting_id at)
{
	_cleanup_free_ char *worker = show(s, SETTING_WORKER_PORT, at);
	_cleanup_free_ char *nanny = show(s, SETTING_NANNY_PORT, at);
	_cleanup_free_ char *processes = show(s, SETTING_PROCESSES, at);
	int first, last, nanny_first, nanny_last;
	bool has = settings_ports(s, SETTING_WORKER_PORT, &first, &last);
	bool nanny_has = settings_ports(s, SETTING_NANNY_PORT, &nanny_first, &nanny_last);

	if (has && last - first + 1 < s->processes)
		return xasprintf("%s is too few ports for %s: each worker of a job needs one",
			worker, processes);
	if (nanny_has && nanny_last - nanny_first + 1 < s->processes)
		return xasprintf("%s is too few ports for %s: each worker of a job has a nanny",
			nanny, processes);
	if (has && nanny_has &&
		last - first + 1 + nanny_last - nanny_first + 1 -
				overlap(first, last, nanny_first, nanny_last) <
			2 * s->processes)
		return xasprintf(
			"%s and %s are too few ports for %s: each worker of a job needs "
			"one, and its nanny another",
			worker, nanny, processes);
	return NULL;
}

/* A scheduler without work has about 150 MiB. */
static char *check_scheduler_memory(const struct settings *s, enum setting_id at)
{
	_cleanup_free_ char *max = show(s, SETTING_SCHEDULER_MEMORY_MAX, at);
	_cleanup_free_ char *high = show(s, SETTING_SCHEDULER_MEMORY_HIGH, at);

	if (s->scheduler_memory_max_mib && s->scheduler_memory_max_mib < SCHEDULER_MINIMUM_MIB)
		return xasprintf("%s is too little: a Dask scheduler needs at least %d MiB",
			max, SCHEDULER_MINIMUM_MIB);
	if (s->scheduler_memory_high_mib &&
		s->scheduler_memory_high_mib < SCHEDULER_MINIMUM_MIB)
		return xasprintf("%s is too little: a Dask scheduler needs at least %d MiB",
			high, SCHEDULER_MINIMUM_MIB);
	if (s->scheduler_memory_max_mib &&
		s->scheduler_memory_high_mib > s->scheduler_memory_max_mib)
		return xasprintf("%s is above %s: it would never be reached", high, max);
	return NULL;
}

static const struct rule {
	/* The text of the error, which the caller frees; NULL: the rule holds. */
	char *(*check)(const struct settings *settings, enum setting_id reported_at);
	int count;
	enum setting_id involved[INVOLVED_MAX];
} rules[] = {
	{check_whole_node, 2, {SETTING_CORES, SETTING_EXCLUSIVE}},
	{check_cores, 3, {SETTING_PROCESSES, SETTING_CORES, SETTING_THREADS}},
	{check_memory, 2, {SETTING_MEMORY, SETTING_PROCESSES}},
	{check_walltime, 2, {SETTING_JOB_WALLTIME, SETTING_MINIMUM_WALLTIME}},
	{check_least_walltime, 3,
		{SETTING_LEAST_WALLTIME, SETTING_JOB_WALLTIME, SETTING_MINIMUM_WALLTIME}},
	{check_ports, 2, {SETTING_SCHEDULER_PORT, SETTING_REMOTE_PORT}},
	{check_scheduler_memory, 2,
		{SETTING_SCHEDULER_MEMORY_MAX, SETTING_SCHEDULER_MEMORY_HIGH}},
	{check_node_ports, 3, {SETTING_WORKER_PORT, SETTING_NANNY_PORT, SETTING_PROCESSES}},
	{check_maximum, 4,
		{SETTING_MINIMUM, SETTING_MAXIMUM, SETTING_ADAPTIVE_SCALE_FACTOR,
			SETTING_PROCESSES}},
};

/* Of the settings in the rule the one that was given last. The error is reported there. */
static enum setting_id find_culprit(const struct settings *settings, const struct rule *rule)
{
	enum setting_id culprit = rule->involved[0];

	for (int i = 1; i < rule->count; i++) {
		const struct setting_place *place = &settings->place[rule->involved[i]];
		const struct setting_place *last = &settings->place[culprit];

		if (place->layer > last->layer ||
			(place->layer == last->layer && place->from_profile &&
				!last->from_profile))
			culprit = rule->involved[i];
	}
	return culprit;
}

static bool concerns(const struct rule *rule, const bool ids[SETTING_COUNT])
{
	for (int i = 0; ids && i < rule->count; i++)
		if (ids[rule->involved[i]])
			return true;
	return false;
}

void settings_check_all(const struct settings *settings, const bool without[SETTING_COUNT],
	struct problems *problems)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		enum setting_id culprit = find_culprit(settings, &rules[i]);
		_cleanup_free_ char *text = rules[i].check(settings, culprit);
		_cleanup_free_ char *place = settings_place(settings, culprit);

		if (text && !concerns(&rules[i], without))
			problems_add(problems, place, "%s", text);
	}
}

int settings_check(const struct settings *settings, struct err *err)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		_cleanup_free_ char *text =
			rules[i].check(settings, find_culprit(settings, &rules[i]));

		if (text)
			return err_set(err, -EINVAL, "%s", text);
	}
	return 0;
}
