/* dry_run.h: dracoctl start --dry-run: the places where the jobs would run. */
#ifndef DRACO_CLIENT_DRY_RUN_H
#define DRACO_CLIENT_DRY_RUN_H

#include <jansson.h>

struct connection;
struct ctl;

/* Send the settings in params (taken over) to dracod and print its plan. Returns an exit status. */
int dry_run_show(struct connection *connection, struct ctl *ctl, json_t *params);

#endif
