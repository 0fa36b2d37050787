/* dask_link.c: the connection from the Dask scheduler's preload (draco_scheduler.py).
 *
 * Any program of this user may connect. Only a program that says hello and that the owner accepts
 * counts, and a later one replaces an earlier one. Hello tells the number of workers. The workers
 * follow in lines of their own, because the length of a line is limited, and hello is judged once
 * all have arrived. Many requests to the preload may be under way at once, and it answers them in
 * any order. */
#include "daemon/dask/dask_link.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "common/queue.h"
#include "common/rpc.h"
#include "common/visible.h"
#include "daemon/io/listener.h"
#include "daemon/io/loop.h"
#include "daemon/io/stream.h"

#define PEERS_MAX    16
#define REQUESTS_MAX 64 /* as in draco_scheduler.py */
#define WORKERS_MAX  100000
#define WORD_MAX     512 /* bytes of a worker's name, or of its address */

struct peer {
	TAILQ_ENTRY(peer) link; /* dask_link.peers */
	struct dask_link *owner;
	struct stream *stream;
	/* Received, while some of its workers are missing; otherwise NULL. */
	json_t *hello_id, *hello;
	size_t workers_left; /* workers of hello that have not arrived yet */
	pid_t pid;
};

struct request {
	TAILQ_ENTRY(request) link; /* dask_link.requests */
	struct dask_link *owner;
	json_int_t id;
	char *method;
	struct loop_timer *deadline;
	dask_link_reply_fn done;
	void *arg;
};

struct dask_link {
	struct loop *loop;
	struct listener *listener;
	TAILQ_HEAD(, peer) peers;
	int count;
	struct peer *accepted;
	TAILQ_HEAD(, request) requests; /* sent to accepted, not answered yet */
	int request_count;
	json_int_t last_id;
	const struct dask_link_ops *ops;
	void *arg;
};

static void forget_hello(struct peer *peer)
{
	json_decref(peer->hello_id);
	json_decref(peer->hello);
	peer->hello_id = peer->hello = NULL;
}

static void peer_free(struct peer *peer)
{
	TAILQ_REMOVE(&peer->owner->peers, peer, link);
	peer->owner->count--;
	stream_destroy(peer->stream);
	forget_hello(peer);
	free(peer);
}

static void request_free(struct request *request)
{
	TAILQ_REMOVE(&request->owner->requests, request, link);
	request->owner->request_count--;
	loop_timer_destroy(request->deadline);
	free(request->method);
	free(request);
}

static void answer(struct request *request, const json_t *result, const struct err *err)
{
	dask_link_reply_fn done = request->done;
	void *arg = request->arg;

	request_free(request); /* free it first: done may send the next request */
	done(arg, result, result ? NULL : err);
}

/* The accepted preload is gone: fail its requests. */
static void fail_requests(struct dask_link *link, const char *why)
{
	json_int_t last_id = link->last_id;
	struct request *request;
	struct err err = ERR_INIT;

	while ((request = TAILQ_FIRST(&link->requests)) && request->id <= last_id) {
		err_set(&err, -ECONNRESET, "%s: lost draco's plugin in the scheduler: %s",
			request->method, why);
		answer(request, NULL, &err);
	}
}

static void on_deadline(void *arg)
{
	struct request *request = arg;
	struct err err = ERR_INIT;

	err_set(&err, -ETIMEDOUT, "%s: no answer from the scheduler in time", request->method);
	answer(request, NULL, &err);
}

static void take_answer(struct dask_link *link, const struct rpc_message *message)
{
	struct request *request;
	struct err err = ERR_INIT;

	if (!json_is_integer(message->id))
		return;
	TAILQ_FOREACH (request, &link->requests, link)
		if (request->id == json_integer_value(message->id))
			break;
	if (!request) {
		log_debug("scheduler: draco's plugin answers too late");
		return;
	}
	if (message->kind == RPC_ERROR)
		err_set(&err, -EIO, "%s: %s", request->method, message->text);
	answer(request, message->kind == RPC_RESULT ? message->result : NULL, &err);
}

