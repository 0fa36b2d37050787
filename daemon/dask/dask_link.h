/* dask_link.h: the connection from the Dask scheduler's preload (draco_scheduler.py). */
#ifndef DRACO_DAEMON_DASK_DASK_LINK_H
#define DRACO_DAEMON_DASK_DASK_LINK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct dask_link;
struct err;
struct loop;

struct dask_link_ops {
	/* A preload has said hello and told all connected workers, which are in hello as "workers".
	 * DASK_LINK_PEER is its pid, from the kernel. 0 accepts the preload. Otherwise err tells it
	 * the reason, and its scheduler closes. hello is borrowed. */
	int (*hello)(void *arg, const json_t *hello, struct err *err);
	/* threads: 0 if an older preload does not tell them. */
	void (*worker_added)(void *arg, const char *name, const char *address, int64_t threads);
	/* asked: it left or restarted on request, so it did not die. */
	/* asked: it was to leave. death: what it did, an object; NULL: not known. */
	void (*worker_removed)(void *arg, const char *address, bool asked, const json_t *death);
	void (*load)(void *arg, const json_t *load);
	/* The load of some workers has changed: [[address, tasks, bytes], ...]. */
	void (*workers)(void *arg, const json_t *workers);
	/* Client.shutdown() asks to end the cluster. 0: the end begins. Otherwise err tells the
	 * client why not. */
	int (*terminate)(void *arg, struct err *err);
	/* The accepted preload is gone. */
	void (*lost)(void *arg, const char *why);
};

#define DASK_LINK_PROTOCOL 4
#define DASK_LINK_PEER	   "peer"

/* Listen at path. NULL with err. */
struct dask_link *dask_link_create(struct loop *loop, const char *path,
	const struct dask_link_ops *ops, void *arg, struct err *err);

/* Does the socket still exist? And: listen at path instead; see listener_move(). */
bool dask_link_is_there(const struct dask_link *link);
int dask_link_move(struct dask_link *link, const char *path, struct err *err)
	__attribute__((warn_unused_result));

/* Requests under way are never answered. Returns NULL. */
struct dask_link *dask_link_destroy(struct dask_link *link);

/* The answer to a request: result, or NULL with err. The codes are -ECONNRESET (the connection was
 * lost), -ETIMEDOUT (the deadline has passed) and -EIO (the preload has refused). All are
 * borrowed. */
typedef void (*dask_link_reply_fn)(void *arg, const json_t *result, const struct err *err);

/* Send a request to the preload, and take params over. done is called exactly once, later, from the
 * loop. -ENOTCONN: no preload is connected. -EBUSY: too many requests are under way. Then done is
 * not called. */
int dask_link_request(struct dask_link *link, const char *method, json_t *params,
	int64_t deadline_ms, dask_link_reply_fn done, void *arg)
	__attribute__((warn_unused_result));

#endif
