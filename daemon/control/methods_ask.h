/* methods_ask.h: the read-only requests: environment, logs, plan, script. */
#ifndef DRACO_DAEMON_CONTROL_METHODS_ASK_H
#define DRACO_DAEMON_CONTROL_METHODS_ASK_H

struct binding;
struct client;
struct cluster;
struct paths;
struct plans;
struct rpc_message;

/* Answer client's request at once; plans answers a plan later. */
void methods_ask_request(const struct cluster *cluster, struct plans *plans,
	const struct paths *paths, const struct binding *binding, struct client *client,
	const struct rpc_message *message);

#endif
