/* ending.h: when dracod ends, and what it waits for first.
 *
 * Asked by a client, it stops the cluster and ends when no job is left. Where Slurm is silent it
 * answers with the jobs that may live on, and stays until they are gone. A signal, or the loss of
 * its name, does not wait for that: who sends one has a limit of its own. Without a cluster it
 * ends by itself when nobody has used it for a while, or when Slurm has been silent for
 * idle_shutdown (daemon/slurm/linger.h). */
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

/* What it looks at; all must live on. */
struct ending_parts {
	struct loop *loop;
	const struct slurm *slurm;
	const struct leftover *leftover;
	struct cluster *cluster;
	struct methods *methods;
	const struct control *control;
};

/* There is no cluster yet. After stay_ms without a cluster and a client it ends; 0: never. */
struct ending *ending_create(const struct ending_parts *parts, int64_t stay_ms);
struct ending *ending_destroy(struct ending *ending);

/* Stop the cluster, and end when it has stopped and no job of it is left. */
void ending_begin(struct ending *ending, const char *why);

/* The same, without waiting for jobs that the stop could not end. */
void ending_begin_soon(struct ending *ending, const char *why);

/* As ending_begin_soon(); a second signal does not even wait for the stop. */
void ending_signalled(struct ending *ending);

/* The cluster has another state. */
void ending_cluster_changed(struct ending *ending);

/* A client has left. */
void ending_client_gone(struct ending *ending);

#endif
