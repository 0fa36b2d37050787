/* dask_link.c: the connection from the Dask scheduler's preload (draco_scheduler.py).
 *
 * Any program of this user may connect; only one that says hello and is accepted by the owner counts,
 * and a later one replaces an earlier one. */
#include "daemon/dask_link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "common/queue.h"
#include "common/rpc.h"
#include "daemon/listener.h"
#include "daemon/loop.h"
#include "daemon/stream.h"

#define PEERS_MAX 16

struct peer {
	TAILQ_ENTRY(peer) link; /* dask_link.peers */
	struct dask_link *owner;
	struct stream *stream;
};

struct dask_link {
	struct loop *loop;
	struct listener *listener;
	TAILQ_HEAD(, peer) peers;
	int count;
	struct peer *accepted;
	const struct dask_link_ops *ops;
	void *arg;
};

static void peer_free(struct peer *peer)
{
	TAILQ_REMOVE(&peer->owner->peers, peer, link);
	peer->owner->count--;
	stream_destroy(peer->stream);
	free(peer);
}

static void on_closed(void *owner, const char *why)
{
	struct peer *peer = owner;
	struct dask_link *link = peer->owner;
	bool accepted = link->accepted == peer;

	if (accepted)
		link->accepted = NULL;
	peer_free(peer);
	if (accepted)
		link->ops->lost(link->arg, why);
}

static void greet(struct peer *peer, const struct rpc_message *message)
{
	struct dask_link *link = peer->owner;
	json_int_t protocol = json_get_integer(message->params, "protocol", 0);
	struct err err = ERR_INIT;
	int r;

	if (protocol != DASK_LINK_PROTOCOL)
		r = err_set(&err, -EPROTO, "protocol %d is spoken here, not %d",
			DASK_LINK_PROTOCOL, (int)protocol);
	else
		r = link->ops->hello(link->arg, message->params, &err);
	if (r < 0) {
		log_warning("scheduler: refused a preload: %s", err.text);
		stream_send_take(peer->stream,
			rpc_format_error(message->id, RPC_FAILED, err.text, NULL));
		return;
	}
	if (link->accepted && link->accepted != peer)
		peer_free(link->accepted);
	link->accepted = peer;
	stream_send_take(peer->stream,
		rpc_format_result(
			message->id, json_pack("{s:i}", "protocol", DASK_LINK_PROTOCOL)));
}

static void notified(struct dask_link *link, const char *method, const json_t *params)
{
	const char *name = json_get_text(params, "name", NULL);
	const char *address = json_get_text(params, "address", NULL);

	if (strcmp(method, "worker_added") == 0 && name && address)
		link->ops->worker_added(
			link->arg, name, address, json_get_text(params, "host", NULL));
	else if (strcmp(method, "worker_removed") == 0 && address)
		link->ops->worker_removed(link->arg, address);
	else if (strcmp(method, "load") == 0)
		link->ops->load(link->arg, params);
	else
		log_debug("scheduler: unknown notification %s", method);
}

static void on_line(void *owner, char *line, size_t length)
{
	struct peer *peer = owner;
	struct rpc_message message;
	struct err err = ERR_INIT;

	if (rpc_parse(line, length, &message, &err) < 0)
		log_warning("scheduler: its preload sent %s", err.text);
	else if (message.kind == RPC_REQUEST && strcmp(message.method, "hello") == 0)
		greet(peer, &message);
	else if (message.kind == RPC_NOTIFICATION && peer->owner->accepted == peer)
		notified(peer->owner, message.method, message.params);
	rpc_message_finish(&message);
}

static void on_connect(void *arg, int fd, pid_t pid)
{
	static const struct stream_ops ops = {on_line, on_closed};
	struct dask_link *link = arg;
	struct peer *peer;

	(void)pid;
	if (link->count >= PEERS_MAX) /* make room: the oldest that is not the accepted one */
		TAILQ_FOREACH (peer, &link->peers, link)
			if (peer != link->accepted) {
				peer_free(peer);
				break;
			}
	peer = xcalloc(1, sizeof(*peer));
	peer->owner = link;
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
	link->listener = listener_create(loop, path, on_connect, link, err);
	if (!link->listener)
		return dask_link_destroy(link);
	return link;
}

struct dask_link *dask_link_destroy(struct dask_link *link)
{
	if (!link)
		return NULL;
	listener_destroy(link->listener);
	while (!TAILQ_EMPTY(&link->peers))
		peer_free(TAILQ_FIRST(&link->peers));
	free(link);
	return NULL;
}
