/* leases.c: the attached programs. An open connection is the lease: a program that is killed, or
 * whose host is gone, loses it with its connection. Called only by the methods of the control
 * socket. */
#include "daemon/control/leases.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
	double share;
	time_t since, last_use;
};

struct leases {
	TAILQ_HEAD(lease_list, lease) list;
};

static const struct {
	const char *name;
	json_type type;
} members[] = {
	{"host", JSON_STRING},
	{"pid", JSON_INTEGER},
	{"notebook", JSON_STRING},
	{"program", JSON_STRING},
	{"client", JSON_STRING},
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

/* Read a share; NULL: it is not given, and *ret stays. -EINVAL with err. */
static int read_share(const json_t *value, double *ret, struct err *err)
{
	double share = json_number_value(value);

	if (!value)
		return 0;
	if (!json_is_number(value) || !(share >= LEASES_SHARE_MIN && share <= LEASES_SHARE_MAX))
		return err_set(err, -EINVAL,
			"the share must be a number from %g to %g, where 1 is usual",
			LEASES_SHARE_MIN, LEASES_SHARE_MAX);
	*ret = share;
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
	double share = 0;

	if (read_share(json_object_get(message->params, "share"), &share, &err) < 0 ||
		read_label(json_object_get(message->params, "label"), &copy, &err) < 0) {
		client_refuse(client, message->id, RPC_INVALID_PARAMS, err.text, NULL);
		return false;
	}
	if (!lease) {
		lease = xcalloc(1, sizeof(*lease));
		lease->share = 1;
		lease->client = client;
		lease->since = time(NULL);
		TAILQ_INSERT_TAIL(&leases->list, lease, link);
	}
	json_decref(lease->label);
	lease->label = copy;
	if (share > 0)
		lease->share = share;
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

/* The program of a lease for a person. The caller frees. */
static char *program_text(const struct lease *lease)
{
	const char *program = json_get_text(
		lease->label, "notebook", json_get_text(lease->label, "program", "a program"));

	return xasprintf("%s (process %" PRId64 " on %s)", program,
		(int64_t)json_get_integer(lease->label, "pid", 0),
		json_get_text(lease->label, "host", "an unknown host"));
}

/* Are both of one process? Leases without a process are of unknown ones. */
static bool is_same_program(const struct lease *one, const struct lease *other)
{
	const char *host = json_get_text(one->label, "host", NULL);
	json_int_t pid = json_get_integer(one->label, "pid", 0);

	return host && pid && json_get_integer(other->label, "pid", 0) == pid &&
		strcmp(json_get_text(other->label, "host", ""), host) == 0;
}

const struct client *leases_same_program(
	const struct leases *leases, const struct client *client)
{
	const struct lease *own = find(leases, client), *lease;

	TAILQ_FOREACH_REVERSE(lease, &leases->list, lease_list, link)
	if (own && lease != own && is_same_program(own, lease))
		return lease->client;
	return NULL;
}

char *leases_program(const struct leases *leases, const struct client *client)
{
	const struct lease *lease = find(leases, client);

	return lease ? program_text(lease) : NULL;
}

/* The lease of another client that has used the cluster last, if possible of another program. */
static const struct lease *last_other(
	const struct leases *leases, const struct client *client, const struct lease *own)
{
	const struct lease *lease, *last = NULL;
	bool is_own, last_is_own = false;

	TAILQ_FOREACH (lease, &leases->list, link) {
		if (lease->client == client)
			continue;
		is_own = own && is_same_program(own, lease);
		if (!last || (last_is_own && !is_own) ||
			(last_is_own == is_own && lease->last_use >= last->last_use)) {
			last = lease;
			last_is_own = is_own;
		}
	}
	return last;
}

char *leases_others(const struct leases *leases, const struct client *client)
{
	int others = leases_count(leases, client);
	const struct lease *own = find(leases, client);
	const struct lease *last = last_other(leases, client, own);
	_cleanup_free_ char *more = NULL, *program = NULL;

	if (!last)
		return NULL;
	if (others > 1)
		more = xasprintf(" and %d other%s", others - 1, others == 2 ? "" : "s");
	program = own && is_same_program(own, last) ? xstrdup("another object of this program")
						    : program_text(last);
	return xasprintf("%s%s", program, more ? more : "");
}

/* Does a person mean this program: by its process, its notebook or its program? */
static bool is_meant(const struct lease *lease, const char *program)
{
	const char *notebook = json_get_text(lease->label, "notebook", "");
	const char *slash = strrchr(notebook, '/');
	char pid[24];

	snprintf(pid, sizeof(pid), "%" PRId64,
		(int64_t)json_get_integer(lease->label, "pid", 0));
	return strcmp(program, pid) == 0 || strcmp(program, notebook) == 0 ||
		(slash && strcmp(program, slash + 1) == 0) ||
		strcmp(program, json_get_text(lease->label, "program", "")) == 0;
}

void leases_restore_share(
	struct leases *leases, const struct client *client, const json_t *shares)
{
	struct lease *lease = find(leases, client);
	const json_t *share = lease
		? json_object_get(shares, json_get_text(lease->label, "client", ""))
		: NULL;
	struct err ignored = ERR_INIT;

	if (share)
		read_share(share, &lease->share, &ignored);
}

int leases_set_share(struct leases *leases, const char *program, const json_t *value,
	const char **ret_client, struct err *err)
{
	const char *last = NULL, *client;
	struct lease *lease;
	double share = 1;
	int r = read_share(value, &share, err);

	if (r < 0)
		return r;
	TAILQ_FOREACH (lease, &leases->list, link) {
		if (!is_meant(lease, program))
			continue;
		client = json_get_text(lease->label, "client", "");
		if (last && strcmp(client, last) != 0)
			return err_set(err, -EINVAL,
				"several attached programs are called %s: give the process",
				program);
		last = client;
	}
	if (!last)
		return err_set(err, -ENOENT, "no attached program is called %s", program);
	TAILQ_FOREACH (lease, &leases->list, link)
		if (is_meant(lease, program))
			lease->share = share;
	*ret_client = last;
	return 0;
}

json_t *leases_shares(const struct leases *leases)
{
	json_t *shares = json_object();
	const struct lease *lease;

	TAILQ_FOREACH (lease, &leases->list, link) {
		const char *client = json_get_text(lease->label, "client", NULL);

		/* A process with several leases has the highest share. */
		if (client && json_number_value(json_object_get(shares, client)) < lease->share)
			json_object_set_new(shares, client, json_real(lease->share));
	}
	return shares;
}

int leases_count(const struct leases *leases, const struct client *client)
{
	const struct lease *lease;
	int count = 0;

	TAILQ_FOREACH (lease, &leases->list, link)
		count += lease->client != client;
	return count;
}

/* Add what the program has, from the preload's report about programs. */
static void add_usage(json_t *item, const json_t *programs)
{
	static const char *const keys[] = {"running", "core_seconds", "bytes"};
	const char *client = json_get_text(item, "client", NULL);
	const json_t *program;
	size_t i;

	json_array_foreach (programs, i, program)
		if (client && strcmp(json_get_text(program, "client", ""), client) == 0)
			for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
				json_object_set(
					item, keys[k], json_object_get(program, keys[k]));
}

json_t *leases_report(const struct leases *leases, const json_t *programs)
{
	const struct lease *lease;
	json_t *list = json_array();

	TAILQ_FOREACH (lease, &leases->list, link) {
		json_t *item = json_copy(lease->label);

		json_object_set_new(item, "since", json_integer((json_int_t)lease->since));
		json_object_set_new(
			item, "last_use", json_integer((json_int_t)lease->last_use));
		json_object_set_new(item, "share", json_real(lease->share));
		add_usage(item, programs);
		json_array_append_new(list, item);
	}
	return list;
}
