/* slurm_msg.c: the messages between dracod and draco-slurm: their values and JSON. Pure. */
#include "common/slurm_msg.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/json.h"
#include "common/settings.h"

static const char *const outcomes[OUTCOME_COUNT] = {
	[OUTCOME_DONE] = "done",
	[OUTCOME_REFUSED] = "refused",
	[OUTCOME_BUSY] = "busy",
	[OUTCOME_UNREACHABLE] = "unreachable",
	[OUTCOME_UNCERTAIN] = "uncertain",
	[OUTCOME_UNUSABLE] = "unusable",
	[OUTCOME_FOREIGN] = "foreign",
};

static const char *const states[STATE_COUNT] = {
	[STATE_PENDING] = "PENDING",
	[STATE_CONFIGURING] = "CONFIGURING",
	[STATE_RUNNING] = "RUNNING",
	[STATE_SUSPENDED] = "SUSPENDED",
	[STATE_COMPLETED] = "COMPLETED",
	[STATE_CANCELLED] = "CANCELLED",
	[STATE_FAILED] = "FAILED",
	[STATE_TIMEOUT] = "TIMEOUT",
	[STATE_NODE_FAIL] = "NODE_FAIL",
	[STATE_PREEMPTED] = "PREEMPTED",
	[STATE_OUT_OF_MEMORY] = "OUT_OF_MEMORY",
	[STATE_DEADLINE] = "DEADLINE",
};

static const char *const cancels[CANCEL_COUNT] = {
	[CANCEL_TERMINATE] = "terminate",
	[CANCEL_CANCEL] = "cancel",
	[CANCEL_KILL] = "kill",
};

