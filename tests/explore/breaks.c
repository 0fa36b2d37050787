/* breaks.c: takes rules away from dracod. The linker puts these functions in place of the real ones
 * (explore_wraps in Makefile.am); the names with __wrap_ are the linker's. */
#include "breaks.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "daemon/cluster/giveback.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/record.h"
#include "daemon/cluster/submission.h"
#include "daemon/slurm/leftover.h"

const struct explore_break *break_now;

const struct explore_break breaks[] = {
	{"recognise", "a submission whose answer was lost is not looked up", "submit", 3},
	{"settle", "a submission in doubt is given up at the first look", "submit", 3},
	{"record", "the record is written only when something else is, too", "submit", 3},
	{"leftover", "after a crash it is forgotten which clusters had jobs", "stop", 3},
	{"drain", "a job is ended without asking the scheduler", "shrink", 4},
	{NULL, NULL, NULL, 0},
};

static bool is(const char *name)
{
	return break_now && strcmp(break_now->name, name) == 0;
}

const struct explore_break *break_find(const char *name)
{
	for (const struct explore_break *item = breaks; item->name; item++)
		if (strcmp(item->name, name) == 0)
			return item;
	return NULL;
}

bool __wrap_submissions_recognise(
	struct submissions *submissions, const struct slurm_job *report);
bool __real_submissions_recognise(
	struct submissions *submissions, const struct slurm_job *report);
void __wrap_submissions_queue_read(struct submissions *submissions, int64_t asked_ms);
void __real_submissions_queue_read(struct submissions *submissions, int64_t asked_ms);
void __wrap_record_save(struct cluster *cluster);
void __real_record_save(struct cluster *cluster);
void __wrap_leftover_remember(struct leftover *leftover, const char *cluster_id);
void __real_leftover_remember(struct leftover *leftover, const char *cluster_id);
void __wrap_cluster_giveback(struct cluster *cluster, struct job *job, enum fleet_action action,
	bool forced, const char *why);
void __real_cluster_giveback(struct cluster *cluster, struct job *job, enum fleet_action action,
	bool forced, const char *why);

bool __wrap_submissions_recognise(
	struct submissions *submissions, const struct slurm_job *report)
{
	return !is("recognise") && __real_submissions_recognise(submissions, report);
}

void __wrap_submissions_queue_read(struct submissions *submissions, int64_t asked_ms)
{
	__real_submissions_queue_read(submissions, asked_ms);
	if (is("settle"))
		__real_submissions_queue_read(submissions, asked_ms + 10000);
}

void __wrap_record_save(struct cluster *cluster)
{
	if (!is("record"))
		__real_record_save(cluster);
}

void __wrap_leftover_remember(struct leftover *leftover, const char *cluster_id)
{
	if (!is("leftover"))
		__real_leftover_remember(leftover, cluster_id);
}

void __wrap_cluster_giveback(struct cluster *cluster, struct job *job, enum fleet_action action,
	bool forced, const char *why)
{
	if (is("drain") && action == FLEET_DRAIN)
		action = FLEET_END;
	__real_cluster_giveback(cluster, job, action, forced, why);
}
