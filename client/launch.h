/* launch.h: starts a dracod that outlives the terminal. */
#ifndef DRACO_CLIENT_LAUNCH_H
#define DRACO_CLIENT_LAUNCH_H

#include <stdbool.h>

struct connection;
struct ctl;
struct err;

/* Start dracod for ctl->name, detached, with its log in the state directory, and wait until it
 * serves. 0. -EBUSY: another one was first. Otherwise -errno with err. */
int launch_dracod(struct ctl *ctl, struct err *err);

/* Connect to the dracod of ctl->name, and start it if none runs (*ret_launched). 0, or -errno with
 * err. */
int launch_connect(
	struct connection *connection, struct ctl *ctl, bool *ret_launched, struct err *err);

/* End a dracod that was started for a command that failed. It stays if another client wants a
 * cluster meanwhile. */
void launch_end(struct connection *connection);

#endif
