/* cmd_launch.c: dracoctl launch: dracod alone, for programs that talk to it themselves. */
#include <stdio.h>

#include "client/ctl.h"
#include "client/launch.h"
#include "client/output.h"
#include "client/request.h"
#include "client/where.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/rendezvous.h"

int cmd_launch(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_json_ json_t *daemon = NULL;
	struct connection connection;
	struct err err = ERR_INIT;
	bool launched;

	while (command_option(ctl, argc, argv) != -1)
		;
	command_no_more_arguments(ctl, argc, argv);
	if (where_find(ctl, &err) < 0) {
		output_error(ctl, "%s", err.text);
		return CTL_USAGE;
	}
	if (launch_connect(&connection, ctl, &launched, &err) < 0) {
		output_error(ctl, "%s", err.text);
		return CTL_FAILED;
	}
	if (rendezvous_daemon(&ctl->paths, &daemon, NULL) < 0)
		daemon = json_object();
	json_object_set_new(daemon, "name", json_text(ctl->paths.name));
	json_object_del(daemon, "dask_socket"); /* not useful to other programs */
	json_object_del(daemon, "locks");
	json_object_set_new(daemon, "launched", json_boolean(launched));
	if (ctl->json)
		output_json(daemon);
	else if (!ctl->quiet)
		printf("dracod %s (\"%s\") %s, as process %d.\n",
			json_get_text(daemon, "version", "?"), ctl->paths.name,
			launched ? "was started" : "runs already",
			(int)json_get_integer(connection.hello, "pid", 0));
	connection_close(&connection);
	return CTL_DONE;
}
