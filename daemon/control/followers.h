/* followers.h: the request "events", and the clients that follow new events. */
#ifndef DRACO_DAEMON_CONTROL_FOLLOWERS_H
#define DRACO_DAEMON_CONTROL_FOLLOWERS_H

#include <stdint.h>

struct client;
struct followers;
struct rpc_message;

struct followers *followers_create(void);
struct followers *followers_destroy(struct followers *followers);

/* Answer a request for events, {since, count, follow, workers}; see events_list().
 *
 * With follow, the client gets each later event as a notification "event" until it disconnects.
 * With workers it also gets a notification "workers", {connected}, whenever workers have connected
 * or left. If the answer says that there are more events, the client does not follow yet and must
 * ask again. A client that does not read its notifications is disconnected when 8 MiB wait for
 * it. */
void followers_request(
	struct followers *followers, struct client *client, const struct rpc_message *message);

/* Tell followers the number of connected workers. */
void followers_workers(struct followers *followers, int64_t connected);

void followers_client_gone(struct followers *followers, struct client *client);

#endif
