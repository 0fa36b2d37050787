/* adopted.c: what must hold of a cluster of four workers once the next dracod has adopted it. */
#include "adopted.h"

#include <unistd.h>

#include "common/cleanup.h"
#include "world.h"

bool adopted_has_record(void)
{
	_cleanup_free_ char *path = state_path("cluster.json");

	return access(path, F_OK) == 0;
}

void check_adopted_jobs(void)
{
	await(cluster_is("running") && jobs_of_phase("ready") == 2);
	check(jobs_submitted() == 2);
	check(jobs_in(STATE_RUNNING) == 2);
	check(workers() == 4);
	check(process_count("dask_scheduler") == 1);
	holds_for(600, jobs_of_phase("ready") == 2 && jobs_submitted() == 2);
	ask(me(), "stop", NULL);
	await(jobs_in(STATE_RUNNING) == 0 && !dask_is_up());
	check(!adopted_has_record());
}
