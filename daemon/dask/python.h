/* python.h: the Python that scheduler and workers run in. */
#ifndef DRACO_DAEMON_DASK_PYTHON_H
#define DRACO_DAEMON_DASK_PYTHON_H

struct children;
struct err;
struct loop;
struct python_search;
struct strv;

struct python {
	/* As argv_split() reads it: what the user named, else the absolute path of the
	 * interpreter itself, not of a shim. */
	const char *command;
	const char *version;	 /* "3.11.2" */
	const char *distributed; /* "2022.12.1" */
};

/* found is NULL when none will do; err then says what was tried. Both borrowed. */
typedef void (*python_found_fn)(void *arg, const struct python *found, const struct err *err);

/* Look, without importing it, for distributed: in wanted (a path, a name in the PATH of
 * environment, or a command of several words), or, when that is NULL, in each python3 of that
 * PATH, taking the first that has it. fn is called once, from the loop. */
struct python_search *python_search_start(struct loop *loop, struct children *children,
	const char *wanted, const struct strv *environment, python_found_fn fn, void *arg);

/* Not after fn was called. Returns NULL. */
struct python_search *python_search_cancel(struct python_search *search);

/* -EINVAL, with what is needed in err, when a version of distributed ("2022.12.1+ds.1") is too old
 * for the preload, or cannot be read. Pure. */
int python_check_distributed(const char *version, struct err *err);

#endif
