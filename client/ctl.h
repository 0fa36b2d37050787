/* ctl.h: what all commands of dracoctl share: the global options and the table of commands. */
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
	CTL_INTERRUPTED = 130, /* as the shell has it for SIGINT */
};

struct ctl {
	const char *name; /* of the cluster */
	bool json;
	bool quiet;
	struct paths paths; /* with ... */
	json_t *slurm;	    /* ... its Slurm, as slurm_site_encode() has it, and ... */
	char *hindrance; /* ... why none can be started there; NULL: one can. By where_find() */
	const struct command *command;
	json_t *settings;    /* those given as options, {name: value}; NULL: none */
	const char *profile; /* the one given as option; NULL: none */
	bool checks; /* settings: a mistake in the site's file is an error, as for its author */
};

struct command_option {
	const char *name;
	char letter;		 /* short form; 0: none */
	const char *placeholder; /* NULL: takes no value */
	const char *help;
};

struct command {
	const char *name;
	const char *arguments;		      /* for --help; "" when there are none */
	const char *summary;		      /* one line */
	const char *text;		      /* the rest of --help */
	bool takes_settings;		      /* the settings are options, too */
	const struct command_option *options; /* ended by a NULL name; NULL: none */
	int (*run)(struct ctl *ctl, int argc, char **argv);
};

extern const struct command commands[]; /* ended by a NULL name */

/* What a command with several actions can do, for its first argument. */
struct command_action {
	const char *name;
	const char *arguments; /* "" when there are none */
	const char *summary;
};

/* The actions of a command, ended by a NULL name; NULL when it has none. */
const struct command_action *command_actions(const struct command *command);

/* Options of all commands, and of those that take settings. */
extern const struct command_option global_options[];
extern const struct command_option settings_options[];

/* The command of that name; ends the program, naming the nearest one, when there is none. */
const struct command *command_find(const struct ctl *ctl, const char *name);
void command_help(const struct command *command); /* on standard output */
void command_overview(void);

/* The next option of the command in argv, as getopt_long(3) with optarg and optind:
 * COMMAND_OPTION + the index of a command_option; -1 at the end. Global options, and settings
 * for ctl->settings and ctl->profile, are taken by itself. Ends the program for --help and on
 * wrong options. */
#define COMMAND_OPTION 0x1000
int command_option(struct ctl *ctl, int argc, char **argv);

/* End with usage status when arguments are left over. */
void command_no_more_arguments(const struct ctl *ctl, int argc, char **argv);

int cmd_start(struct ctl *ctl, int argc, char **argv);
int cmd_stop(struct ctl *ctl, int argc, char **argv);
int cmd_shutdown(struct ctl *ctl, int argc, char **argv);
int cmd_status(struct ctl *ctl, int argc, char **argv);
int cmd_scale(struct ctl *ctl, int argc, char **argv);
int cmd_adapt(struct ctl *ctl, int argc, char **argv);
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
