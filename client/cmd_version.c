/* cmd_version.c: dracoctl version. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/caller.h"
#include "client/ctl.h"
#include "client/helper.h"
#include "client/output.h"
#include "client/request.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/settings_resolve.h"

/* How draco-slurm would talk to Slurm here. Slurm itself is not asked. The caller owns the result;
 * null: it cannot be used, which err tells. */
static json_t *find_way(const struct ctl *ctl, struct err *err)
{
	struct settings_report report;
	struct settings settings;
	struct helper helper = HELPER_INIT;
	_cleanup_free_ char *interface = NULL;
	json_t *way = NULL;

	if (caller_resolve(ctl, &settings, &report) == 0)
		interface = settings_format(&settings, SETTING_SLURM_INTERFACE);
	settings_report_finish(&report);
	settings_finish(&settings);
	helper.interface = interface;
	if (helper_start(&helper, &ctl->paths, err) == 0)
		way = json_incref(helper.way);
	helper_stop(&helper);
	return way ? way : json_null();
}

static void print_way(const json_t *way, const struct err *err)
{
	const char *library = json_get_text(way, "libslurm", NULL);

	if (!json_is_object(way))
		printf("slurm    %s\n", err->text);
	else if (strcmp(json_get_text(way, "interface", ""), "commands") == 0)
		printf("slurm    by its commands, of Slurm %s: %s\n",
			json_get_text(way, "version", "?"), json_get_text(way, "why", "?"));
	else
		printf("slurm    by %s, built for Slurm %s: %s\n",
			library ? library : "libslurm", json_get_text(way, "built", "?"),
			json_get_text(way, "why", "?"));
}

int cmd_version(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_t *way = NULL;
	struct connection connection;
	struct err err = ERR_INIT, no_way = ERR_INIT;
	const char *daemon;
	int r;

	while (command_option(ctl, argc, argv) != -1)
		;
	command_no_more_arguments(ctl, argc, argv);
	r = connection_open(&connection, ctl, &err);
	daemon = json_get_text(connection.hello, "version", r == 0 ? "?" : NULL);
	way = find_way(ctl, &no_way);
	if (ctl->json) {
		_cleanup_json_ json_t *versions =
			json_pack("{s:s, s:o, s:O, s:i}", "dracoctl", PACKAGE_VERSION, "dracod",
				json_text(daemon), "slurm", way, "json", OUTPUT_JSON_VERSION);

		output_json(versions);
	} else {
		printf("dracoctl %s\n", PACKAGE_VERSION);
		if (r == 0)
			printf("dracod   %s (\"%s\")\n", daemon, ctl->paths.name);
		else if (r == -ENOENT)
			printf("dracod   does not run (\"%s\")\n", ctl->paths.name);
		else
			printf("dracod   %s\n", err.text);
		print_way(way, &no_way);
	}
	connection_close(&connection);
	return CTL_DONE;
}
