/* methods_size.h: the requests that change the size of the cluster: scale, adapt, pause,
 * resume, retire. */
#ifndef DRACO_DAEMON_CONTROL_METHODS_SIZE_H
#define DRACO_DAEMON_CONTROL_METHODS_SIZE_H

struct client;
struct cluster;
struct rpc_message;

/* Carry out one of these requests and answer it with the size. The parameters must have the right
 * types. */
void methods_size_request(
	struct cluster *cluster, struct client *client, const struct rpc_message *message);

#endif
