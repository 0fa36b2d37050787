/* config_show.h: the actions of dracoctl config that have files of their own. */
#ifndef DRACO_CLIENT_CONFIG_SHOW_H
#define DRACO_CLIENT_CONFIG_SHOW_H

#include <stdbool.h>

#include "common/settings_resolve.h"

struct ctl;

/* The input of an action. */
struct config {
	struct ctl *ctl;
	struct settings settings;
	struct settings_report report;
	bool good; /* no errors were found */
};

/* "site" or "user" from the next argument; without one, fallback. Another word ends the program. */
const char *config_which_file(
	const struct config *config, int argc, char **argv, const char *fallback);

/* The path of that file. NULL, with an error printed: there is none. */
const char *config_file_path(const struct config *config, const char *which);

/* Return an exit status. */
int config_init(struct config *config, int argc, char **argv);
int config_show(struct config *config, int argc, char **argv);
int config_explain(struct config *config, int argc, char **argv);

#endif
