/* settings_resolve.h: combines all layers of settings: the defaults, the file of the site, the file
 * of the user, DRACO_* variables and options, then the limits of the site.
 *
 * In each file the values of the chosen profile have precedence over the plain values of the same
 * file. dracoctl does this to show the settings, dracod to start a cluster. Both use the caller's
 * environment; dracod's own does not count. */
#ifndef DRACO_COMMON_SETTINGS_RESOLVE_H
#define DRACO_COMMON_SETTINGS_RESOLVE_H

#include <jansson.h>
#include <stdbool.h>

#include "common/problems.h"
#include "common/settings.h"

struct settings_inputs {
	const json_t *environment; /* the caller's, {NAME: value}; NULL: empty */
	const json_t *options;	   /* {setting: value}; NULL: none */
	const char *profile;	   /* NULL: DRACO_PROFILE of environment; "": no profile */
	/* Options come from dracoctl: errors name them "--like-this". */
	bool command_line;
	bool is_check;	/* an error in the site's file counts; otherwise it is a warning */
	bool site_only; /* without the user's file */
};

struct settings_report {
	struct problems problems;
	char *site_file, *user_file; /* NULL: none is possible */
	bool site_exists, user_exists;
	json_t *limits;	    /* the limits that changed a value, from settings_limits_apply() */
	json_t *profiles;   /* all profiles: [{name, places: ["FILE:LINE", ...]}] */
	char *profile_from; /* "--profile", "DRACO_PROFILE"; NULL: no profile is chosen */
};

/* The variables that are no settings, each with its purpose. */
struct settings_variable {
	const char *name;
	const char *help; /* NULL: only for draco's own processes and tests */
};

extern const struct settings_variable settings_variables[]; /* ends with a NULL name */

/* Combine the layers. 0, or -EINVAL with errors in ret_report->problems; ret then holds the valid
 * values. The caller frees both in all cases. */
int settings_resolve(const struct settings_inputs *inputs, struct settings *ret,
	struct settings_report *ret_report) __attribute__((warn_unused_result));

void settings_report_finish(struct settings_report *report);

/* The setting's variable, "DRACO_CORES". The caller frees. */
char *settings_variable_name(enum setting_id id);

/* The setting's option without "--", "wait-timeout". The caller frees. */
char *settings_option_name(enum setting_id id);

#endif
