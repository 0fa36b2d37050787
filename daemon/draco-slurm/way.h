/* way.h: the two ways to talk to Slurm: libslurm, and Slurm's commands.
 *
 * Both read the same facts, so that requests are answered alike. libslurm is in a module of its own
 * (libslurm.c), which is loaded if it can be: this program runs without libslurm, too. */
#ifndef DRACO_DAEMON_DRACO_SLURM_WAY_H
#define DRACO_DAEMON_DRACO_SLURM_WAY_H

#include <stdbool.h>

#include "common/slurm_facts.h"
#include "common/slurm_msg.h"
#include "common/squeue_output.h"

struct err;

/* One way. Each function returns OUTCOME_DONE, or another outcome with err; err->code is
 * -EPROTONOSUPPORT if slurmctld is of a version that does not understand this way. What is filled
 * must be finished in all cases. */
struct way {
	enum slurm_outcome (*conf)(struct slurm_conf_facts *ret, struct err *err);
	/* Does this controller of the configuration answer? */
	bool (*ping)(const struct slurm_conf_facts *conf, size_t controller);
	/* The jobs of this user, by one RPC whatever their number. each() returns 0 or a negative
	 * errno, which ends the reading with OUTCOME_UNREACHABLE. */
	enum slurm_outcome (*jobs)(squeue_job_fn *each, void *arg, struct err *err);
	/* name: of a single node; NULL: all. */
	enum slurm_outcome (*nodes)(const char *name, struct slurm_nodes *ret, struct err *err);
	/* nodes: all of them, whose indices ret gets; NULL: without indices. */
	enum slurm_outcome (*partitions)(
		const struct slurm_nodes *nodes, struct slurm_partitions *ret, struct err *err);
	enum slurm_outcome (*reservations)(struct slurm_reservations *ret, struct err *err);
	/* ids: from job_ids_group(). A job that has ended is no error. */
	enum slurm_outcome (*cancel)(
		const struct strv *ids, enum slurm_cancel_how how, struct err *err);
	/* Change pending jobs, of one group of ids. NULL: not changed; reservation "" removes it,
	 * and is only looked at with a partition. A job that runs or has ended is no error. */
	enum slurm_outcome (*update)(const char *ids, const char *partition,
		const char *reservation, const char *exclude, struct err *err);
};

extern const struct way way_commands; /* commands.c */

/* What the module exports as "draco_way_libslurm" (libslurm.c). */
#define WAY_MODULE	  "draco-libslurm.so"
#define WAY_MODULE_SYMBOL "draco_way_libslurm"

struct way_module {
	const char *draco;	   /* the version of draco, which must be this program's */
	const char *built;	   /* the version of Slurm that it was built with: "22.05.8" */
	const char *(*path)(void); /* the file of the libslurm that was loaded */
	void (*begin)(void);	   /* read slurm.conf; ends the process if that fails */
	struct way way;
};

/* Choose the way by the variable DRACO_SLURM_INTERFACE: "auto", "libslurm" or "commands". -ENOTSUP
 * with err: libslurm is wanted and cannot be used. Asks slurmctld nothing. */
int way_choose(struct err *err) __attribute__((warn_unused_result));

/* The argument with which this program only tries to begin with libslurm. */
#define WAY_TRIAL "try-libslurm"

/* Begin with libslurm, and end the process: with status 0 if that succeeded. */
void way_try(void) __attribute__((noreturn));

/* The chosen way. */
const struct way *way(void);

/* For hello and the notice of a change: {interface, why, version, built, libslurm, broken}. broken:
 * the libslurm that fits does not start. The caller owns it. */
json_t *way_describe(void);

/* Read the configuration of slurmctld. If the chosen libslurm is of another major release, the
 * commands take its place, unless it was asked for. */
enum slurm_outcome way_conf(struct slurm_conf_facts *ret, struct err *err);

/* The request has failed with err: does the other way take over, so that it can be tried again? */
bool way_takes_over(const struct err *err);

/* Has the way changed since the last call? */
bool way_has_changed(void);

#endif
