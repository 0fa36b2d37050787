/* cmd_version.c: dracoctl version. */
#include <errno.h>
#include <stdio.h>

#include "client/ctl.h"
#include "client/output.h"
#include "client/request.h"
#include "common/cleanup.h"
#include "common/json.h"

int cmd_version(struct ctl *ctl, int argc, char **argv)
{
	struct connection connection;
	struct err err = ERR_INIT;
	const char *daemon;
	int r;

	while (command_option(ctl, argc, argv) != -1)
		;
	command_no_more_arguments(ctl, argc, argv);
	r = connection_open(&connection, ctl, &err);
	daemon = json_get_text(connection.hello, "version", r == 0 ? "?" : NULL);
	if (ctl->json) {
		_cleanup_json_ json_t *versions =
			json_pack("{s:s, s:o, s:i}", "dracoctl", PACKAGE_VERSION, "dracod",
				json_text(daemon), "json", OUTPUT_JSON_VERSION);

		output_json(versions);
	} else {
		printf("dracoctl %s\n", PACKAGE_VERSION);
		if (r == 0)
			printf("dracod   %s (\"%s\")\n", daemon, ctl->paths.name);
		else if (r == -ENOENT)
			printf("dracod   does not run (\"%s\")\n", ctl->paths.name);
		else
			printf("dracod   %s\n", err.text);
	}
	connection_close(&connection);
	return CTL_DONE;
}
