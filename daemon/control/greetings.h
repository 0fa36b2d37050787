/* greetings.h: the answers to "hello". While dracod still learns what the former one has left, they
 * wait for a moment, so that no program sees a cluster without its jobs. Called only by the methods
 * of the control socket. */
#ifndef DRACO_DAEMON_CONTROL_GREETINGS_H
#define DRACO_DAEMON_CONTROL_GREETINGS_H

struct client;
struct cluster;
struct greetings;
struct loop;
struct rpc_message;

/* name: of the cluster. All arguments are borrowed. */
struct greetings *greetings_create(
	struct loop *loop, const struct cluster *cluster, const char *name);
struct greetings *greetings_destroy(struct greetings *greetings);

/* A client says hello, in the right version: answer now, or soon. */
void greetings_add(
	struct greetings *greetings, struct client *client, const struct rpc_message *message);

/* The cluster has changed: answer those that wait, unless they still have to. */
void greetings_changed(struct greetings *greetings);

void greetings_client_gone(struct greetings *greetings, const struct client *client);

#endif
