/* leases.h: the attached programs: clients that keep the cluster in use by a connection with a
 * label. */
#ifndef DRACO_DAEMON_CONTROL_LEASES_H
#define DRACO_DAEMON_CONTROL_LEASES_H

#include <jansson.h>
#include <stdbool.h>

#define LEASES_SHARE_MIN 0.01
#define LEASES_SHARE_MAX 100.0

struct client;
struct err;
struct leases;
struct rpc_message;

struct leases *leases_create(void);
struct leases *leases_destroy(struct leases *leases);

/* The request "attach": attach client under its label {host, pid, notebook, program, client}, with
 * its share. client is the end of the ids of its Dask clients. Each member may be missing. A second
 * request changes the label, and the share if it has one. Sends the answer. Returns false if the
 * request is not valid. */
bool leases_request(
	struct leases *leases, struct client *client, const struct rpc_message *message);

/* client has sent a request, or is gone. Does nothing if client is not attached. */
void leases_touch(struct leases *leases, const struct client *client);
void leases_client_gone(struct leases *leases, const struct client *client);

/* Another client of the program of client, the one that has attached last; NULL: there is none, or
 * client is not attached. */
const struct client *leases_same_program(
	const struct leases *leases, const struct client *client);

/* The number of attached programs without client (NULL: all). */
int leases_count(const struct leases *leases, const struct client *client);

/* The attached program of client, for a person: "student.ipynb (process 4711 on login1)". NULL: it
 * is not attached. The caller frees. */
char *leases_program(const struct leases *leases, const struct client *client);

/* The attached programs without client, for a person: "student.ipynb (process 4711 on login1)", or
 * the one that has used the cluster last "and 2 others". Clients of the same program come last, as
 * "another object of this program". NULL: none. The caller frees. */
char *leases_others(const struct leases *leases, const struct client *client);

/* Give a program another share. program is its process, its notebook or its program. *ret_client is
 * the end of the ids of its Dask clients; borrowed. -EINVAL or -ENOENT with err. */
int leases_set_share(struct leases *leases, const char *program, const json_t *value,
	const char **ret_client, struct err *err);

/* client has just attached: if shares has one for its program, use that. */
void leases_restore_share(
	struct leases *leases, const struct client *client, const json_t *shares);

/* The share of each program, by the end of the ids of its Dask clients. */
json_t *leases_shares(const struct leases *leases);

/* The labels, each with "share", and "since" and "last_use" in seconds since the epoch; oldest
 * first. programs is what the preload tells of programs, or NULL: then with what each has. */
json_t *leases_report(const struct leases *leases, const json_t *programs);

#endif
