/* session.h: dracod towards the user's session: the service manager and the user bus. */
#ifndef DRACO_DAEMON_SESSION_H
#define DRACO_DAEMON_SESSION_H

#include <stdbool.h>

struct cluster;
struct control;
struct ending;
struct loop;
struct paths;
struct session;
struct slurm;

/* All arguments must outlive the session. Nothing here waits or fails: without a service manager
 * or a bus, there is nobody to tell. */
struct session *session_create(struct loop *loop, const struct paths *paths,
	struct cluster *cluster, struct control *control, struct slurm *slurm,
	struct ending *ending);
struct session *session_destroy(struct session *session);

/* dracod is asked to end by a signal. Tell fn whether the service manager starts it again at once:
 * now, or later from the loop. */
void session_ask_restart(
	struct session *session, void (*fn)(void *arg, bool restarts), void *arg);

/* The cluster has changed. */
void session_cluster_changed(struct session *session);

#endif
