/* holder.h: judges from the lock and daemon.json whether the dracod of a state directory lives. */
#ifndef DRACO_COMMON_HOLDER_H
#define DRACO_COMMON_HOLDER_H

#include <jansson.h>
#include <stdbool.h>

#include "common/lock_scope.h"

struct host;

enum holder_lock {
	HOLDER_LOCK_FREE,
	HOLDER_LOCK_HELD,
	HOLDER_LOCK_SILENT, /* it cannot be asked, for example because there are no locks */
};

enum holder_state {
	HOLDER_NONE,	/* there is no dracod, and none has left anything */
	HOLDER_ENDED,	/* the dracod of daemon.json has ended without cleaning up */
	HOLDER_ALIVE,	/* it lives */
	HOLDER_UNKNOWN, /* it is on another host, and this host cannot tell whether it lives */
};

struct holder {
	enum holder_state state;
	bool here;			       /* it is or was on this host, or there is none */
	char file_system[LOCK_SCOPE_TYPE_MAX]; /* the type, for the state directory */
};

/* Judge the facts. daemon is the content of daemon.json; NULL: no file. scope is that of the lock
 * on this host. Pure, except that it checks whether a process of this host runs. */
enum holder_state holder_judge(const json_t *daemon, const struct host *here,
	enum holder_lock lock, enum lock_scope scope);

/* Ask for the lock, without taking it, and judge. */
void holder_look(const char *lock_file, const json_t *daemon, struct holder *ret);

/* Does daemon name this host? */
bool holder_is_here(const json_t *daemon, const struct host *here);

/* Was daemon.json marked by "dracoctl takeover" on some host? Then there is no dracod. */
bool holder_is_taken_over(const json_t *daemon);

/* For a person: "dracod ran on host c1 (process 123) and ended without cleaning up". The caller
 * frees. */
char *holder_ended_text(const json_t *daemon);

#endif
