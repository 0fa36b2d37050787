/* demand.h: the work of the Dask scheduler, from its preload's report. Pure. */
#ifndef DRACO_DAEMON_POLICY_DEMAND_H
#define DRACO_DAEMON_POLICY_DEMAND_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define DEMAND_NAME_MAX 96

struct demand {
	bool known;	      /* a connected scheduler has reported; otherwise all is 0 */
	int64_t tasks;	      /* tasks that the scheduler knows, in any state */
	int64_t ready;	      /* tasks that could run at once if they had a thread */
	int64_t running;      /* tasks that have a thread */
	int64_t long_running; /* tasks that run after they have left their thread (secede) */
	/* Tasks that need a resource or worker that no job has; not in ready. */
	int64_t unrunnable;
	int64_t unknown;	       /* of ready and running: tasks of unknown duration */
	double occupancy_s;	       /* thread time of the others of ready and running */
	double longest_s;	       /* the longest expected duration in ready and running */
	char longest[DEMAND_NAME_MAX]; /* the name of those longest tasks */
	int64_t memory;		       /* bytes of results on the workers */
	int64_t paused;		       /* workers that paused because their memory is full */
	int64_t pause_percent; /* percent of its memory above which a worker pauses; 0: not known */
	int64_t clients;       /* connected clients */
	int64_t waited_for; /* workers that somebody waits for, perhaps without tasks */
};

/* Read the parameters of a "load" notification. A missing member, or one that is no number, counts
 * as 0. load NULL: the demand is unknown. */
void demand_parse(const json_t *load, struct demand *ret);

/* The number of clients in the parameters of a "load" notification (may be NULL) that are not in
 * own, an array of ids. */
int64_t demand_other_clients(const json_t *load, const json_t *own);

/* Is there a task to compute, now or soon, or does somebody wait for workers? */
bool demand_has_work(const struct demand *demand);

#endif
