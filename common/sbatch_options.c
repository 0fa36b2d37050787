/* sbatch_options.c: converts a submission to options of sbatch(1). Pure. */
#include "common/sbatch_options.h"

#include <inttypes.h>
#include <string.h>

#include "common/directives.h"
#include "common/settings.h"
#include "common/slurm_msg.h"
#include "common/strv.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Does the user ask for memory? Slurm accepts only one option for it. */
static bool gives_memory(const struct strv *directives)
{
	return directives_find(directives, "mem-per-cpu") ||
		directives_find(directives, "mem-per-gpu");
}

/* Is the option valid without a value? */
static bool may_stand_alone(const char *name, size_t length)
{
	static const char *const names[] = {"contiguous", "exclusive", "get-user-env", "hold",
		"ignore-pbs", "nice", "no-kill", "overcommit", "oversubscribe", "propagate",
		"quiet", "reboot", "requeue", "spread-job", "stepmgr", "use-min-nodes",
		"verbose"};

	for (size_t i = 0; i < LENGTH(names); i++)
		if (strlen(names[i]) == length && strncmp(names[i], name, length) == 0)
			return true;
	return false;
}

/* For draco an option without a value is "contiguous" or "contiguous=true", and "contiguous=false"
 * takes it back. sbatch knows only the first form. */
static void add_directive(struct strv *ret, const char *directive)
{
	size_t length = strcspn(directive, "=");
	bool alone = may_stand_alone(directive, length);

	if (alone && strcmp(directive + length, "=false") == 0)
		return;
	if (alone && strcmp(directive + length, "=true") == 0)
		strv_addf(ret, "--%.*s", (int)length, directive);
	else
		strv_addf(ret, "--%s", directive);
}

/* Would sbatch take the next word for the value of this option? Such an option must come last, so
 * that sbatch reports the missing value. */
static bool lacks_value(const char *directive)
{
	size_t length = strcspn(directive, "=");

	return !directive[length] && !may_stand_alone(directive, length);
}

void sbatch_options(const struct slurm_submission *submission, struct strv *ret)
{
	strv_addf(ret, "--job-name=%s", submission->name);
	strv_addf(ret, "--output=%s", submission->output);
	strv_addf(ret, "--error=%s", submission->output);
	strv_add(ret, "--input=/dev/null");
	strv_addf(ret, "--chdir=%s", submission->directory);
	strv_add(ret, "--export=ALL");
	strv_add(ret, "--no-requeue"); /* draco replaces jobs itself */
	strv_add(ret, "--nodes=1");
	strv_add(ret, "--ntasks=1");
	if (submission->cores != CORES_NODE) /* otherwise --exclusive gives them all */
		strv_addf(ret, "--cpus-per-task=%" PRId64, submission->cores);
	if (submission->memory_mib != MEMORY_NONE && !gives_memory(&submission->directives))
		strv_addf(ret, "--mem=%" PRId64 "M", submission->memory_mib);
	strv_addf(ret, "--time=%" PRId64, (submission->walltime_s + 59) / 60);
	if (submission->count > 1)
		strv_addf(ret, "--array=0-%" PRId64, submission->count - 1);
	if (submission->partition && *submission->partition)
		strv_addf(ret, "--partition=%s", submission->partition);
	if (submission->reservation)
		strv_addf(ret, "--reservation=%s", submission->reservation);
	for (int last = 0; last <= 1; last++)
		for (size_t i = 0; i < submission->directives.count; i++)
			if (lacks_value(submission->directives.item[i]) == last)
				add_directive(ret, submission->directives.item[i]);
}

/* Most of these are also given on the command line, which has precedence. The others must not act
 * at all. */
static const char *const dropped[] = {
	/* These are settings (settings_resolve.c). If draco gives no option for one, its variable
	 * must not act either. */
	"SBATCH_ACCOUNT", "SBATCH_CONSTRAINT", "SBATCH_GPUS", "SBATCH_GRES", "SBATCH_PARTITION",
	"SBATCH_QOS", "SBATCH_RESERVATION",
	"SBATCH_ARRAY_INX",		   /* one job would become several */
	"SBATCH_CLUSTERS",		   /* draco could not see the jobs */
	"SBATCH_CPUS_PER_GPU",		   /* conflicts with --cpus-per-task */
	"SBATCH_DEBUG",			   /* writes much text that is not the site's */
	"SBATCH_ERROR",			   /* draco reads the log */
	"SBATCH_EXPORT",		   /* the workers need their variables */
	"SBATCH_GET_USER_ENV",		   /* would replace the variables */
	"SBATCH_INPUT", "SBATCH_JOB_NAME", /* draco finds its jobs by name */
	"SBATCH_OUTPUT", "SBATCH_REQUEUE", /* a job would come back without draco */
	"SBATCH_NO_REQUEUE", "SBATCH_TEST_ONLY", "SBATCH_TIMELIMIT",
	"SBATCH_WAIT",			      /* sbatch would not end before the job */
	"SLURM_CLUSTERS", "SLURM_EXIT_ERROR", /* changes the exit status of a refusal */
};

bool sbatch_variable_is_dropped(const char *variable)
{
	size_t length = strcspn(variable, "=");

	for (size_t i = 0; i < LENGTH(dropped); i++)
		if (strlen(dropped[i]) == length && strncmp(dropped[i], variable, length) == 0)
			return true;
	return false;
}
