/* squeue_output.c: the fields that draco asks squeue(1) for, and reading them. Pure.
 *
 * squeue shows one word for the state of a job: its base state, or a flag that hides it. What is
 * hidden follows from the other fields. */
#include "common/squeue_output.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/parse.h"
#include "common/slurm_facts.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* At most, between this host and slurmctld: munge allows no more. */
#define CLOCKS_DIFFER_S 300

/* Between the fields: a character that is in no value. */
#define BETWEEN	 '\037'
#define BETWEENS "\037"

/* A width of 0 prints the whole value. The name comes last, as it may contain anything. */
#define FIELD(name) name ":0" BETWEENS ","
const char squeue_format[] = FIELD("JobID") FIELD("ArrayJobID") FIELD("ArrayTaskID")
	FIELD("State") FIELD("exit_code") FIELD("Reason") FIELD("Partition") FIELD("NodeList")
		FIELD("SubmitTime") FIELD("StartTime") FIELD("EndTime")
			FIELD("TimeLimit") "Name:0";

enum field {
	FIELD_ID,
	FIELD_ARRAY,
	FIELD_TASK,
	FIELD_STATE,
	FIELD_EXIT,
	FIELD_REASON,
	FIELD_PARTITION,
	FIELD_NODES,
	FIELD_SUBMIT,
	FIELD_START,
	FIELD_END,
	FIELD_LIMIT,
	FIELD_NAME,
	FIELD_COUNT
};

/* Cut the line into its fields. */
static int split(char *line, char *fields[FIELD_COUNT], struct err *err)
{
	for (int i = 0; i < FIELD_COUNT; i++) {
		char *end = strchr(line, BETWEEN);

		fields[i] = line;
		if (i == FIELD_NAME)
			break;
		if (!end)
			return err_set(err, -EPROTO,
				"squeue prints a line of another form: %.200s", line);
		*end = '\0';
		line = end + 1;
	}
	return 0;
}

/* "N/A", "Unknown" and such are 0. */
static int64_t number_of(const char *text)
{
	int64_t number;

	return parse_integer(text, 0, JSON_TIME_MAX, &number, NULL) == 0 ? number : 0;
}

/* A wait status, which later versions write as "STATUS:SIGNAL". */
static int exit_of(const char *text)
{
	const char *colon = strchr(text, ':');

	if (colon)
		return atoi(text) << 8 | (atoi(colon + 1) & 0x7f);
	return (int)number_of(text);
}

/* The base states, and the flags that tell the base state. */
static const struct {
	const char *word;
	enum slurm_state state;
} words[] = {
	{"PENDING", STATE_PENDING},
	{"RUNNING", STATE_RUNNING},
	{"SUSPENDED", STATE_SUSPENDED},
	{"COMPLETED", STATE_COMPLETED},
	{"CANCELLED", STATE_CANCELLED},
	{"FAILED", STATE_FAILED},
	{"TIMEOUT", STATE_TIMEOUT},
	{"NODE_FAIL", STATE_NODE_FAIL},
	{"PREEMPTED", STATE_PREEMPTED},
	{"BOOT_FAIL", STATE_NODE_FAIL},
	{"DEADLINE", STATE_DEADLINE},
	{"OUT_OF_MEMORY", STATE_OUT_OF_MEMORY},
	{"CONFIGURING", STATE_CONFIGURING},
	{"RESIZING", STATE_RUNNING},
	{"SIGNALING", STATE_RUNNING},
	{"STOPPED", STATE_RUNNING},
	{"REQUEUED", STATE_PENDING},
	{"REQUEUE_FED", STATE_PENDING},
	{"REQUEUE_HOLD", STATE_PENDING},
	{"SPECIAL_EXIT", STATE_PENDING},
	{"RESV_DEL_HOLD", STATE_PENDING},
};

/* The ends that Slurm gives a reason for. */
static const struct {
	const char *reason;
	enum slurm_state state;
} ends[] = {
	{"TimeLimit", STATE_TIMEOUT},
	{"NodeDown", STATE_NODE_FAIL},
	{"OutOfMemory", STATE_OUT_OF_MEMORY},
	{"DeadLine", STATE_DEADLINE},
	{"NonZeroExitCode", STATE_FAILED},
	{"RaisedSignal", STATE_FAILED},
	{"JobLaunchFailure", STATE_FAILED},
	{"SystemFailure", STATE_FAILED},
};

/* COMPLETING hides the end of a job that gives no reason for it: it has completed, or was cancelled
 * or preempted and its exit code is not set yet. Only the state after COMPLETING tells. Until then
 * the job counts as running, unless draco itself has ended it. */
static enum slurm_state unclear_end(const struct slurm_job *job, squeue_ended_fn *ended)
{
	switch (ended(job)) {
	case CANCEL_TERMINATE:
		return STATE_COMPLETED;
	case CANCEL_CANCEL:
	case CANCEL_KILL:
		return STATE_CANCELLED;
	default:
		return STATE_RUNNING;
	}
}

