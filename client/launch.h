/* launch.h: starting a dracod that outlives the terminal. */
#ifndef DRACO_CLIENT_LAUNCH_H
#define DRACO_CLIENT_LAUNCH_H

struct ctl;
struct err;

/* Start dracod for ctl->name, detached, logging to the state directory, and wait until it serves. 0;
 * -EBUSY when another one was quicker; another negative errno with err. */
int launch_dracod(struct ctl *ctl, struct err *err);

#endif
