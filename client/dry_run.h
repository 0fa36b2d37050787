/* dry_run.h: dracoctl start --dry-run: where the jobs would run. */
#ifndef DRACO_CLIENT_DRY_RUN_H
#define DRACO_CLIENT_DRY_RUN_H

#include <jansson.h>

struct connection;
struct ctl;

/* Ask dracod with the settings in params (taken over) and print the table; returns the exit
 * status. */
int dry_run_show(struct connection *connection, struct ctl *ctl, json_t *params);

#endif
