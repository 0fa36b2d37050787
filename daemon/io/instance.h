/* instance.h: one dracod for each name and home directory, on whichever host. */
#ifndef DRACO_DAEMON_IO_INSTANCE_H
#define DRACO_DAEMON_IO_INSTANCE_H

#include <jansson.h>

struct err;
struct paths;
struct tenure; /* being the dracod of a name */

/* Become the dracod of paths->name: lock its state directory. paths must live on. NULL with
 * err: -EBUSY, naming host and process, when another dracod has it, or may have it. */
struct tenure *instance_acquire(const struct paths *paths, struct err *err);

/* What daemon.json said of the dracod before this one, which ended without cleaning up; NULL:
 * there is no such. */
const json_t *instance_former(const struct tenure *tenure);

/* Write daemon.json, where clients read who runs where, with the sockets that paths has now. */
int instance_publish(struct tenure *tenure, struct err *err);

/* Is this still the dracod of that name? daemon.json is written again where it is missing. 0;
 * -EAGAIN when nobody can tell at this moment; -ESTALE with err when it is not. */
int instance_check(struct tenure *tenure, struct err *err);

/* Which process this is: {pid, host, boot, version, job}, job: the Slurm job around, or null. */
json_t *instance_describe(void);

/* Remove daemon.json, when it is still this dracod's, and let go of the lock. Returns NULL. */
struct tenure *instance_release(struct tenure *tenure);

#endif
