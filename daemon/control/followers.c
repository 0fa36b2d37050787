/* followers.c: the request "events", and the clients that follow new events. */
#include "daemon/control/followers.h"

#include <stdbool.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/json.h"
#include "common/queue.h"
#include "common/rpc.h"
#include "daemon/control/control.h"
#include "daemon/io/history.h"

#define ANSWER_MAX (256 * 1024) /* bytes; keeps a message below LINE_LIMIT */

struct follower {
	TAILQ_ENTRY(follower) link; /* followers.list */
	struct client *client;
	bool workers; /* it also follows the number of workers */
};

struct followers {
	int64_t connected; /* the number of workers that was sent last */
	TAILQ_HEAD(, follower) list;
};

static void on_event(void *arg, const struct event *event)
{
	struct followers *followers = arg;
	struct follower *follower;

	TAILQ_FOREACH (follower, &followers->list, link)
		client_notify(follower->client, "event", event_encode(event));
}

void followers_workers(struct followers *followers, int64_t connected)
{
	struct follower *follower;

	if (followers->connected == connected)
		return;
	followers->connected = connected;
	TAILQ_FOREACH (follower, &followers->list, link)
		if (follower->workers)
			client_notify(follower->client, "workers",
				json_pack("{s:I}", "connected", (json_int_t)connected));
}

struct followers *followers_create(void)
{
	struct followers *followers = xcalloc(1, sizeof(*followers));

	TAILQ_INIT(&followers->list);
	history_listen(on_event, followers);
	return followers;
}

static void follower_free(struct followers *followers, struct follower *follower)
{
	TAILQ_REMOVE(&followers->list, follower, link);
	free(follower);
}

struct followers *followers_destroy(struct followers *followers)
{
	if (!followers)
		return NULL;
	history_listen(NULL, NULL);
	while (!TAILQ_EMPTY(&followers->list))
		follower_free(followers, TAILQ_FIRST(&followers->list));
	free(followers);
	return NULL;
}

static bool is_following(const struct followers *followers, const struct client *client)
{
	const struct follower *follower;

	TAILQ_FOREACH (follower, &followers->list, link)
		if (follower->client == client)
			return true;
	return false;
}

void followers_request(
	struct followers *followers, struct client *client, const struct rpc_message *message)
{
	json_t *answer =
		events_list(history_events(), json_get_integer(message->params, "since", 1),
			json_get_integer(message->params, "count", -1), ANSWER_MAX);

	if (json_get_boolean(message->params, "follow", 0) &&
		!json_get_boolean(answer, "more", 0) && !is_following(followers, client)) {
		struct follower *follower = xcalloc(1, sizeof(*follower));

		follower->client = client;
		follower->workers = json_get_boolean(message->params, "workers", 0);
		TAILQ_INSERT_TAIL(&followers->list, follower, link);
	}
	client_reply(client, message->id, answer);
}

void followers_client_gone(struct followers *followers, struct client *client)
{
	struct follower *follower, *next;

	TAILQ_FOREACH_SAFE (follower, &followers->list, link, next)
		if (follower->client == client)
			follower_free(followers, follower);
}
