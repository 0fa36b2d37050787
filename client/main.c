/* main.c of dracoctl: from the command line to the command. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* What could not be written is a failure, for example on a full disk. Runs at the exit. A closed
 * standard output is one only if something was to be written there. */
static void check_output(void)
{
	bool failed = ferror(stdout);

	errno = 0;
	if (fflush(stdout) == 0 && !failed)
		return;
	fprintf(stderr, "dracoctl: cannot write the output: %s\n",
		errno ? strerror(errno) : "a write failed");
	_exit(CTL_FAILED);
}

int main(int argc, char **argv)
{
	struct ctl ctl = {.name = batch_job_default_name()};
	int status;

	atexit(check_output);
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
