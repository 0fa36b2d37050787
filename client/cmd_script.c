/* cmd_script.c: dracoctl script: the batch script that a start would submit. */
#include <stdio.h>
#include <unistd.h>

#include "client/caller.h"
#include "client/ctl.h"
#include "client/launch.h"
#include "client/output.h"
#include "client/request.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/settings.h"
#include "common/visible.h"

/* Check the settings here, so that an error starts no dracod. Returns an exit status. */
static int check_settings(struct ctl *ctl)
{
	struct settings_report report;
	struct settings settings;
	int status = caller_settings(ctl, &settings, &report);

	settings_finish(&settings);
	settings_report_finish(&report);
	return status;
}

/* Print the script unchanged; to a terminal, without control characters. */
static void print_script(const char *script)
{
	_cleanup_free_ char *visible =
		isatty(STDOUT_FILENO) ? visible_text(script, "\n\t") : NULL;

	fputs(visible ? visible : script, stdout);
}

int cmd_script(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_t *answer = NULL;
	struct refusal refusal = {0};
	struct connection connection;
	struct err err = ERR_INIT;
	bool launched;
	int r, status;

	while (command_option(ctl, argc, argv) != -1)
		;
	command_no_more_arguments(ctl, argc, argv);
	status = check_settings(ctl);
	if (status != CTL_DONE)
		return status;
	if (launch_connect(&connection, ctl, &launched, &err) < 0) {
		output_error(ctl, "%s", err.text);
		return CTL_FAILED;
	}
	r = connection_call(
		&connection, "script", caller_params(ctl), NULL, NULL, &answer, &refusal, &err);
	if (launched)
		launch_end(&connection);
	connection_close(&connection);
	json_decref(refusal.data);
	if (r < 0) {
		output_error(ctl, "%s", err.text);
		return CTL_FAILED;
	}
	if (ctl->json)
		output_json(answer);
	else
		print_script(json_get_text(answer, "script", ""));
	return CTL_DONE;
}
