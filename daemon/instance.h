/* instance.h: one dracod for each name and home directory, on whichever host. */
#ifndef DRACO_DAEMON_INSTANCE_H
#define DRACO_DAEMON_INSTANCE_H

#include <jansson.h>

struct err;
struct paths;

/* Become the dracod of paths->name: lock its state directory and write daemon.json, where clients
 * read who runs where. Returns the descriptor that holds the lock; -EBUSY, naming host and process,
 * when another dracod has it. */
int instance_acquire(const struct paths *paths, struct err *err);

/* Which process this is: {pid, host, boot, version}. */
json_t *instance_describe(void);

/* Remove daemon.json and let go of the lock. */
void instance_release(const struct paths *paths, int lock);

#endif