static void on_closed(void *owner, const char *why)
{
	struct peer *peer = owner;
	struct dask_link *link = peer->owner;
	bool accepted = link->accepted == peer;

	if (accepted)
		link->accepted = NULL;
	peer_free(peer);
	if (accepted) {
		fail_requests(link, why);
		link->ops->lost(link->arg, why);
	}
}

static void refuse(struct peer *peer, const json_t *id, const struct err *err)
{
	log_warning("scheduler: refused a plugin: %s", err->text);
	stream_send_take(peer->stream, rpc_format_error(id, RPC_FAILED, err->text, NULL));
}

/* With security none anyone can add a worker to the scheduler, under any name. */
static bool is_word(const char *text)
{
	return text && *text && strlen(text) <= WORD_MAX && visible_is_clean(text);
}

static bool is_worker(const json_t *worker)
{
	const char *name = json_get_text(worker, "name", NULL);

	if (is_word(name) && is_word(json_get_text(worker, "address", NULL)))
		return true;
	log_warning(
		"scheduler: a worker is ignored: its name or address is not a short line of text: "
		"%.100s",
		name ? name : "none");
	return false;
}

/* Hello is complete: let the owner accept or refuse it. */
static void judge(struct peer *peer)
{
	struct dask_link *link = peer->owner;
	struct err err = ERR_INIT;
	int r = link->ops->hello(link->arg, peer->hello, &err);

	if (r < 0)
		refuse(peer, peer->hello_id, &err);
	else
		stream_send_take(peer->stream,
			rpc_format_result(peer->hello_id,
				json_pack("{s:i}", "protocol", DASK_LINK_PROTOCOL)));
	forget_hello(peer);
	if (r < 0 || link->accepted == peer)
		return;
	if (link->accepted)
		peer_free(link->accepted);
	link->accepted = peer;
	fail_requests(link, "another one has taken its place");
}

static void greet(struct peer *peer, const struct rpc_message *message)
{
	json_int_t protocol = json_get_integer(message->params, "protocol", 0);
	json_int_t workers = json_get_integer(message->params, "workers", 0);
	struct err err = ERR_INIT;

	if (protocol != DASK_LINK_PROTOCOL)
		err_set(&err, -EPROTO, "dracod speaks protocol %d, not %d", DASK_LINK_PROTOCOL,
			(int)protocol);
	else if (workers < 0 || workers > WORKERS_MAX)
		err_set(&err, -ERANGE, "dracod serves at most %d workers, not %" PRId64,
			WORKERS_MAX, (int64_t)workers);
	if (err.code) {
		refuse(peer, message->id, &err);
		return;
	}
	forget_hello(peer); /* of an earlier hello */
	peer->hello_id = json_incref(message->id);
	peer->hello = json_incref(message->params);
	peer->workers_left = (size_t)workers;
	json_object_set_new(peer->hello, DASK_LINK_PEER, json_integer(peer->pid));
	json_object_set_new(peer->hello, "workers", json_array());
	if (workers == 0)
		judge(peer);
}

/* The next workers of a hello. */
static void take_workers(struct peer *peer, json_t *workers)
{
	size_t count = json_array_size(workers), i;
	json_t *worker;

	if (!peer->hello || count > peer->workers_left) {
		log_warning("scheduler: draco's plugin reported workers of another cluster");
		return;
	}
	json_array_foreach (workers, i, worker)
		if (is_worker(worker))
			json_array_append(json_object_get(peer->hello, "workers"), worker);
	peer->workers_left -= count;
	if (peer->workers_left == 0)
		judge(peer);
}

static void notified(struct dask_link *link, const char *method, const json_t *params)
{
	const char *address = json_get_text(params, "address", NULL);

	if (strcmp(method, "worker_added") == 0) {
		if (is_worker(params))
			link->ops->worker_added(link->arg, json_get_text(params, "name", ""),
				address, json_get_integer(params, "threads", 0));
	} else if (strcmp(method, "worker_removed") == 0 && address)
		link->ops->worker_removed(link->arg, address,
			json_get_boolean(params, "asked", 0), json_object_get(params, "death"));
	else if (strcmp(method, "load") == 0)
		link->ops->load(link->arg, params);
	else if (strcmp(method, "workers") == 0)
		link->ops->workers(link->arg, json_object_get(params, "workers"));
	else
		log_debug("scheduler: unknown notification %s", method);
}

