/* followers.h: the request "events", and the programs that are told of each new event. */
#ifndef DRACO_DAEMON_CONTROL_FOLLOWERS_H
#define DRACO_DAEMON_CONTROL_FOLLOWERS_H

#include <stdint.h>

struct client;
struct followers;
struct rpc_message;

struct followers *followers_create(void);
struct followers *followers_destroy(struct followers *followers);

/* Answer a request for events, {since, count, follow, workers} -> as events_list(). With
 * follow, the client gets each later event as a notification "event" until it is gone, with
 * workers also a notification "workers", {connected}, when workers have come or gone; where the
 * answer says that there are more, it does not follow yet, and shall ask again. A client that
 * does not read what it follows is disconnected when 8 MiB wait for it. */
void followers_request(
	struct followers *followers, struct client *client, const struct rpc_message *message);

/* So many workers are connected now. */
void followers_workers(struct followers *followers, int64_t connected);

void followers_client_gone(struct followers *followers, struct client *client);

#endif