static int find(const char *const *names, int count, const char *name)
{
	for (int i = 0; name && i < count; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -ENOENT;
}

const char *slurm_outcome_name(enum slurm_outcome outcome)
{
	return outcomes[outcome];
}

enum slurm_outcome slurm_outcome_find(const char *name)
{
	int outcome = find(outcomes, OUTCOME_COUNT, name);

	return outcome < 0 ? OUTCOME_UNCERTAIN : (enum slurm_outcome)outcome;
}

const char *slurm_state_name(enum slurm_state state)
{
	return states[state];
}

int slurm_state_find(const char *name)
{
	return find(states, STATE_COUNT, name);
}

bool slurm_state_is_end(enum slurm_state state)
{
	return state >= STATE_COMPLETED;
}

const char *slurm_cancel_name(enum slurm_cancel_how how)
{
	return cancels[how];
}

int slurm_cancel_find(const char *name)
{
	return find(cancels, CANCEL_COUNT, name);
}

char *slurm_job_format_id(uint32_t job_id, int64_t task, char buffer[SLURM_JOB_ID_MAX])
{
	if (task == SLURM_NO_TASK)
		snprintf(buffer, SLURM_JOB_ID_MAX, "%" PRIu32, job_id);
	else
		snprintf(buffer, SLURM_JOB_ID_MAX, "%" PRIu32 "_%" PRId64, job_id, task);
	return buffer;
}

void slurm_job_finish(struct slurm_job *job)
{
	free(job->name);
	free(job->reason);
	free(job->partition);
	free(job->nodes);
	*job = (struct slurm_job){0};
}

void slurm_submission_finish(struct slurm_submission *submission)
{
	free(submission->name);
	free(submission->script);
	free(submission->partition);
	free(submission->reservation);
	free(submission->output);
	free(submission->directory);
	strv_finish(&submission->environment);
	strv_finish(&submission->directives);
	*submission = (struct slurm_submission){0};
}

/* The members of both messages, one table each for encoding and decoding. */
enum member_type {
	MEMBER_ID,
	MEMBER_TASK,
	MEMBER_INTEGER,
	MEMBER_TIME,
	MEMBER_INT,
	MEMBER_TEXT
};

struct member {
	const char *name;
	enum member_type type;
	size_t offset;
	bool optional;
};

static const struct member job_members[] = {
	{"job_id", MEMBER_ID, offsetof(struct slurm_job, job_id), false},
	{"task", MEMBER_TASK, offsetof(struct slurm_job, task), false},
	{"name", MEMBER_TEXT, offsetof(struct slurm_job, name), false},
	{"reason", MEMBER_TEXT, offsetof(struct slurm_job, reason), false},
	{"partition", MEMBER_TEXT, offsetof(struct slurm_job, partition), true},
	{"nodes", MEMBER_TEXT, offsetof(struct slurm_job, nodes), true},
	{"submit_time", MEMBER_TIME, offsetof(struct slurm_job, submit_time), false},
	{"start_time", MEMBER_TIME, offsetof(struct slurm_job, start_time), false},
	{"end_time", MEMBER_TIME, offsetof(struct slurm_job, end_time), false},
	{"exit_status", MEMBER_INT, offsetof(struct slurm_job, exit_status), false},
	{"exit_signal", MEMBER_INT, offsetof(struct slurm_job, exit_signal), false},
	{NULL, 0, 0, false},
};

static const struct member submission_members[] = {
	{"name", MEMBER_TEXT, offsetof(struct slurm_submission, name), false},
	{"count", MEMBER_INTEGER, offsetof(struct slurm_submission, count), false},
	{"script", MEMBER_TEXT, offsetof(struct slurm_submission, script), false},
	{"partition", MEMBER_TEXT, offsetof(struct slurm_submission, partition), true},
	{"reservation", MEMBER_TEXT, offsetof(struct slurm_submission, reservation), true},
	{"output", MEMBER_TEXT, offsetof(struct slurm_submission, output), false},
	{"directory", MEMBER_TEXT, offsetof(struct slurm_submission, directory), false},
	{"cores", MEMBER_INTEGER, offsetof(struct slurm_submission, cores), false},
	{"memory_mib", MEMBER_INTEGER, offsetof(struct slurm_submission, memory_mib), false},
	{"walltime_s", MEMBER_INTEGER, offsetof(struct slurm_submission, walltime_s), false},
	{NULL, 0, 0, false},
};

static json_t *encode_member(const void *at, enum member_type type)
{
	switch (type) {
	case MEMBER_ID:
		return json_integer(*(const uint32_t *)at);
	case MEMBER_TASK:
	case MEMBER_INTEGER:
		return json_integer(*(const int64_t *)at);
	case MEMBER_TIME:
		return json_integer((json_int_t) * (const time_t *)at);
	case MEMBER_INT:
		return json_integer(*(const int *)at);
	case MEMBER_TEXT:
		return json_text(*(char *const *)at);
	}
	abort();
}

static json_t *encode(const void *value, const struct member *members)
{
	json_t *object = json_object();

	for (const struct member *m = members; m->name; m++)
		json_object_set_new(object, m->name,
			encode_member((const char *)value + m->offset, m->type));
	return object;
}

static bool decode_member(void *at, const struct member *m, const json_t *json)
{
	json_int_t number = json_integer_value(json);

	if (m->type == MEMBER_TEXT) {
		if (json_is_string(json))
			*(char **)at = xstrdup(json_string_value(json));
		return json_is_string(json) || (m->optional && (!json || json_is_null(json)));
	}
	if (!json_is_integer(json))
		return false;
	switch (m->type) {
	case MEMBER_ID:
		*(uint32_t *)at = (uint32_t)number;
		return number > 0 && number <= UINT32_MAX;
	case MEMBER_TASK: /* 32 bits in Slurm, which SLURM_JOB_ID_MAX relies on */
		*(int64_t *)at = number;
		return number >= SLURM_NO_TASK && number <= UINT32_MAX;
	case MEMBER_INTEGER:
		*(int64_t *)at = number;
		return number >= -1;
	case MEMBER_TIME:
		*(time_t *)at = number <= JSON_TIME_MAX ? (time_t)number : 0;
		return number >= 0;
	default:
		*(int *)at = (int)number;
		return number >= 0 && number <= INT32_MAX;
	}
}

static int decode(const json_t *object, void *value, const struct member *members,
	const char *what, struct err *err)
{
	if (!json_is_object(object))
		return err_set(err, -EPROTO, "%s is not an object", what);
	for (const struct member *m = members; m->name; m++)
		if (!decode_member(
			    (char *)value + m->offset, m, json_object_get(object, m->name)))
			return err_set(
				err, -EPROTO, "%s has no usable member \"%s\"", what, m->name);
	return 0;
}

json_t *slurm_job_encode(const struct slurm_job *job)
{
	json_t *object = encode(job, job_members);

	json_object_set_new(object, "state", json_string(slurm_state_name(job->state)));
	if (job->never)
		json_object_set_new(object, "never", json_true());
	return object;
}

int slurm_job_decode(const json_t *object, struct slurm_job *ret, struct err *err)
{
	int state = slurm_state_find(json_get_text(object, "state", NULL));
	int r;

	*ret = (struct slurm_job){0};
	r = decode(object, ret, job_members, "a job", err);
	if (r == 0 && state < 0)
		r = err_set(err, -EPROTO, "a job has no usable member \"state\"");
	if (r < 0)
		slurm_job_finish(ret);
	else
		ret->state = (enum slurm_state)state;
	ret->never = r == 0 && json_get_boolean(object, "never", 0);
	return r;
}

static int decode_list(
	const json_t *object, const char *name, struct strv *list, struct err *err)
{
	const json_t *array = json_object_get(object, name);
	bool right = json_is_array(array);

	for (size_t i = 0; right && i < json_array_size(array); i++) {
		const char *text = json_string_value(json_array_get(array, i));

		right = text;
		if (text)
			strv_add(list, text);
	}
	return right ? 0
		     : err_set(err, -EPROTO, "a submission has no usable member \"%s\"", name);
}

json_t *slurm_submission_encode(const struct slurm_submission *submission)
{
	json_t *object = encode(submission, submission_members);

	json_object_set_new(object, "environment", json_texts(&submission->environment));
	json_object_set_new(object, "directives", json_texts(&submission->directives));
	return object;
}

int slurm_submission_decode(const json_t *object, struct slurm_submission *ret, struct err *err)
{
	int r;

	*ret = (struct slurm_submission){0};
	r = decode(object, ret, submission_members, "a submission", err);
	if (r == 0 &&
		(ret->count < 1 || ret->cores < CORES_NODE || ret->memory_mib < MEMORY_NONE ||
			ret->walltime_s < 1))
		r = err_set(err, -EPROTO, "a submission asks for nothing");
	if (r == 0)
		r = decode_list(object, "environment", &ret->environment, err);
	if (r == 0)
		r = decode_list(object, "directives", &ret->directives, err);
	if (r < 0)
		slurm_submission_finish(ret);
	return r;
}

static bool take_number(const char **text, int64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	errno = 0;
	*ret = strtoll(*text, &end, 10);
	*text = end;
	return errno == 0;
}

int slurm_tasks_expand(
	const char *text, int limit, void (*add)(void *arg, int64_t task), void *arg)
{
	int count = 0;

	for (;;) {
		int64_t first, last, step = 1;

		if (!take_number(&text, &first))
			return -EINVAL;
		last = first;
		if (*text == '-') {
			text++;
			if (!take_number(&text, &last) || last < first)
				return -EINVAL;
		}
		if (*text == ':') {
			text++;
			if (!take_number(&text, &step) || step < 1)
				return -EINVAL;
		}
		if ((last - first) / step >= limit - count)
			return -EINVAL;
		for (int64_t i = 0; i <= (last - first) / step; i++, count++)
			add(arg, first + i * step);
		if (*text == '%') { /* the number of tasks that may run at a time */
			text++;
			if (!take_number(&text, &step) || *text)
				return -EINVAL;
		}
		if (*text == '\0')
			return count;
		if (*text++ != ',')
			return -EINVAL;
	}
}