static void take_terminate(struct peer *peer, const json_t *id)
{
	struct err err = ERR_INIT;

	if (peer->owner->ops->terminate(peer->owner->arg, &err) < 0)
		stream_send_take(
			peer->stream, rpc_format_error(id, RPC_FAILED, err.text, NULL));
	else
		stream_send_take(peer->stream, rpc_format_result(id, json_object()));
}

static void on_line(void *owner, char *line, size_t length)
{
	struct peer *peer = owner;
	struct rpc_message message;
	struct err err = ERR_INIT;

	if (rpc_parse(line, length, &message, &err) < 0)
		log_warning("scheduler: draco's plugin sent %s", err.text);
	else if (message.kind == RPC_REQUEST && strcmp(message.method, "hello") == 0)
		greet(peer, &message);
	else if (message.kind == RPC_REQUEST && strcmp(message.method, "terminate") == 0 &&
		peer->owner->accepted == peer)
		take_terminate(peer, message.id);
	else if (message.kind == RPC_NOTIFICATION &&
		strcmp(message.method, "workers_there") == 0)
		take_workers(peer, json_object_get(message.params, "workers"));
	else if (message.kind == RPC_NOTIFICATION && peer->owner->accepted == peer)
		notified(peer->owner, message.method, message.params);
	else if ((message.kind == RPC_RESULT || message.kind == RPC_ERROR) &&
		peer->owner->accepted == peer)
		take_answer(peer->owner, &message);
	rpc_message_finish(&message);
}

static void on_connect(void *arg, int fd, pid_t pid)
{
	static const struct stream_ops ops = {on_line, on_closed};
	struct dask_link *link = arg;
	struct peer *peer;

	if (link->count >= PEERS_MAX) /* make room: drop the oldest that is not accepted */
		TAILQ_FOREACH (peer, &link->peers, link)
			if (peer != link->accepted) {
				peer_free(peer);
				break;
			}
	peer = xcalloc(1, sizeof(*peer));
	peer->owner = link;
	peer->pid = pid;
	peer->stream = stream_create(link->loop, fd, &ops, peer);
	TAILQ_INSERT_TAIL(&link->peers, peer, link);
	link->count++;
}

struct dask_link *dask_link_create(struct loop *loop, const char *path,
	const struct dask_link_ops *ops, void *arg, struct err *err)
{
	struct dask_link *link = xcalloc(1, sizeof(*link));

	link->loop = loop;
	link->ops = ops;
	link->arg = arg;
	TAILQ_INIT(&link->peers);
	TAILQ_INIT(&link->requests);
	link->listener = listener_create(loop, path, on_connect, link, err);
	if (!link->listener)
		return dask_link_destroy(link);
	return link;
}

bool dask_link_is_there(const struct dask_link *link)
{
	return listener_is_there(link->listener);
}

int dask_link_move(struct dask_link *link, const char *path, struct err *err)
{
	return listener_move(link->listener, path, err);
}

struct dask_link *dask_link_destroy(struct dask_link *link)
{
	if (!link)
		return NULL;
	listener_destroy(link->listener);
	while (!TAILQ_EMPTY(&link->requests))
		request_free(TAILQ_FIRST(&link->requests));
	while (!TAILQ_EMPTY(&link->peers))
		peer_free(TAILQ_FIRST(&link->peers));
	free(link);
	return NULL;
}

int dask_link_request(struct dask_link *link, const char *method, json_t *params,
	int64_t deadline_ms, dask_link_reply_fn done, void *arg)
{
	struct request *request;

	if (!link->accepted || link->request_count >= REQUESTS_MAX) {
		json_decref(params);
		return link->accepted ? -EBUSY : -ENOTCONN;
	}
	request = xcalloc(1, sizeof(*request));
	request->owner = link;
	request->id = ++link->last_id;
	request->method = xstrdup(method);
	request->done = done;
	request->arg = arg;
	request->deadline = loop_timer_create(link->loop, on_deadline, request);
	TAILQ_INSERT_TAIL(&link->requests, request, link);
	link->request_count++;
	loop_timer_start(request->deadline, deadline_ms);
	stream_send_take(
		link->accepted->stream, rpc_format_request(request->id, method, params));
	return 0;
}
