/* deferred.c: requests that need files of the user, while their file system does not answer.
 *
 * A start reads settings and makes directories, which the event loop does itself. So a thread
 * touches the home before, and then the log directory where that is elsewhere; what asks for a
 * start waits until that has worked. */
#include "daemon/control/deferred.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/alloc.h"
#include "common/home.h"
#include "common/paths.h"
#include "common/queue.h"
#include "common/rpc.h"
#include "daemon/control/control.h"
#include "daemon/io/writer.h"

#define REQUESTS_MAX 1000 /* that wait, of all clients */

struct request {
	TAILQ_ENTRY(request) link; /* deferred.list */
	struct client *client;
	struct rpc_message message;
	bool logs_touched; /* or they are just being touched */
};

/* A touch of the home, or of a log directory, by a thread. */
struct probe {
	char *home, *lock;	   /* lock: NULL for a log directory */
	struct deferred *deferred; /* NULL: nobody waits for it */
};

struct deferred {
	const struct paths *paths;
	TAILQ_HEAD(, request) list;
	int count;	     /* of list */
	struct probe *probe; /* NULL: none is under way */
	deferred_fn fn;
	deferred_logs_fn logs;
	void *arg;
};

/* Takes the log directory over; NULL: the home is touched. */
static struct probe *probe_create(struct deferred *deferred, char *logs)
{
	struct probe *probe = xcalloc(1, sizeof(*probe));

	probe->home = logs ? logs : home_expand("~");
	probe->lock = logs ? NULL : xstrdup(deferred->paths->lock_file);
	probe->deferred = deferred;
	return probe;
}

static void probe_free(void *arg)
{
	struct probe *probe = arg;

	free(probe->home);
	free(probe->lock);
	free(probe);
}

static void touch(void *arg)
{
	const struct probe *probe = arg;
	struct stat st;

	if (stat(probe->home, &st) == 0 && probe->lock)
		utimensat(AT_FDCWD, probe->lock, NULL, 0); /* it may only be writes that hang */
}

static void request_free(struct deferred *deferred, struct request *request)
{
	TAILQ_REMOVE(&deferred->list, request, link);
	deferred->count--;
	rpc_message_finish(&request->message);
	free(request);
}

static void on_touched(void *arg);

static void begin_touch(struct deferred *deferred, char *logs)
{
	deferred->probe = probe_create(deferred, logs);
	writer_run(WRITER_LOOK, touch, on_touched, deferred->probe);
}

static void on_touched(void *arg)
{
	struct probe *probe = arg;
	struct deferred *deferred = probe->deferred;
	struct request *request;

	probe_free(probe);
	if (!deferred)
		return;
	deferred->probe = NULL;
	while ((request = TAILQ_FIRST(&deferred->list))) {
		struct client *client = request->client;
		struct rpc_message message = request->message;
		char *logs =
			request->logs_touched ? NULL : deferred->logs(deferred->arg, &message);

		if (logs) {
			request->logs_touched = true;
			begin_touch(deferred, logs);
			return;
		}
		request->message = (struct rpc_message){0};
		request_free(deferred, request);
		deferred->fn(deferred->arg, client, &message);
		rpc_message_finish(&message);
	}
}

static bool needs_files(const struct rpc_message *message)
{
	int method = rpc_method_find(message->method);

	return method == RPC_START || method == RPC_PLAN || method == RPC_SCRIPT;
}

static bool waits(const struct deferred *deferred, const struct client *client)
{
	const struct request *request;

	TAILQ_FOREACH (request, &deferred->list, link)
		if (request->client == client)
			return true;
	return false;
}

/* logs: see probe_create(). */
static bool answers(struct deferred *deferred, char *logs)
{
	struct probe *probe = probe_create(deferred, logs);

	if (!writer_look(touch, probe_free, probe, WRITER_WAIT_MS))
		return false;
	probe_free(probe);
	return true;
}

static bool all_answer(struct deferred *deferred, const struct rpc_message *message)
{
	char *logs;

	if (deferred->probe || !answers(deferred, NULL))
		return false;
	logs = deferred->logs(deferred->arg, message);
	return !logs || answers(deferred, logs);
}

bool deferred_add(
	struct deferred *deferred, struct client *client, const struct rpc_message *message)
{
	struct request *request;

	if (!waits(deferred, client) &&
		(!needs_files(message) || all_answer(deferred, message)))
		return false;
	if (deferred->count >= REQUESTS_MAX) {
		client_refuse(client, message->id, RPC_FAILED,
			"the file system of the home, or of the logs, does not answer, and too "
			"many requests wait for it already",
			NULL);
		return true;
	}
	deferred->count++;
	request = xcalloc(1, sizeof(*request));
	request->client = client;
	request->message = *message;
	json_incref(request->message.root);
	TAILQ_INSERT_TAIL(&deferred->list, request, link);
	if (!deferred->probe)
		begin_touch(deferred, NULL);
	return true;
}

void deferred_client_gone(struct deferred *deferred, const struct client *client)
{
	struct request *request, *next;

	TAILQ_FOREACH_SAFE (request, &deferred->list, link, next)
		if (request->client == client)
			request_free(deferred, request);
}

struct deferred *deferred_create(
	const struct paths *paths, deferred_fn fn, deferred_logs_fn logs, void *arg)
{
	struct deferred *deferred = xcalloc(1, sizeof(*deferred));

	deferred->paths = paths;
	TAILQ_INIT(&deferred->list);
	deferred->fn = fn;
	deferred->logs = logs;
	deferred->arg = arg;
	return deferred;
}

struct deferred *deferred_destroy(struct deferred *deferred)
{
	if (!deferred)
		return NULL;
	if (deferred->probe)
		deferred->probe->deferred = NULL;
	while (!TAILQ_EMPTY(&deferred->list))
		request_free(deferred, TAILQ_FIRST(&deferred->list));
	free(deferred);
	return NULL;
}
