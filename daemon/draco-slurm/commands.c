/* commands.c: the way to Slurm by its commands, as users have them everywhere.
 *
 * What they print is read by common/squeue_output.c and common/slurm_output.c. Each request of
 * dracod runs one command, or few. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/slurm_output.h"
#include "daemon/draco-slurm/command.h"
#include "daemon/draco-slurm/way.h"

/* Shorter than dracod's own deadlines. */
#define READ_DEADLINE_MS   18000
#define CHANGE_DEADLINE_MS 13000

#define ENDED_MAX 1000 /* groups of ids */

/* Run scontrol with these arguments, which NULL ends, and read its output. */
static enum slurm_outcome show(
	const char *what, const char *const *words, char **ret_out, struct err *err)
{
	struct strv arguments = STRV_INIT;
	struct command command = {.name = "scontrol",
		.arguments = &arguments,
		.what = what,
		.deadline_ms = READ_DEADLINE_MS};
	enum slurm_outcome outcome;

	for (; *words; words++)
		strv_add(&arguments, *words);
	outcome = command_run(&command, ret_out, err);
	strv_finish(&arguments);
	return outcome;
}

/* Output that cannot be read is no answer. */
static enum slurm_outcome outcome_of(int r)
{
	return r < 0 ? OUTCOME_UNREACHABLE : OUTCOME_DONE;
}

static enum slurm_outcome read_conf(struct slurm_conf_facts *ret, struct err *err)
{
	static const char *const words[] = {"show", "config", NULL};
	_cleanup_free_ char *out = NULL;
	enum slurm_outcome outcome = show("cannot reach slurmctld", words, &out, err);

	*ret = (struct slurm_conf_facts){0};
	if (outcome == OUTCOME_DONE)
		outcome = outcome_of(slurm_output_conf(out, ret, err));
	return outcome;
}

static bool ping(const struct slurm_conf_facts *conf, size_t controller)
{
	return strv_has(&conf->up, conf->hosts.item[controller]);
}

/* The jobs that were ended in this process's life, as squeue may hide how they end: groups of ids
 * for each enum slurm_cancel_how, the oldest first. */
static struct strv ended[CANCEL_COUNT];

static void remember(const struct strv *ids, enum slurm_cancel_how how)
{
	while (ended[how].count + ids->count > ENDED_MAX && ended[how].count > 0)
		strv_remove(&ended[how], ended[how].item[0]);
	for (size_t i = 0; i < ids->count && i < ENDED_MAX; i++)
		strv_add(&ended[how], ids->item[i]);
}

/* Is the job one of a group such as "42" or "42_[0,3]"? A group without tasks names all of them. */
static bool is_in(const char *group, const struct slurm_job *job)
{
	char *end;
	bool is_id = strtoul(group, &end, 10) == job->job_id;

	if (!is_id || !*end)
		return is_id;
	end += strspn(end, "_[");
	do
		if (strtoll(end, &end, 10) == job->task)
			return true;
	while (*end++ == ',');
	return false;
}

static int how_ended(const struct slurm_job *job)
{
	for (int how = CANCEL_COUNT - 1; how >= 0; how--)
		for (size_t i = 0; i < ended[how].count; i++)
			if (is_in(ended[how].item[i], job))
				return how;
	return -1;
}

static enum slurm_outcome read_jobs(squeue_job_fn *each, void *arg, struct err *err)
{
	struct strv arguments = STRV_INIT;
	struct command command = {.name = "squeue",
		.arguments = &arguments,
		.what = "cannot read the queue",
		.deadline_ms = READ_DEADLINE_MS};
	_cleanup_free_ char *out = NULL;
	enum slurm_outcome outcome;

	strv_add(&arguments, "--noheader");
	strv_add(&arguments, "--all");
	/* One line for each task: else those that wait are merged, and their reasons, too. */
	strv_add(&arguments, "--array");
	strv_add(&arguments, "--local");
	strv_add(&arguments, "--states=all");
	strv_addf(&arguments, "--user=%" PRIuMAX, (uintmax_t)getuid());
	strv_addf(&arguments, "--Format=%s", squeue_format);
	outcome = command_run(&command, &out, err);
	strv_finish(&arguments);
	if (outcome == OUTCOME_DONE)
		outcome = outcome_of(squeue_output_read(out, how_ended, each, arg, err));
	return outcome;
}

static enum slurm_outcome read_nodes(const char *name, struct slurm_nodes *ret, struct err *err)
{
	const char *const words[] = {"--oneliner", "--all", "show", "node", name, NULL};
	_cleanup_free_ char *out = NULL;
	enum slurm_outcome outcome = show("cannot read the nodes", words, &out, err);

