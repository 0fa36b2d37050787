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

struct methods_ops {
	/* A client asks dracod to end. It must stop the cluster first. */
	void (*shutdown)(void *arg);
	/* A client asks dracod to leave its cluster to the next one. It ends after this turn of the
	 * loop. Returns whether somebody else starts the next one. */
	bool (*leave)(void *arg);
};

/* All arguments must outlive the methods. */
struct methods *methods_create(struct loop *loop, struct cluster *cluster,
	const struct paths *paths, const struct binding *binding, const struct methods_ops *ops,
	void *arg);
struct methods *methods_destroy(struct methods *methods); /* call it after slurm_destroy() */

/* Answer a message of client, at once or when its work is done. */
void methods_request(
	struct methods *methods, struct client *client, const struct rpc_message *message);

/* client is gone: drop its requests. */
void methods_client_gone(struct methods *methods, struct client *client);

/* Client.shutdown() asks the scheduler to end: stop the cluster. -EBUSY with err: other programs
 * use it. */
int methods_terminate(struct methods *methods, struct err *err)
	__attribute__((warn_unused_result));

/* The cluster has changed: answer the requests that are done, and send progress for the others. */
void methods_cluster_changed(struct methods *methods);

/* dracod will end soon: refuse further starts. */
void methods_begin_shutdown(struct methods *methods);

/* The next dracod follows at once: begin nothing any more, and leave the answers to it. */
void methods_leave(struct methods *methods);

/* The cluster has stopped: answer the requests for that. stays: dracod lives on until the remaining
 * jobs are gone, and can start a cluster again; otherwise it ends. */
void methods_finish_shutdown(struct methods *methods, bool stays);

#endif
