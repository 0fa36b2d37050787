/* config_show.h: the actions of dracoctl config that show values: show and explain. */
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

/* Return an exit status. */
int config_show(struct config *config, int argc, char **argv);
int config_explain(struct config *config, int argc, char **argv);

#endif
