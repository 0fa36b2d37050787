/* main.c of dracoctl: from the command line to the command. */
#include <stdlib.h>
#include <string.h>

#include "client/ctl.h"
#include "client/output.h"
#include "client/where.h"
#include "common/batch_job.h"

/* Does the command line contain --json? It may be wrong before that option is reached. Arguments
 * after "run" may be meant for another program. */
static bool asks_for_json(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
		else if (strcmp(argv[i], "run") == 0)
			break;
	return false;
}

int main(int argc, char **argv)
{
	struct ctl ctl = {.name = batch_job_default_name()};
	int status;

	ctl.json = asks_for_json(argc, argv);
	while (command_option(&ctl, argc, argv) != -1)
		;
	if (optind >= argc) {
		if (ctl.json)
			output_error(&ctl, "no command was given; see dracoctl --help");
		else
			command_overview();
		return CTL_USAGE;
	}
	ctl.command = command_find(&ctl, argv[optind]);
	argc -= optind;
	argv += optind;
	optind = 0; /* begin again after the command */
	status = ctl.command->run(&ctl, argc, argv);
	where_forget(&ctl);
	json_decref(ctl.settings);
	return status;
}
