/* cmd_doctor.c: dracoctl doctor: finds problems that would keep a cluster from running well, and
 * suggests remedies. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/ctl.h"
#include "client/doctor.h"
#include "client/output.h"
#include "client/where.h"
#include "client/wrap.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/parse.h"
#include "common/settings_resolve.h"

#define WAIT_MS	   120000
#define NAME_WIDTH 14
#define TEXT_BEGIN (7 + 2 + NAME_WIDTH + 2) /* the column of the findings */

enum option_index {
	OPTION_NODES,
	OPTION_WAIT,
	OPTION_FIX
}; /* the order in the table of commands */

#define FILES_HANG "the file system may hang: does ls answer there?"
#define SLURM_HANG "Slurm does not answer: does sinfo answer?"

static const struct check checks[] = {
	{"settings", check_settings, 10, FILES_HANG, PHASE_SETTINGS},
	{"sockets", check_sockets, 10, FILES_HANG, PHASE_HOST},
	{"state", check_state, 15, FILES_HANG, PHASE_HOST},
	{"logs", check_logs, 15, FILES_HANG, PHASE_HOST},
	{"dracod", check_dracod, 15, "dracod hangs: end its process", PHASE_HOST},
	{"lingering", check_lingering, 20, "logind does not answer: ask the administrators",
		PHASE_HOST},
	{"ports", check_ports, 10, NULL, PHASE_HOST},
	{"limits", check_limits, 10, NULL, PHASE_HOST},
	{"memory", check_memory, 10, NULL, PHASE_HOST},
	{"interfaces", check_interfaces, 10, NULL, PHASE_HOST},
	{"python", check_python, 90, "a Python on a faster file system", PHASE_HOST},
	{"munge", check_munge, 15, "munged hangs: ask the administrators", PHASE_HOST},
	{"slurm", check_slurm, 75, SLURM_HANG, PHASE_HOST},
	{"node", check_node, 420, SLURM_HANG, PHASE_NODES},
	{0},
};

struct showing {
	const struct ctl *ctl;
	struct live live;
	json_t *findings;
	int counts[3];
};

static enum colour finding_colour(const char *status)
{
	if (strcmp(status, "ok") == 0)
		return COLOUR_GOOD;
	return strcmp(status, "failed") == 0 ? COLOUR_BAD : COLOUR_BUSY;
}

static void on_found(void *arg, const json_t *finding)
{
	struct showing *showing = arg;
	const char *status = json_get_text(finding, "status", "?");
	const char *remedy = json_get_text(finding, "remedy", NULL);
	const char *name = json_get_text(finding, "name", "?");
	int longer = (int)strlen(name) - NAME_WIDTH;
	bool ok = strcmp(status, "ok") == 0;

	json_array_append(showing->findings, UNCONST(finding));
	for (int f = FINDING_OK; f <= FINDING_FAILED; f++)
		showing->counts[f] += strcmp(status, finding_name(f)) == 0;
	if (showing->ctl->json || (showing->ctl->quiet && strcmp(status, "failed") != 0))
		return;
	live_clear(&showing->live);
	printf("%s%-7s%s  %-*s  ", output_colour(finding_colour(status)), status,
		output_colour(COLOUR_NONE), NAME_WIDTH, name);
	wrap_print(stdout, longer > 0 ? TEXT_BEGIN + longer : TEXT_BEGIN, TEXT_BEGIN,
		json_get_text(finding, "text", ""));
	if (!ok && remedy) {
		printf("%-*s-> ", TEXT_BEGIN, "");
		wrap_print(stdout, TEXT_BEGIN + 3, TEXT_BEGIN + 3, remedy);
	}
	fflush(stdout);
}

static void on_progress(void *arg, const char *text)
{
	struct showing *showing = arg;

	if (!text)
		live_clear(&showing->live);
	else if (!showing->ctl->json && !showing->ctl->quiet && showing->live.on_terminal)
		live_show(&showing->live, true, "%s", text);
}

/* Set the settings that were given as options. -errno with err, which names the option. */
static int set_options(struct doctor *doctor, const json_t *options, struct err *err)
{
	const char *name;
	json_t *value;

	json_object_foreach (UNCONST(options), name, value) {
		enum setting_id id = (enum setting_id)settings_find(name, NULL);
		_cleanup_free_ char *option = settings_option_name(id);
		int r = settings_set_value(&doctor->settings, id, value, "option", err);

		if (r < 0)
			return err_set(err, r, "--%s%s", option, err->text + strlen(name));
	}
	return 0;
}

