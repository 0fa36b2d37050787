/* instance.h: allows one dracod for each name and home directory, over all hosts. */
#ifndef DRACO_DAEMON_IO_INSTANCE_H
#define DRACO_DAEMON_IO_INSTANCE_H

#include <jansson.h>

struct err;
struct paths;
struct tenure; /* the possession of a name */

/* Become the dracod of paths->name: lock its state directory. paths must outlive the result. NULL
 * with err. -EBUSY: another dracod has it, or may have it; err names its host and process. */
struct tenure *instance_acquire(const struct paths *paths, struct err *err);

/* The daemon.json of a former dracod that ended without cleaning up; NULL: none. Borrowed. */
const json_t *instance_former(const struct tenure *tenure);

/* Write daemon.json, which tells clients the process, the host and the present sockets of paths. 0,
 * or -errno with err; a thread that writes it logs its error. */
int instance_publish(struct tenure *tenure, struct err *err);

/* What instance_check() reads, which a thread may do. The caller frees it. */
struct instance_look;
struct instance_look *instance_look_create(const struct tenure *tenure);
void instance_look(struct instance_look *look);
struct instance_look *instance_look_destroy(struct instance_look *look);

/* As instance_check(), by what was read. */
int instance_judge(struct tenure *tenure, const struct instance_look *look, struct err *err);

/* Is this process still the dracod of the name? A missing daemon.json is written again. 0: yes.
 * -EAGAIN: it cannot be told at this moment. -ENOENT with err: the lock is not there. -ESTALE with
 * err: no. */
int instance_check(struct tenure *tenure, struct err *err);

/* Which process this is: {pid, host, boot, version, job}, job: the Slurm job around, or null. */
json_t *instance_describe(void);

/* Release the lock, and remove daemon.json if it still describes this process. Returns NULL. */
struct tenure *instance_release(struct tenure *tenure);

#endif
