/* main.c of dracoctl: from the command line to the command. */
#include <stdlib.h>

#include "client/ctl.h"

int main(int argc, char **argv)
{
	const char *name = getenv("DRACO_NAME");
	struct ctl ctl = {.name = name && *name ? name : PATHS_NAME_DEFAULT};
	int status;

	while (command_option(&ctl, argc, argv) != -1)
		;
	if (optind >= argc) {
		command_overview();
		return CTL_USAGE;
	}
	ctl.command = command_find(argv[optind]);
	argc -= optind;
	argv += optind;
	optind = 0; /* begin anew, behind the command */
	status = ctl.command->run(&ctl, argc, argv);
	paths_finish(&ctl.paths);
	json_decref(ctl.settings);
	return status;
}
