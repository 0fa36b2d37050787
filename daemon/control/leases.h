/* leases.h: the attached programs: clients that keep the cluster in use by a connection with a
 * label. */
#ifndef DRACO_DAEMON_CONTROL_LEASES_H
#define DRACO_DAEMON_CONTROL_LEASES_H

#include <jansson.h>
#include <stdbool.h>

struct client;
struct leases;
struct rpc_message;

struct leases *leases_create(void);
struct leases *leases_destroy(struct leases *leases);

/* The request "attach": attach client under its label {host, pid, notebook, program}. Each member
 * may be missing. A second request changes the label. Sends the answer. Returns false if the label
 * is not valid. */
bool leases_request(
	struct leases *leases, struct client *client, const struct rpc_message *message);

/* client has sent a request, or is gone. Does nothing if client is not attached. */
void leases_touch(struct leases *leases, const struct client *client);
void leases_client_gone(struct leases *leases, const struct client *client);

/* The number of attached programs without client (NULL: all). */
int leases_count(const struct leases *leases, const struct client *client);

/* The attached programs without client, for a person: "student.ipynb (process 4711 on login1)", or
 * the one that has used the cluster last "and 2 others". NULL: none. The caller frees. */
char *leases_others(const struct leases *leases, const struct client *client);

/* The labels, each with "since" and "last_use" in seconds since the epoch; oldest first. */
json_t *leases_report(const struct leases *leases);

#endif
