/* doctor_slurm.c: checks of dracoctl doctor: Slurm, its authentication, and the partitions of this
 * user. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/ctl.h"
#include "client/doctor.h"
#include "client/helper.h"
#include "client/output.h"
#include "client/small_job.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/parse.h"
#include "common/settings_places.h"
#include "common/strv.h"
#include "common/survey.h"

#define CALL_DEADLINE_MS 20000
#define OTHERS_MAX	 12

/* Make and decode a credential with munge's own programs, if they are installed. */
static int try_munge(const char *socket, char **ret_text)
{
	char *argv[] = {UNCONST("sh"), UNCONST("-c"),
		UNCONST("command -v munge >/dev/null && command -v unmunge >/dev/null || exit 99\n"
			"munge -n -S \"$1\" | unmunge -S \"$1\" 2>&1"),
		UNCONST("sh"), UNCONST(socket), NULL};
	int status = doctor_capture(argv, ret_text);

	return status == 99 << 8 ? 0 : status;
}

void check_munge(const struct doctor *doctor, struct report *report)
{
	struct helper helper = HELPER_INIT;
	_cleanup_json_ json_t *answer = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *interface =
		settings_format(&doctor->settings, SETTING_SLURM_INTERFACE);
	const char *socket, *error;
	struct err err = ERR_INIT;

	helper.interface = interface;
	if (helper_start(&helper, &doctor->ctl->paths, &err) < 0 ||
		helper_call(&helper, "munge", NULL, CALL_DEADLINE_MS, &answer, &err) < 0) {
		helper_stop(&helper);
		return; /* Slurm is not usable at all: check_slurm() reports why */
	}
	helper_stop(&helper);
	socket = json_get_text(answer, "socket", "");
	error = json_get_text(answer, "error", NULL);
	if (error) {
		report_finding(report, FINDING_FAILED, "munge",
			"ask the administrators to start munged on this host", "%s", error);
		return;
	}
	if (try_munge(socket, &text) != 0)
		report_finding(report,
			json_get_boolean(answer, "sure", 0) ? FINDING_FAILED : FINDING_WARNING,
			"munge", "ask the administrators: munge -n | unmunge must work",
			"munged does not accept its own credential: %.*s",
			(int)strcspn(text ? text : "", "\n"), text ? text : "");
	else
		report_finding(report, FINDING_OK, "munge", NULL, "answers at %s", socket);
}

static const json_t *find_partition(const json_t *partitions, const char *name)
{
	const json_t *partition;
	size_t i;

	json_array_foreach (partitions, i, partition)
		if (strcmp(json_get_text(partition, "name", ""), name) == 0)
			return partition;
	return NULL;
}

/* "now", or "at 14:05:09". The caller frees. */
static char *format_start(json_int_t start)
{
	char when[OUTPUT_TIME_MAX];

	if (start <= time(NULL) + 5)
		return xstrdup("would start now");
	return xasprintf("would start %s", output_time((time_t)start, when));
}

/* Does a job with these settings fit on a node of the partition? Reports it. */
static bool tell_size(const struct doctor *doctor, struct report *report, const char *title,
	const json_t *partition)
{
	const struct settings *settings = &doctor->settings;
	json_int_t cores = json_get_integer(partition, "cores", INT64_MAX);
	json_int_t memory = json_get_integer(partition, "memory_mib", INT64_MAX);
	char has[FORMAT_MAX], needs[FORMAT_MAX];

	if (cores > 0 && cores < settings->cores) /* 0: its nodes are not visible */
		report_finding(report, FINDING_WARNING, title,
			"a smaller value of cores, or another partition in queues_to_try",
			"its largest node has %" JSON_INTEGER_FORMAT
			" cores, and cores is %" PRId64,
			cores, settings->cores);
	else if (memory > NO_REAL_MEMORY_MIB && memory < settings->memory_mib)
		report_finding(report, FINDING_WARNING, title,
			"a smaller value of memory, or another partition in queues_to_try",
			"its largest node has %s of memory, and memory is %s",
			format_size(memory, has), format_size(settings->memory_mib, needs));
	else
		return true;
	return false;
}

/* Which jobs can run in a partition? A small one is that of --nodes. */
enum room { ROOM_NONE, ROOM_SMALL, ROOM_FULL };

