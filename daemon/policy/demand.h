/* demand.h: what the Dask scheduler has to do, as its preload reports it. Pure. */
#ifndef DRACO_DAEMON_POLICY_DEMAND_H
#define DRACO_DAEMON_POLICY_DEMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define DEMAND_NAME_MAX 96

struct demand {
	bool known;	      /* a scheduler is connected and has reported; else all is 0 */
	int64_t tasks;	      /* that the scheduler knows, in any state */
	int64_t ready;	      /* could run at once, had they a thread */
	int64_t running;      /* have a thread */
	int64_t long_running; /* have left their thread, and still run */
	int64_t unrunnable;   /* need a resource or a worker that no job offers; not in ready */
	int64_t unknown;      /* of ready and running: nobody knows yet how long they take */
	double occupancy_s;   /* thread time that the others of ready and running need */
	double longest_s;     /* the longest expected task of ready and running */
	char longest[DEMAND_NAME_MAX]; /* the name of such tasks */
	int64_t memory;		       /* bytes of results that the workers hold */
	int64_t clients;	       /* programs that are connected; not tasks */
};

/* From the parameters of a "load" notification; what is missing or no number counts as 0. NULL: a
 * demand that is not known. */
void demand_parse(const json_t *load, struct demand *ret);

/* How many clients the parameters of a "load" notification (may be NULL) name besides own, an
 * array of ids. */
int64_t demand_other_clients(const json_t *load, const json_t *own);

/* Is there anything to compute, now or soon? */
bool demand_has_work(const struct demand *demand);

#endif
