/* python.h: finds the Python for the scheduler and the workers. */
#ifndef DRACO_DAEMON_DASK_PYTHON_H
#define DRACO_DAEMON_DASK_PYTHON_H

struct children;
struct err;
struct loop;
struct python_search;
struct strv;

struct python {
	/* A command for argv_split(): the user's, or the absolute path of the interpreter itself
	 * (not of a shim). */
	const char *command;
	const char *version;	 /* "3.11.2" */
	const char *distributed; /* "2022.12.1" */
};

/* found is NULL if no candidate is usable; err then lists the reasons. Both are borrowed. */
typedef void (*python_found_fn)(void *arg, const struct python *found, const struct err *err);

/* Search for a Python with distributed, without importing distributed. wanted is a path, a name in
 * the PATH of environment, or a command of several words. With NULL every python3 in that PATH is
 * tried, and the first one with distributed wins. fn is called once, from the loop. */
struct python_search *python_search_start(struct loop *loop, struct children *children,
	const char *wanted, const struct strv *environment, python_found_fn fn, void *arg);

/* Only before fn was called. Returns NULL. */
struct python_search *python_search_cancel(struct python_search *search);

/* Is a version of distributed ("2022.12.1+ds.1") recent enough for the preload? -EINVAL with err:
 * it is too old, or not readable. Pure. */
int python_check_distributed(const char *version, struct err *err);

#endif
