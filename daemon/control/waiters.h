/* waiters.h: the requests whose answer takes time (starts, stops, shutdowns), and whose start the
 * cluster is. */
#ifndef DRACO_DAEMON_CONTROL_WAITERS_H
#define DRACO_DAEMON_CONTROL_WAITERS_H

#include <jansson.h>
#include <stdbool.h>

struct client;
struct cluster;
struct cluster_request;
struct loop;
struct rpc_message;
struct waiters;

struct waiters *waiters_create(struct loop *loop, struct cluster *cluster);
struct waiters *waiters_destroy(struct waiters *waiters);

/* Answer this request when what it asks for is done, with progress until then. extra, taken
 * over, has members to add to the answer of a start; it may be NULL. */
void waiters_add(struct waiters *waiters, struct client *client,
	const struct rpc_message *message, json_t *extra);

/* As waiters_add(), of a start, taking over request: it begins when the stop under way is done. */
void waiters_add_pending(struct waiters *waiters, struct client *client,
	const struct rpc_message *message, struct cluster_request *request, json_t *extra);

/* The start of this client has begun the cluster, whose it is from now on. */
void waiters_begun(struct waiters *waiters, const struct client *client,
	const struct rpc_message *message);

bool waiters_is_owner(const struct waiters *waiters, const struct client *client);

/* The cluster does not end any more with the connection of this client, if it is the owner. */
void waiters_keep(struct waiters *waiters, const struct client *client);

/* If it is this client's, the cluster is from now on that of another start that waits for it. */
void waiters_hand_over(struct waiters *waiters, const struct client *client);

/* A start of another client waits for the cluster. */
bool waiters_has_other_start(const struct waiters *waiters, const struct client *client);

/* Starts that wait for a stop, of one client or of all (NULL), do not begin any more. Returns
 * whether there were any. */
bool waiters_cancel_pending(
	struct waiters *waiters, const struct client *client, const char *why);

/* Returns whether the cluster was to end with this client, and nobody who waits has it instead. */
bool waiters_client_gone(struct waiters *waiters, const struct client *client);

/* Something of the cluster has changed. */
void waiters_changed(struct waiters *waiters);

/* dracod ends, or stays until the jobs that are left are gone: answer all. */
void waiters_finish(struct waiters *waiters, bool stays);

#endif