	*ret = (struct slurm_nodes){0};
	if (outcome == OUTCOME_DONE)
		outcome = outcome_of(slurm_output_nodes(out, ret, err));
	return outcome;
}

static enum slurm_outcome read_partitions(
	const struct slurm_nodes *nodes, struct slurm_partitions *ret, struct err *err)
{
	static const char *const words[] = {"--oneliner", "--all", "show", "partition", NULL};
	_cleanup_free_ char *out = NULL;
	enum slurm_outcome outcome = show("cannot read the partitions", words, &out, err);

	*ret = (struct slurm_partitions){0};
	if (outcome == OUTCOME_DONE)
		outcome = outcome_of(slurm_output_partitions(out, nodes, ret, err));
	return outcome;
}

static enum slurm_outcome read_reservations(struct slurm_reservations *ret, struct err *err)
{
	static const char *const words[] = {"--oneliner", "show", "reservation", NULL};
	_cleanup_free_ char *out = NULL;
	enum slurm_outcome outcome = show("cannot read the reservations", words, &out, err);

	*ret = (struct slurm_reservations){0};
	if (outcome == OUTCOME_DONE)
		outcome = outcome_of(slurm_output_reservations(out, ret, err));
	return outcome;
}

/* Texts of Slurm for jobs that have ended, or cannot be signalled because they do not run. */
static const char *const over[] = {
	"Job/step already completing or completed",
	"Job/step already completed",
	"Invalid job id specified",
	"Job is pending execution",
	"Job can not be altered now, try again later",
	"Job is not running",
	"Job/step is not running",
	"No active jobs match",
	NULL,
};

/* Texts for jobs that run or have ended, so that they need no other place. */
static const char *const settled[] = {
	"Job is no longer pending execution",
	"Job/step already completing or completed",
	"Invalid job id specified",
	"Job has already finished",
	"No error", /* of the tasks of an array that were updated beside one that was not */
	NULL,
};

static enum slurm_outcome cancel(
	const struct strv *ids, enum slurm_cancel_how how, struct err *err)
{
	_cleanup_free_ char *list = strv_join(ids, ", ");
	_cleanup_free_ char *what = xasprintf("cannot end job %s", list);
	_cleanup_free_ char *out = NULL;
	struct strv arguments = STRV_INIT;
	struct command command = {.name = "scancel",
		.arguments = &arguments,
		.what = what,
		.deadline_ms = CHANGE_DEADLINE_MS,
		.changes = true,
		.forgiven = over};
	enum slurm_outcome outcome;

	if (ids->count == 0)
		return OUTCOME_DONE;
	if (how == CANCEL_TERMINATE) {
		strv_add(&arguments, "--signal=TERM");
		strv_add(&arguments, "--batch");
	} else if (how == CANCEL_KILL) {
		/* Without --signal, which makes scancel up to 23.11 signal a whole array's
		 * pending tasks in place of one of them. */
		strv_add(&arguments, "--full");
	}
	for (size_t i = 0; i < ids->count; i++)
		strv_add(&arguments, ids->item[i]);
	remember(ids, how);
	outcome = command_run(&command, &out, err);
	strv_finish(&arguments);
	return outcome;
}

static enum slurm_outcome update(const char *ids, const char *partition,
	const char *reservation, const char *exclude, struct err *err)
{
	_cleanup_free_ char *what = xasprintf(
		partition ? "cannot move job %s to %s" : "cannot keep job %s away from %s", ids,
		partition ? partition : exclude);
	_cleanup_free_ char *out = NULL;
	struct strv arguments = STRV_INIT;
	struct command command = {.name = "scontrol",
		.arguments = &arguments,
		.what = what,
		.deadline_ms = CHANGE_DEADLINE_MS,
		.changes = true,
		.forgiven = settled};
	enum slurm_outcome outcome;

	strv_add(&arguments, "update");
	strv_addf(&arguments, "JobId=%s", ids);
	if (partition && *partition)
		strv_addf(&arguments, "Partition=%s", partition);
	if (partition)
		strv_addf(&arguments, "ReservationName=%s", reservation ? reservation : "");
	if (exclude)
		strv_addf(&arguments, "ExcNodeList=%s", exclude);
	outcome = command_run(&command, &out, err);
	strv_finish(&arguments);
	return outcome;
}

const struct way way_commands = {
	.conf = read_conf,
	.ping = ping,
	.jobs = read_jobs,
	.nodes = read_nodes,
	.partitions = read_partitions,
	.reservations = read_reservations,
	.cancel = cancel,
	.update = update,
};
