/* waiters.h: requests that are answered later (starts, stops, shutdowns), and the client that owns
 * the cluster: the one whose start began it. The cluster ends with the owner's connection, until
 * waiters_keep(). */
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

/* Answer this request when it has been carried out, and send progress until then. extra holds more
 * members for the answer to a start; it is taken over, and may be NULL. */
void waiters_add(struct waiters *waiters, struct client *client,
	const struct rpc_message *message, json_t *extra);

/* As waiters_add(), for a start that begins when the current stop is complete. Takes over
 * request. */
void waiters_add_pending(struct waiters *waiters, struct client *client,
	const struct rpc_message *message, struct cluster_request *request, json_t *extra);

/* This client's start began the cluster: the client owns it from now on. */
void waiters_begun(struct waiters *waiters, const struct client *client,
	const struct rpc_message *message);

/* This client has begun the cluster, or asked for its start, under a dracod that was killed since:
 * it is the owner, unless there is one. */
void waiters_claim(struct waiters *waiters, const struct client *client,
	const struct rpc_message *message);

bool waiters_is_owner(const struct waiters *waiters, const struct client *client);

/* If this client is the owner, the cluster no longer ends with its connection. */
void waiters_keep(struct waiters *waiters, const struct client *client);

/* If this client is the owner, another client whose start waits becomes the owner. */
void waiters_hand_over(struct waiters *waiters, const struct client *client);

/* Does a start of another client wait for the cluster? */
bool waiters_has_other_start(const struct waiters *waiters, const struct client *client);

/* Cancel the starts that wait for a stop: those of one client, or all (NULL). Returns whether there
 * were any. */
bool waiters_cancel_pending(
	struct waiters *waiters, const struct client *client, const char *why);

/* A client has disconnected. heir, which may be NULL, owns the cluster from now on if the client
 * did and had attached. Returns whether the cluster must end: the client owned it, had not
 * attached, and no other start waits that could own it instead. */
bool waiters_client_gone(
	struct waiters *waiters, const struct client *client, const struct client *heir);

/* The cluster has changed: answer what is done, and send progress. */
void waiters_changed(struct waiters *waiters);

/* Answer all requests: dracod ends, or (stays) waits for the remaining jobs to end. */
void waiters_finish(struct waiters *waiters, bool stays);

#endif
