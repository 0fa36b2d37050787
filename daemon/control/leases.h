/* leases.h: who is attached: programs that hold on to the cluster by a connection with a label. */
#ifndef DRACO_DAEMON_CONTROL_LEASES_H
#define DRACO_DAEMON_CONTROL_LEASES_H

#include <jansson.h>
#include <stdbool.h>

struct client;
struct leases;
struct rpc_message;

struct leases *leases_create(void);
struct leases *leases_destroy(struct leases *leases);

/* The request "attach": client is attached from now on, under its label {host, pid, notebook,
 * program}, each of which may be missing. Another time it changes the label. Answers; false
 * when the label is none. */
bool leases_request(
	struct leases *leases, struct client *client, const struct rpc_message *message);

/* client has asked for something, or is gone; nothing happens when it is not attached. */
void leases_touch(struct leases *leases, const struct client *client);
void leases_client_gone(struct leases *leases, const struct client *client);

/* How many are attached besides client (NULL: all). */
int leases_count(const struct leases *leases, const struct client *client);

/* Who is attached besides client, for a person: "student.ipynb (process 4711 on login1)", of
 * several the one that has used the cluster last, "and 2 others"; the caller frees. NULL:
 * nobody. */
char *leases_others(const struct leases *leases, const struct client *client);

/* The labels with "since" and "last_use", in seconds since the epoch; the oldest first. */
json_t *leases_report(const struct leases *leases);

#endif
