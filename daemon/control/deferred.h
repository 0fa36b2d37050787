/* deferred.h: requests that need files of the user, while their file system does not answer. */
#ifndef DRACO_DAEMON_CONTROL_DEFERRED_H
#define DRACO_DAEMON_CONTROL_DEFERRED_H

#include <stdbool.h>

struct client;
struct deferred;
struct paths;
struct rpc_message;

/* Handle a request that has waited. */
typedef void (*deferred_fn)(
	void *arg, struct client *client, const struct rpc_message *message);

/* The log directory in which the request will make files; NULL: none, or one in the home. Called
 * while the home answers. The caller frees. */
typedef char *(*deferred_logs_fn)(void *arg, const struct rpc_message *message);

struct deferred *deferred_create(
	const struct paths *paths, deferred_fn fn, deferred_logs_fn logs, void *arg);
struct deferred *deferred_destroy(struct deferred *deferred);

/* Must the request wait, because it needs files and the home does not answer, or because an earlier
 * one of the client waits? Then it is kept, and handled when the home answers. */
bool deferred_add(
	struct deferred *deferred, struct client *client, const struct rpc_message *message);

void deferred_client_gone(struct deferred *deferred, const struct client *client);

#endif