/* Does the job end when its walltime does? Then it has not ended, unless for that reason. */
static bool is_planned_end(const struct slurm_job *job, const char *limit)
{
	int64_t seconds;

	return parse_walltime(limit, &seconds, NULL) == 0 &&
		job->end_time == job->start_time + seconds &&
		strcmp(job->reason, "TimeLimit") != 0;
}

/* The state behind a flag such as COMPLETING, or a word of a later version. */
static enum slurm_state hidden_state(const struct slurm_job *job, const char *limit,
	int exit_code, bool completing, squeue_ended_fn *ended)
{
	bool over = job->end_time > 0 && job->end_time <= time(NULL) + CLOCKS_DIFFER_S &&
		!is_planned_end(job, limit);

	if (!over) /* one that ends now, and again in the future: it was requeued */
		return job->nodes && !completing ? STATE_RUNNING : STATE_PENDING;
	for (size_t i = 0; i < LENGTH(ends); i++)
		if (strncmp(job->reason, ends[i].reason, strlen(ends[i].reason)) == 0)
			return ends[i].state;
	if (completing)
		return unclear_end(job, ended);
	return exit_code == 0 ? STATE_COMPLETED : STATE_FAILED;
}

static enum slurm_state state_of(const char *word, const struct slurm_job *job,
	const char *limit, int exit_code, squeue_ended_fn *ended)
{
	for (size_t i = 0; i < LENGTH(words); i++)
		if (strcmp(word, words[i].word) == 0)
			return words[i].state;
	return hidden_state(job, limit, exit_code, strcmp(word, "COMPLETING") == 0, ended);
}

static int read_job(
	char *line, squeue_ended_fn *ended, squeue_job_fn *each, void *arg, struct err *err)
{
	char *fields[FIELD_COUNT];
	const char *tasks = NULL;
	struct slurm_job job;
	int r = split(line, fields, err);
	int exit_code;

	if (r < 0)
		return r;
	exit_code = exit_of(fields[FIELD_EXIT]);
	job = (struct slurm_job){
		.job_id = (uint32_t)number_of(fields[FIELD_ARRAY]),
		.task = SLURM_NO_TASK,
		.name = fields[FIELD_NAME],
		.reason = fields[FIELD_REASON],
		.partition = fields[FIELD_PARTITION],
		.nodes = *fields[FIELD_NODES] ? fields[FIELD_NODES] : NULL,
		.submit_time = (time_t)number_of(fields[FIELD_SUBMIT]),
		.start_time = (time_t)number_of(fields[FIELD_START]),
		.end_time = (time_t)number_of(fields[FIELD_END]),
		.exit_status = WIFEXITED(exit_code) ? WEXITSTATUS(exit_code) : 0,
		.exit_signal = WIFSIGNALED(exit_code) ? WTERMSIG(exit_code) : 0,
	};
	if (!job.job_id)
		job.job_id = (uint32_t)number_of(fields[FIELD_ID]);
	if (!job.job_id)
		return err_set(err, -EPROTO, "squeue prints no id of a job");
	if (strcmp(fields[FIELD_TASK], "N/A") != 0 &&
		parse_integer(fields[FIELD_TASK], 0, UINT32_MAX - 2, &job.task, NULL) < 0)
		tasks = fields[FIELD_TASK];
	job.state = state_of(fields[FIELD_STATE], &job, fields[FIELD_LIMIT], exit_code, ended);
	if (job.state == STATE_RUNNING && job.end_time <= time(NULL))
		job.end_time = 0; /* the end of a job that ends in a way not known yet */
	job.never = job.state == STATE_PENDING && slurm_reason_is_never(job.reason);
	return each(arg, &job, tasks);
}

static int count_fields(const char *text, size_t length)
{
	int count = 0;

	for (size_t i = 0; i < length; i++)
		count += text[i] == BETWEEN;
	return count;
}

/* The length of the next record: a line, or more where a value, such as the reason that a script of
 * the site gives, contains newlines. */
static size_t record_length(const char *text)
{
	size_t length = strcspn(text, "\n");
	int fields = count_fields(text, length);

	while (fields > 0 && fields < FIELD_NAME && text[length]) {
		size_t more = strcspn(text + length + 1, "\n");

		fields += count_fields(text + length + 1, more);
		length += 1 + more;
	}
	return length;
}

int squeue_output_read(const char *text, squeue_ended_fn *ended, squeue_job_fn *each, void *arg,
	struct err *err)
{
	int r = 0;

	while (*text && r >= 0) {
		size_t length = record_length(text);
		_cleanup_free_ char *line = xstrndup(text, length);

		/* A line without fields goes on with the name of a job. */
		if (strchr(line, BETWEEN))
			r = read_job(line, ended, each, arg, err);
		text += length + (text[length] == '\n');
	}
	return r < 0 ? r : 0;
}
