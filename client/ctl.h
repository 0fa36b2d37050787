/* ctl.h: the parts that all commands of dracoctl share: the global options and the table of
 * commands. */
#ifndef DRACO_CLIENT_CTL_H
#define DRACO_CLIENT_CTL_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/paths.h"

enum ctl_exit {
	CTL_DONE = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
	CTL_NOT_RUNNING = 3,
	CTL_INTERRUPTED = 130, /* the status of shells for SIGINT */
};

struct ctl {
	const char *name; /* of the cluster */
	bool json;
	bool quiet;
	struct paths paths; /* set by where_find(), with the next two */
	json_t *slurm;	    /* the Slurm of paths, as slurm_site_encode() writes it */
	char *hindrance;    /* why no cluster can be started there; NULL: one can */
	const struct command *command;
	json_t *settings;    /* from options, {name: value}; NULL: none */
	const char *profile; /* from an option; NULL: none */
	bool checks;	     /* errors in the site's file count, as for its author */
	bool site_only;	     /* only the site's file counts, not what this user has set */
};

struct command_option {
	const char *name;
	char letter;		 /* its short form; 0: none */
	const char *placeholder; /* NULL: it has no value */
	const char *help;
};

struct command {
	const char *name;
	const char *arguments;		      /* for --help; "": none */
	const char *summary;		      /* one line */
	const char *text;		      /* the rest of --help */
	bool takes_settings;		      /* settings are options of the command */
	const struct command_option *options; /* ends with a NULL name; NULL: none */
	int (*run)(struct ctl *ctl, int argc, char **argv);
};

extern const struct command commands[]; /* ends with a NULL name */

/* An action of a command, chosen by its first argument. */
struct command_action {
	const char *name;
	const char *arguments; /* "": none */
	const char *summary;
};

/* The actions of a command, ending with a NULL name; NULL: none. */
const struct command_action *command_actions(const struct command *command);

/* Options of all commands, and of those that take settings. */
extern const struct command_option global_options[];
extern const struct command_option settings_options[];

/* The command with this name. If there is none, suggests the nearest one and ends the program. */
const struct command *command_find(const struct ctl *ctl, const char *name);
void command_help(const struct command *command); /* on standard output */
void command_overview(void);

/* The next option of the command in argv, as getopt_long(3) with optarg and optind: COMMAND_OPTION
 * + the index of a command_option; -1: no more options. Handles global options by itself, as well
 * as settings, which go to ctl->settings and ctl->profile. Ends the program after --help and after
 * a wrong option. */
#define COMMAND_OPTION 0x1000
int command_option(struct ctl *ctl, int argc, char **argv);

/* If arguments are left, print an error and end with the usage status. */
void command_no_more_arguments(const struct ctl *ctl, int argc, char **argv);

int cmd_start(struct ctl *ctl, int argc, char **argv);
int cmd_stop(struct ctl *ctl, int argc, char **argv);
int cmd_restart(struct ctl *ctl, int argc, char **argv);
int cmd_shutdown(struct ctl *ctl, int argc, char **argv);
int cmd_status(struct ctl *ctl, int argc, char **argv);
int cmd_scale(struct ctl *ctl, int argc, char **argv);
int cmd_adapt(struct ctl *ctl, int argc, char **argv);
int cmd_share(struct ctl *ctl, int argc, char **argv);
int cmd_pause(struct ctl *ctl, int argc, char **argv);
int cmd_resume(struct ctl *ctl, int argc, char **argv);
int cmd_retire(struct ctl *ctl, int argc, char **argv);
int cmd_logs(struct ctl *ctl, int argc, char **argv);
int cmd_doctor(struct ctl *ctl, int argc, char **argv);
int cmd_events(struct ctl *ctl, int argc, char **argv);

int cmd_env(struct ctl *ctl, int argc, char **argv);
int cmd_config(struct ctl *ctl, int argc, char **argv);
int cmd_launch(struct ctl *ctl, int argc, char **argv);
int cmd_run(struct ctl *ctl, int argc, char **argv);
int cmd_script(struct ctl *ctl, int argc, char **argv);
int cmd_dashboard(struct ctl *ctl, int argc, char **argv);
int cmd_list(struct ctl *ctl, int argc, char **argv);
int cmd_where(struct ctl *ctl, int argc, char **argv);
int cmd_takeover(struct ctl *ctl, int argc, char **argv);
int cmd_version(struct ctl *ctl, int argc, char **argv);
int cmd_help(struct ctl *ctl, int argc, char **argv);

#endif
