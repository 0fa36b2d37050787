/* dask_link.h: the connection from the Dask scheduler's preload (draco_scheduler.py). */
#ifndef DRACO_DAEMON_DASK_LINK_H
#define DRACO_DAEMON_DASK_LINK_H

#include <jansson.h>
#include <stdint.h>

struct dask_link;
struct err;
struct loop;

struct dask_link_ops {
	/* A preload said hello. 0 accepts it; otherwise err tells it why not, and its scheduler
	 * closes. hello is borrowed. */
	int (*hello)(void *arg, const json_t *hello, struct err *err);
	void (*worker_added)(
		void *arg, const char *name, const char *address, const char *host);
	void (*worker_removed)(void *arg, const char *address);
	void (*load)(void *arg, const json_t *load);
	/* The accepted preload is gone. */
	void (*lost)(void *arg, const char *why);
};

#define DASK_LINK_PROTOCOL 1

/* Listen at path. NULL with err. */
struct dask_link *dask_link_create(struct loop *loop, const char *path,
	const struct dask_link_ops *ops, void *arg, struct err *err);
struct dask_link *dask_link_destroy(struct dask_link *link);

#endif
