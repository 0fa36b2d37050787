/* methods.h: the requests of the control socket, each carried out on the cluster. */
#ifndef DRACO_DAEMON_CONTROL_METHODS_H
#define DRACO_DAEMON_CONTROL_METHODS_H

#include <stdbool.h>

struct binding;
struct client;
struct cluster;
struct err;
struct loop;
struct methods;
struct paths;
struct rpc_message;

/* shutdown(arg) is called when a client asks dracod to end; it shall stop the cluster first. */
struct methods *methods_create(struct loop *loop, struct cluster *cluster,
	const struct paths *paths, const struct binding *binding, void (*shutdown)(void *arg),
	void *arg);
struct methods *methods_destroy(struct methods *methods); /* only after slurm_destroy() */

/* A message came from client: answer it, now or when its work is done. */
void methods_request(
	struct methods *methods, struct client *client, const struct rpc_message *message);

/* client is gone: nobody waits for its answers. */
void methods_client_gone(struct methods *methods, struct client *client);

/* Client.shutdown() asks the scheduler to end: stop the cluster, unless others use it (-EBUSY, with
 * err). */
int methods_terminate(struct methods *methods, struct err *err)
	__attribute__((warn_unused_result));

/* The cluster has changed: answer who waited for it, tell progress to the others. */
void methods_cluster_changed(struct methods *methods);

/* dracod ends soon: start nothing any more. */
void methods_begin_shutdown(struct methods *methods);

/* The cluster has stopped: answer those who asked for it. dracod ends, or stays until the jobs that
 * are left are gone: then it can start a cluster again. */
void methods_finish_shutdown(struct methods *methods, bool stays);

#endif
