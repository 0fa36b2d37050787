/* greetings.c: the answers to "hello", which may wait for the end of an adoption. */
#include "daemon/control/greetings.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/json.h"
#include "common/queue.h"
#include "common/rpc.h"
#include "daemon/cluster/adopt.h"
#include "daemon/cluster/model.h"
#include "daemon/control/control.h"
#include "daemon/io/loop.h"

/* Clients give up after 10 s. What is not known until then comes later. */
#define WAIT_MS 5000

struct greeting {
	TAILQ_ENTRY(greeting) link; /* greetings.list */
	struct client *client;
	json_t *id;
};

struct greetings {
	const struct cluster *cluster;
	const char *name;
	TAILQ_HEAD(, greeting) list;
	struct loop_timer *late;
};

static void greeting_free(struct greetings *greetings, struct greeting *greeting)
{
	TAILQ_REMOVE(&greetings->list, greeting, link);
	json_decref(greeting->id);
	free(greeting);
}

static void answer(const struct greetings *greetings, struct client *client, const json_t *id)
{
	client_reply(client, id,
		json_pack("{s:i, s:s, s:s, s:i, s:o}", "protocol", RPC_PROTOCOL, "version",
			PACKAGE_VERSION, "name", greetings->name, "pid", (int)getpid(),
			"former", json_text(cluster_adopt_text(greetings->cluster))));
}

static void answer_all(void *arg)
{
	struct greetings *greetings = arg;
	struct greeting *greeting;

	loop_timer_stop(greetings->late);
	while ((greeting = TAILQ_FIRST(&greetings->list))) {
		answer(greetings, greeting->client, greeting->id);
		greeting_free(greetings, greeting);
	}
}

struct greetings *greetings_create(
	struct loop *loop, const struct cluster *cluster, const char *name)
{
	struct greetings *greetings = xcalloc(1, sizeof(*greetings));

	greetings->cluster = cluster;
	greetings->name = name;
	TAILQ_INIT(&greetings->list);
	greetings->late = loop_timer_create(loop, answer_all, greetings);
	return greetings;
}

struct greetings *greetings_destroy(struct greetings *greetings)
{
	if (!greetings)
		return NULL;
	while (!TAILQ_EMPTY(&greetings->list))
		greeting_free(greetings, TAILQ_FIRST(&greetings->list));
	loop_timer_destroy(greetings->late);
	free(greetings);
	return NULL;
}

void greetings_add(
	struct greetings *greetings, struct client *client, const struct rpc_message *message)
{
	struct greeting *greeting;

	client_set_greeted(client);
	if (!greetings->cluster->adoption.waits) {
		answer(greetings, client, message->id);
		return;
	}
	greeting = xcalloc(1, sizeof(*greeting));
	greeting->client = client;
	greeting->id = json_incref(message->id);
	TAILQ_INSERT_TAIL(&greetings->list, greeting, link);
	if (!loop_timer_is_running(greetings->late))
		loop_timer_start(greetings->late, WAIT_MS);
}

void greetings_changed(struct greetings *greetings)
{
	if (!greetings->cluster->adoption.waits)
		answer_all(greetings);
}

void greetings_client_gone(struct greetings *greetings, const struct client *client)
{
	struct greeting *greeting, *next;

	TAILQ_FOREACH_SAFE (greeting, &greetings->list, link, next)
		if (greeting->client == client)
			greeting_free(greetings, greeting);
}
