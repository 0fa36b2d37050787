/* batch.h: dracod ends with the Slurm job in which it was started.
 *
 * Where Slurm keeps a job's processes in a cgroup, it ends dracod itself. Elsewhere a daemon
 * would live on at a node that others have by then. */
#ifndef DRACO_DAEMON_IO_BATCH_H
#define DRACO_DAEMON_IO_BATCH_H

struct batch;
struct loop;

/* Call fn once when the job around, or its step, has ended. NULL: there is none to watch. */
struct batch *batch_create(struct loop *loop, void (*fn)(void *arg), void *arg);
struct batch *batch_destroy(struct batch *batch);

#endif
