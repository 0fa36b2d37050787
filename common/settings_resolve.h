/* settings_resolve.h: the settings that follow from all layers: built-in, the file of the site,
 * the file of the user, DRACO_* variables, options; then the limits of the site.
 *
 * In each file the values of the chosen profile win over the plain ones of the same file.
 * dracoctl does this for its user to see, dracod for what it starts, both with the environment
 * of the caller: that of dracod has no say. */
#ifndef DRACO_COMMON_SETTINGS_RESOLVE_H
#define DRACO_COMMON_SETTINGS_RESOLVE_H

#include <jansson.h>
#include <stdbool.h>

#include "common/problems.h"
#include "common/settings.h"

struct settings_inputs {
	const json_t *environment; /* of the caller, {NAME: value}; NULL: empty */
	const json_t *options;	   /* {setting: value}; NULL: none */
	const char *profile;	   /* NULL: DRACO_PROFILE of environment; "": none */
	bool command_line;	   /* options are those of dracoctl: name them "--like-this" */
	bool is_check; /* a mistake in the site's file is an error, not left out with a warning */
};

struct settings_report {
	struct problems problems;
	char *site_file, *user_file; /* NULL: there can be none */
	bool site_exists, user_exists;
	json_t *limits;	    /* which bit: array, as settings_limits_apply() makes it */
	json_t *profiles;   /* all: array of {name, places: ["FILE:LINE", ...]} */
	char *profile_from; /* "--profile", "DRACO_PROFILE"; NULL: no profile is chosen */
};

/* The variables that are no settings, each with what it is for. */
struct settings_variable {
	const char *name;
	const char *help; /* NULL: for draco's own processes and tests */
};

extern const struct settings_variable settings_variables[]; /* ended by a NULL name */

/* Resolve. 0, or -EINVAL with errors in ret_report->problems; ret has what was good even then.
 * The caller finishes both in any case. */
int settings_resolve(const struct settings_inputs *inputs, struct settings *ret,
	struct settings_report *ret_report) __attribute__((warn_unused_result));

void settings_report_finish(struct settings_report *report);

/* The variable that gives a setting its value, "DRACO_CORES"; the caller frees. */
char *settings_variable_name(enum setting_id id);

/* The option without "--", "wait-timeout"; the caller frees. */
char *settings_option_name(enum setting_id id);

#endif
