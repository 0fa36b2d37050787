/* leases.c: the attached programs. An open connection is the lease: a program that is killed, or
 * whose host is gone, loses it with its connection. Called only by the methods of the control
 * socket. */
#include "daemon/control/leases.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/queue.h"
#include "common/rpc.h"
#include "daemon/control/control.h"

#define TEXT_MAX 1024

struct lease {
	TAILQ_ENTRY(lease) link; /* leases.list */
	const struct client *client;
	json_t *label;
	time_t since, last_use;
};

struct leases {
	TAILQ_HEAD(, lease) list;
};

static const struct {
	const char *name;
	json_type type;
} members[] = {
	{"host", JSON_STRING},
	{"pid", JSON_INTEGER},
	{"notebook", JSON_STRING},
	{"program", JSON_STRING},
};

/* Copy the known members of a label. -EINVAL with err: label is not a valid label. */
static int read_label(const json_t *label, json_t **ret, struct err *err)
{
	json_t *copy = json_object();

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		json_t *value = json_object_get(label, members[i].name);

		if (!value || json_is_null(value))
			continue;
		if (json_typeof(value) != members[i].type ||
			(json_is_string(value) && json_string_length(value) > TEXT_MAX)) {
			json_decref(copy);
			return err_set(err, -EINVAL, "label: \"%s\" must be %s",
				members[i].name,
				members[i].type == JSON_INTEGER
					? "an integer"
					: "a text of at most 1024 bytes");
		}
		json_object_set(copy, members[i].name, value);
	}
	*ret = copy;
	return 0;
}

static struct lease *find(const struct leases *leases, const struct client *client)
{
	struct lease *lease;

	TAILQ_FOREACH (lease, &leases->list, link)
		if (lease->client == client)
			return lease;
	return NULL;
}

static void lease_free(struct leases *leases, struct lease *lease)
{
	TAILQ_REMOVE(&leases->list, lease, link);
	json_decref(lease->label);
	free(lease);
}

struct leases *leases_create(void)
{
	struct leases *leases = xcalloc(1, sizeof(*leases));

	TAILQ_INIT(&leases->list);
	return leases;
}

struct leases *leases_destroy(struct leases *leases)
{
	if (!leases)
		return NULL;
	while (!TAILQ_EMPTY(&leases->list))
		lease_free(leases, TAILQ_FIRST(&leases->list));
	free(leases);
	return NULL;
}

bool leases_request(
	struct leases *leases, struct client *client, const struct rpc_message *message)
{
	struct lease *lease = find(leases, client);
	struct err err = ERR_INIT;
	json_t *copy = NULL;

	if (read_label(json_object_get(message->params, "label"), &copy, &err) < 0) {
		client_refuse(client, message->id, RPC_INVALID_PARAMS, err.text, NULL);
		return false;
	}
	if (!lease) {
		lease = xcalloc(1, sizeof(*lease));
		lease->client = client;
		lease->since = time(NULL);
		TAILQ_INSERT_TAIL(&leases->list, lease, link);
	}
	json_decref(lease->label);
	lease->label = copy;
	lease->last_use = time(NULL);
	client_reply(client, message->id,
		json_pack("{s:i}", "attached", leases_count(leases, NULL)));
	return true;
}

void leases_touch(struct leases *leases, const struct client *client)
{
	struct lease *lease = find(leases, client);

	if (lease)
		lease->last_use = time(NULL);
}

void leases_client_gone(struct leases *leases, const struct client *client)
{
	struct lease *lease = find(leases, client);

	if (lease)
		lease_free(leases, lease);
}

char *leases_others(const struct leases *leases, const struct client *client)
{
	int others = leases_count(leases, client);
	const struct lease *lease, *last = NULL;
	_cleanup_free_ char *more = NULL;
	const char *program;

	TAILQ_FOREACH (lease, &leases->list, link)
		if (lease->client != client && (!last || lease->last_use >= last->last_use))
			last = lease;
	if (!last)
		return NULL;
	program = json_get_text(
		last->label, "notebook", json_get_text(last->label, "program", "a program"));
	if (others > 1)
		more = xasprintf(" and %d other%s", others - 1, others == 2 ? "" : "s");
	return xasprintf("%s (process %" PRId64 " on %s)%s", program,
		(int64_t)json_get_integer(last->label, "pid", 0),
		json_get_text(last->label, "host", "an unknown host"), more ? more : "");
}

int leases_count(const struct leases *leases, const struct client *client)
{
	const struct lease *lease;
	int count = 0;

	TAILQ_FOREACH (lease, &leases->list, link)
		count += lease->client != client;
	return count;
}

json_t *leases_report(const struct leases *leases)
{
	const struct lease *lease;
	json_t *list = json_array();

	TAILQ_FOREACH (lease, &leases->list, link) {
		json_t *item = json_copy(lease->label);

		json_object_set_new(item, "since", json_integer((json_int_t)lease->since));
		json_object_set_new(
			item, "last_use", json_integer((json_int_t)lease->last_use));
		json_array_append_new(list, item);
	}
	return list;
}
