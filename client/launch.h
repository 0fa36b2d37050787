/* launch.h: starting a dracod that outlives the terminal. */
#ifndef DRACO_CLIENT_LAUNCH_H
#define DRACO_CLIENT_LAUNCH_H

#include <stdbool.h>

struct connection;
struct ctl;
struct err;

/* Start dracod for ctl->name, detached, logging to the state directory, and wait until it
 * serves. 0; -EBUSY when another one was quicker; another negative errno with err. */
int launch_dracod(struct ctl *ctl, struct err *err);

/* Connect to the dracod of ctl->name, starting it when none runs (*ret_launched). 0, or a
 * negative errno with err. */
int launch_connect(
	struct connection *connection, struct ctl *ctl, bool *ret_launched, struct err *err);

/* End a dracod that was started for something that did not come to be: leave nothing behind. It
 * stays when others want a cluster of it meanwhile. */
void launch_end(struct connection *connection);

#endif