/* Report one of the partitions to try. */
static enum room tell_partition(
	const struct doctor *doctor, struct report *report, const json_t *all, const char *name)
{
	const json_t *partition = find_partition(all, name);
	_cleanup_free_ char *title = xasprintf("queue %s", name);
	const char *state = json_get_text(partition, "state", "?");
	const char *refused = json_get_text(partition, "refused", NULL);
	json_int_t limit = json_get_integer(partition, "max_time_s", -1);
	char given[FORMAT_MAX], most[FORMAT_MAX];
	_cleanup_free_ char *start = NULL;

	if (!partition) {
		report_finding(report, FINDING_WARNING, title, "take it out of queues_to_try",
			"there is no such partition");
		return ROOM_NONE;
	}
	if (strcmp(state, "up") != 0 && strcmp(state, "down") != 0) {
		report_finding(report, FINDING_WARNING, title,
			"wait, or another partition in queues_to_try",
			"takes no jobs, its state is %s", state);
		return ROOM_NONE;
	}
	if (refused) {
		report_finding(report, FINDING_WARNING, title,
			"another partition in queues_to_try, or ask the administrators",
			"%s (%" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT
			" nodes are usable)",
			refused, json_get_integer(partition, "usable", 0),
			json_get_integer(partition, "nodes", 0));
		return ROOM_NONE;
	}
	if (limit >= 0 && limit < doctor->settings.walltime_s) {
		report_finding(report, FINDING_WARNING, title,
			"a shorter walltime, or another partition in queues_to_try",
			"its time limit is %s, and walltime is %s",
			format_walltime(limit, most),
			format_walltime(doctor->settings.walltime_s, given));
		return ROOM_NONE;
	}
	if (strcmp(state, "up") == 0 && !tell_size(doctor, report, title, partition))
		return ROOM_SMALL;
	start = format_start(json_get_integer(partition, "start", 0));
	report_finding(report, strcmp(state, "up") == 0 ? FINDING_OK : FINDING_WARNING, title,
		"wait until the administrators start it again",
		"%s, %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT
		" nodes are usable, at most %s; a small job %s",
		state, json_get_integer(partition, "usable", 0),
		json_get_integer(partition, "nodes", 0),
		limit < 0 ? "any time" : format_walltime(limit, most), start);
	return strcmp(state, "up") == 0 ? ROOM_FULL : ROOM_NONE;
}

static char *list_others(const json_t *all, const struct strv *tried)
{
	struct strv names = STRV_INIT;
	const json_t *partition;
	char *text;
	size_t i;

	json_array_foreach (all, i, partition) {
		const char *name = json_get_text(partition, "name", "");

		if (strv_has(tried, name))
			continue;
		if (names.count == OTHERS_MAX) {
			strv_add(&names, "...");
			break;
		}
		strv_add(&names, name);
	}
	text = strv_join(&names, ", ");
	strv_finish(&names);
	return text;
}

/* No job can run: say why. too_small: a small job can, so that it is for the size. */
static void tell_no_room(const struct doctor *doctor, struct report *report, const json_t *all,
	const struct strv *tried, const char *others, bool too_small)
{
	const struct settings *settings = &doctor->settings;
	_cleanup_free_ char *wanted = settings_describe_cores(settings);
	json_int_t cores = 0, memory = 0;
	char has[FORMAT_MAX], needs[FORMAT_MAX];

	if (!too_small) {
		report_finding(report, FINDING_FAILED, "queues",
			"set queues_to_try to partitions that you may use (sinfo lists them)",
			"a job can run in none of queues_to_try; other partitions: %s",
			*others ? others : "none");
		return;
	}
	for (size_t i = 0; i < tried->count; i++) {
		const json_t *partition = find_partition(all, tried->item[i]);
		json_int_t c = json_get_integer(partition, "cores", 0);
		json_int_t m = json_get_integer(partition, "memory_mib", 0);

		cores = c > cores ? c : cores;
		memory = m > memory ? m : memory;
	}
	report_finding(report, FINDING_FAILED, "queues",
		"smaller values of cores and memory, or other partitions in queues_to_try; "
		"dracoctl config init proposes values that fit",
		"no node is large enough for a job: in queues_to_try one has at most "
		"%" JSON_INTEGER_FORMAT " cores%s%s, and a job asks for %s%s%s",
		cores, memory > NO_REAL_MEMORY_MIB ? " and " : "",
		memory > NO_REAL_MEMORY_MIB ? format_size(memory, has) : "", wanted,
		settings->memory_mib > 0 ? " and " : "",
		settings->memory_mib > 0 ? format_size(settings->memory_mib, needs) : "");
}

