/* ending.h: ends dracod, and waits for jobs first.
 *
 * If a client asks for the end, dracod stops the cluster and ends when no job is left. If Slurm is
 * silent, dracod answers with the jobs that may live on, and stays until they are gone. After a
 * signal, or the loss of its name, it does not wait for jobs: the sender of a signal has a time
 * limit of its own.
 *
 * Without a cluster dracod ends by itself when it was unused for a while, or when Slurm was silent
 * for idle_shutdown (daemon/slurm/linger.h). */
#ifndef DRACO_DAEMON_ENDING_H
#define DRACO_DAEMON_ENDING_H

#include <stdint.h>

struct cluster;
struct control;
struct ending;
struct leftover;
struct loop;
struct methods;
struct slurm;

/* The parts of dracod that it watches. All must outlive it. */
struct ending_parts {
	struct loop *loop;
	const struct slurm *slurm;
	const struct leftover *leftover;
	struct cluster *cluster;
	struct methods *methods;
	const struct control *control;
};

/* Begin without a cluster. dracod ends after stay_ms without a cluster and a client; 0: never. */
struct ending *ending_create(const struct ending_parts *parts, int64_t stay_ms);
struct ending *ending_destroy(struct ending *ending);

/* Stop the cluster. End when it has stopped and none of its jobs is left. */
void ending_begin(struct ending *ending, const char *why);

/* The same, but do not wait for jobs that the stop could not end. */
void ending_begin_soon(struct ending *ending, const char *why);

/* As ending_begin_soon(). A second signal does not even wait for the stop. */
void ending_signalled(struct ending *ending);

/* The state of the cluster has changed. */
void ending_cluster_changed(struct ending *ending);

/* A client has disconnected. */
void ending_client_gone(struct ending *ending);

#endif
