/* holder.h: does the dracod live to which a state directory belongs? Its lock and daemon.json
 * tell. */
#ifndef DRACO_COMMON_HOLDER_H
#define DRACO_COMMON_HOLDER_H

#include <jansson.h>
#include <stdbool.h>

#include "common/lock_scope.h"

struct host;

enum holder_lock {
	HOLDER_LOCK_FREE,
	HOLDER_LOCK_HELD,
	HOLDER_LOCK_SILENT, /* it cannot be asked, as where there are no locks */
};

enum holder_state {
	HOLDER_NONE,	/* there is none, and none has left anything */
	HOLDER_ENDED,	/* the one of daemon.json has ended without cleaning up */
	HOLDER_ALIVE,	/* it lives */
	HOLDER_UNKNOWN, /* it is on another host, and nothing here proves whether it lives */
};

struct holder {
	enum holder_state state;
	bool here; /* it is, or was, on this host; or there is none */
	char file_system[LOCK_SCOPE_TYPE_MAX]; /* of the state directory */
};

/* Judge what was found. daemon is what daemon.json says, NULL without one; scope is that of the
 * lock as this host has it. Pure, but for looking whether a process of this host runs. */
enum holder_state holder_judge(const json_t *daemon, const struct host *here,
	enum holder_lock lock, enum lock_scope scope);

/* Ask the lock, without touching it, and judge. */
void holder_look(const char *lock_file, const json_t *daemon, struct holder *ret);

/* Is daemon the one of this host, as far as it says? */
bool holder_is_here(const json_t *daemon, const struct host *here);

/* Has daemon.json been marked as taken over by a host ("dracoctl takeover"), so that there is
 * no dracod? */
bool holder_is_taken_over(const json_t *daemon);

/* "dracod ran on host c1 (process 123) and ended without cleaning up"; the caller frees. */
char *holder_ended_text(const json_t *daemon);

#endif