/* Read the options. Wrong options end the command; errors in files become findings. Returns an exit
 * status. */
static int read_options(struct ctl *ctl, int argc, char **argv, struct doctor *doctor)
{
	struct err err = ERR_INIT;
	int option, r = 0;

	while (r == 0 && (option = command_option(ctl, argc, argv)) != -1) {
		if (option == COMMAND_OPTION + OPTION_NODES)
			doctor->nodes = true;
		else if (option == COMMAND_OPTION + OPTION_FIX)
			doctor->fix = true;
		else
			r = parse_duration(optarg, &doctor->wait_ms, &err);
		if (r < 0)
			err_prefix(&err, "--wait");
	}
	if (r == 0) {
		command_no_more_arguments(ctl, argc, argv);
		r = set_options(doctor, ctl->settings, &err);
	}
	if (r < 0) {
		output_error(ctl, "%s", err.text);
		return CTL_USAGE;
	}
	r = where_find(ctl, &err);
	if (r == -EINVAL || r == -ERANGE || r == -ENOTUNIQ) {
		output_error(ctl, "%s", err.text);
		return CTL_USAGE;
	}
	if (r < 0)
		json_object_set_new(doctor->facts, "paths_error", json_text(err.text));
	return CTL_DONE;
}

/* Returns the worst finding, or -EINTR. */
static int run_all(struct doctor *doctor, struct showing *showing)
{
	static const struct doctor_ops ops = {on_found, on_progress};
	static const char *const waiting[] = {
		[PHASE_SETTINGS] = "reading the settings ...",
		[PHASE_HOST] = "looking at this host and Slurm ...",
		[PHASE_NODES] = "submitting a job ...",
	};
	enum check_phase last = doctor->nodes ? PHASE_NODES : PHASE_HOST;
	int worst = FINDING_OK;

	for (enum check_phase phase = PHASE_SETTINGS; phase <= last; phase++) {
		int r;

		on_progress(showing, waiting[phase]);
		r = doctor_run(doctor, checks, phase, &ops, showing);
		if (r < 0)
			return r;
		if (r > worst)
			worst = r;
		/* The check has read the files, which may block, for all other checks. */
		if (phase == PHASE_SETTINGS &&
			settings_set_json(&doctor->settings,
				json_object_get(doctor->facts, "settings"), "settings",
				NULL) < 0)
			abort(); /* never happens: settings_to_json() wrote it */
	}
	return worst;
}

static void print_summary(const struct showing *showing, const struct doctor *doctor)
{
	_cleanup_free_ char *nodes = output_command(showing->ctl, "doctor --nodes");
	_cleanup_free_ char *text = xasprintf("%d ok, %d warning%s, %d failed%s%s%s",
		showing->counts[FINDING_OK], showing->counts[FINDING_WARNING],
		showing->counts[FINDING_WARNING] == 1 ? "" : "s",
		showing->counts[FINDING_FAILED], doctor->nodes ? "" : "; ",
		doctor->nodes ? "" : nodes,
		doctor->nodes ? "" : " looks at a node, too, by a short job");

	putchar('\n');
	wrap_print(stdout, 0, 0, text);
}

int cmd_doctor(struct ctl *ctl, int argc, char **argv)
{
	struct doctor doctor = {
		.ctl = ctl,
		.wait_ms = WAIT_MS,
		.facts = json_object(),
	};
	struct showing showing = {.ctl = ctl, .findings = json_array()};
	int status, worst = FINDING_OK;

	settings_init(&doctor.settings);
	status = read_options(ctl, argc, argv, &doctor);
	live_init(&showing.live);
	/* The progress line is between the findings, so it needs standard output to be a terminal,
	 * too. */
	showing.live.on_terminal &= isatty(STDOUT_FILENO);
	if (status == CTL_DONE) {
		worst = run_all(&doctor, &showing);
		if (worst < 0)
			status = CTL_INTERRUPTED;
		else if (worst == FINDING_FAILED)
			status = CTL_FAILED;
		if (ctl->json) {
			_cleanup_json_ json_t *all = json_pack("{s:s, s:O}", "status",
				worst < 0 ? "interrupted" : finding_name((enum finding)worst),
				"checks", showing.findings);

			output_json(all);
		} else if (worst < 0) {
			fprintf(stderr, "dracoctl: interrupted, nothing is left\n");
		} else if (!ctl->quiet) {
			print_summary(&showing, &doctor);
		}
	}
	json_decref(showing.findings);
	json_decref(doctor.facts);
	settings_finish(&doctor.settings);
	return status;
}