static void tell_partitions(
	const struct doctor *doctor, struct report *report, const json_t *all)
{
	struct strv tried = STRV_INIT;
	_cleanup_free_ char *others = NULL;
	const char *first = NULL; /* where a small job can run */
	bool usable = false;

	settings_partitions(&doctor->settings, &tried);
	others = list_others(all, &tried);
	if (tried.count == 0) {
		report_finding(report, FINDING_OK, "queues", NULL,
			"the site chooses the partition (queues_to_try is empty)");
		report_fact(report, "partition", json_text(""));
		return;
	}
	for (size_t i = 0; i < tried.count; i++) {
		enum room room = tell_partition(doctor, report, all, tried.item[i]);

		if (room != ROOM_NONE && !first)
			first = tried.item[i];
		usable |= room == ROOM_FULL;
	}
	if (first)
		report_fact(report, "partition", json_text(first));
	if (!usable)
		tell_no_room(doctor, report, all, &tried, others, first != NULL);
	else if (*others)
		report_finding(report, FINDING_OK, "other queues", NULL,
			"%s (not in queues_to_try)", others);
	strv_finish(&tried);
}

static void tell_controllers(struct report *report, const json_t *answer, const char *address)
{
	struct strv down = STRV_INIT, up = STRV_INIT;
	_cleanup_free_ char *down_list = NULL, *up_list = NULL;
	const json_t *controller;
	size_t i;

	json_array_foreach (json_object_get(answer, "controllers"), i, controller)
		strv_add(json_get_boolean(controller, "up", 0) ? &up : &down,
			json_get_text(controller, "host", "?"));
	up_list = strv_join(&up, ", ");
	down_list = strv_join(&down, ", ");
	report_finding(report, down.count > 0 ? FINDING_WARNING : FINDING_OK, "slurm",
		"Slurm works as long as one does; ask the administrators about the other",
		"%s %s, slurmctld on %s%s%s, reached from %s",
		json_get_text(answer, "cluster", "?"), json_get_text(answer, "version", "?"),
		up_list, down.count > 0 ? ", and none on " : "", down_list, address);
	strv_finish(&up);
	strv_finish(&down);
}

static void tell_way(struct report *report, const json_t *way)
{
	const char *library = json_get_text(way, "libslurm", NULL);
	const char *built = json_get_text(way, "built", NULL);
	bool by_commands = strcmp(json_get_text(way, "interface", ""), "commands") == 0;

	if (by_commands)
		report_finding(report,
			json_get_boolean(way, "broken", 0) ? FINDING_WARNING : FINDING_OK,
			"slurm by",
			"tell the administrators what libslurm says; slurm_interface: commands "
			"makes this the choice",
			"squeue, scontrol and scancel of Slurm %s: %s",
			json_get_text(way, "version", "?"), json_get_text(way, "why", "?"));
	else
		report_finding(report, FINDING_OK, "slurm by", NULL,
			"libslurm %s, built for Slurm %s: %s", library ? library : "?",
			built ? built : "?", json_get_text(way, "why", "?"));
}

static json_t *queue_names(const struct doctor *doctor)
{
	struct strv names = STRV_INIT;
	json_t *list;

	settings_partitions(&doctor->settings, &names);
	list = json_texts(&names);
	strv_finish(&names);
	return list;
}

void check_slurm(const struct doctor *doctor, struct report *report)
{
	_cleanup_free_ char *interface =
		settings_format(&doctor->settings, SETTING_SLURM_INTERFACE);
	struct helper helper = HELPER_INIT;
	_cleanup_json_ json_t *site = NULL, *answer = NULL, *way = NULL;
	struct err err = ERR_INIT;
	const char *address;
	int r;

	if (doctor->ctl->hindrance)
		report_finding(report, FINDING_FAILED, "slurm",
			"dracoctl start refuses that, too; the other checks go on", "%s",
			doctor->ctl->hindrance);
	helper.interface = interface;
	r = helper_start(&helper, &doctor->ctl->paths, &err);
	if (r == 0)
		r = helper_call(&helper, "site", NULL, CALL_DEADLINE_MS, &site, &err);
	if (r == 0)
		r = helper_call(&helper, "inspect",
			small_job_inspect(&doctor->settings, queue_names(doctor)),
			CALL_DEADLINE_MS, &answer, &err);
	way = json_incref(helper.way);
	helper_stop(&helper);
	if (r < 0) {
		report_finding(report, FINDING_FAILED, "slurm",
			"does sinfo work on this host? If not, it is not a host to submit from, or "
			"ask the administrators",
			"%s", err.text);
		return;
	}
	address = json_get_text(site, "address", "?");
	report_fact(report, "address", json_text(address));
	tell_controllers(report, answer, address);
	tell_way(report, way);
	report_finding(report, FINDING_OK, "sbatch", NULL, "%s submits the jobs",
		json_get_text(answer, "sbatch", "?"));
	tell_partitions(doctor, report, json_object_get(answer, "partitions"));
}
