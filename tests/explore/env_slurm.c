/* env_slurm.c: the Slurm of an exploration: its queue, and what becomes of dracod's requests. */
#include "env.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "tests/fuzz/world.h"

static json_t *answer; /* that is under way; NULL: none */
static json_t *late;   /* the parameters of a late submission; NULL: none */

bool env_job_is_alive(const struct env_job *job)
{
	return !slurm_state_is_end(job->state);
}

void env_job_end(struct env_job *job, enum slurm_state state)
{
	env_worker_leaves(job);
	job->state = state;
	job->asked_to_end = false;
}

/* Does the job count? Not one that was asked to end, or that ends without its scheduler. */
static bool is_of_use(const struct env_job *job)
{
	return env_job_is_alive(job) && !job->let_go && !(job->came && !job->there);
}

/* Names are draco-NAME-CLUSTER.NUMBER. */
static bool is_of_same_cluster(const char *one, const char *other)
{
	size_t length = strcspn(one, ".");

	return strcspn(other, ".") == length && strncmp(one, other, length) == 0;
}

/* Rule: no double submission. What is left of an earlier cluster may end beside a new one. */
static void check_submission(const char *name, int count)
{
	int before = 0;

	for (int i = 0; i < env.jobs; i++) {
		if (strcmp(env.job[i].name, name) == 0)
			env_broken("%s is submitted twice", name);
		before += is_of_use(&env.job[i]) && is_of_same_cluster(env.job[i].name, name);
	}
	if (before + count > 2)
		env_broken("%s asks for %d more where %d jobs are there, and nobody wants more "
			   "than 2",
			name, count, before);
}

static json_t *submit(const json_t *params)
{
	struct slurm_submission wish;
	struct err err = ERR_INIT;
	int64_t count;

	if (slurm_submission_decode(params, &wish, &err) < 0)
		env_broken("a submission cannot be read: %s", err.text);
	count = wish.count;
	check_submission(wish.name, (int)count);
	env.last_id++;
	for (int64_t i = 0; i < count; i++) {
		struct env_job *job = &env.job[env.jobs++];

		if (env.jobs >= JOBS_MAX)
			env_broken("%d jobs were submitted", env.jobs);
		job->id = env.last_id;
		job->task = count > 1 ? i : SLURM_NO_TASK;
		snprintf(job->name, sizeof(job->name), "%s", wish.name);
		job->state = STATE_PENDING;
	}
	slurm_submission_finish(&wish);
	return json_pack("{s:I, s:I}", "job_id", (json_int_t)env.last_id, "tasks",
		(json_int_t)(count > 1 ? count : 0));
}

static json_t *query(const json_t *params)
{
	const char *prefix = json_get_text(params, "prefix", "");
	json_t *list = json_array();

	for (int i = 0; i < env.jobs; i++) {
		const struct env_job *job = &env.job[i];
		struct slurm_job said = {.job_id = job->id,
			.task = job->task,
			.name = UNCONST(job->name),
			.state = job->state,
			.reason = UNCONST("None"),
			.partition = UNCONST("short"),
			.nodes = UNCONST(job->state == STATE_PENDING ? "" : "n1"),
			.submit_time = 1796000000};

		if (strncmp(job->name, prefix, strlen(prefix)) == 0)
			json_array_append_new(list, slurm_job_encode(&said));
	}
	return json_pack("{s:o}", "jobs", list);
}

static struct env_job *find(const char *id)
{
	char text[SLURM_JOB_ID_MAX];

	for (int i = 0; i < env.jobs; i++)
		if (strcmp(slurm_job_format_id(env.job[i].id, env.job[i].task, text), id) == 0)
			return &env.job[i];
	return NULL;
}

/* Rule: no busy job is released. */
static void end_by_wish(struct env_job *job, enum slurm_cancel_how how)
{
	if (job->busy && env.wish != NO_CLUSTER)
		env_broken("job %u_%" PRId64 " (%s) is released while it is busy", job->id,
			job->task, job->name);
	if (how == CANCEL_TERMINATE)
		job->asked_to_end |= job->state == STATE_RUNNING;
	else
		env_job_end(job, STATE_CANCELLED);
}

static json_t *cancel(const json_t *params)
{
	int how = slurm_cancel_find(json_get_text(params, "how", ""));
	const json_t *id;
	size_t i;

	json_array_foreach (json_object_get(params, "jobs"), i, id) {
		struct env_job *job = find(json_string_value(id));

		if (job && env_job_is_alive(job))
			end_by_wish(job, (enum slurm_cancel_how)how);
	}
	return json_object();
}

/* The request to Slurm that comes next may be lost: its jobs count no more. */
static void let_go(void)
{
	const json_t *params, *id;
	const char *method = world_question(&params);
	size_t i;

	if (!method || strcmp(method, "cancel") != 0)
		return;
	json_array_foreach (json_object_get(params, "jobs"), i, id) {
		struct env_job *job = find(json_string_value(id));

		if (job)
			job->let_go = true;
	}
}

static json_t *site(const json_t *params)
{
	(void)params;
	return json_pack("{s:s, s:s, s:s, s:i, s:[s], s:[]}", "controller", "n0", "address",
		"127.0.0.1", "version", "22.05.8", "array_max", 1000, "nodes", "127.0.0.1",
		"host");
}

static json_t *survey(const json_t *params)
{
	(void)params;
	return json_pack("{s:[{s:s, s:b, s:b, s:i, s:i, s:i, s:i, s:i, s:i, s:i}], s:[]}",
		"partitions", "name", "short", "submits", 1, "schedules", 1, "max_time_s",
		72000, "nodes", 4, "nodes_fit", 4, "nodes_usable", 4, "nodes_excluded", 0,
		"largest_cpus", 8, "largest_memory_mib", 16000, "reservations");
}

static json_t *predict(const json_t *params)
{
	json_t *list = json_array();
	size_t count = json_array_size(json_object_get(params, "candidates"));

	while (count-- > 0)
		json_array_append_new(list, json_pack("{s:i}", "start", 1796000001));
	return json_pack("{s:o}", "predictions", list);
}

static json_t *update(const json_t *params)
{
	(void)params;
	return json_object();
}

static const struct {
	const char *name;
	json_t *(*fn)(const json_t *params);
	bool sure; /* its answer is no choice */
} methods[] = {
	{"submit", submit, false},
	{"query", query, false},
	{"cancel", cancel, false},
	{"site", site, true},
	{"survey", survey, true},
	{"predict", predict, true},
	{"update", update, true},
};

static size_t find_method(const char *name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i].name, name) == 0)
			return i;
	env_broken("draco-slurm is asked for \"%s\"", name);
}

static void carry_out(void)
{
	const json_t *params;
	const char *method = world_question(&params);

	if (env.carried_out)
		return;
	let_go();
	answer = methods[find_method(method)].fn(params);
	env.carried_out = true;
}

static void deliver(enum slurm_outcome outcome)
{
	_cleanup_json_ json_t *result = TAKE_PTR(answer);
	const json_t *params;
	struct err err = ERR_INIT;

	err_set(&err, -EIO, outcome == OUTCOME_REFUSED ? "Slurm says no" : "no answer");
	env.carried_out = false;
	world_answer_slurm(world_question(&params), outcome, result, &err);
}

void slurm_answer_surely(void)
{
	const json_t *params;
	const char *method;

	while (env.daemon && (method = world_question(&params)) &&
		methods[find_method(method)].sure) {
		carry_out();
		deliver(OUTCOME_DONE);
		world_pass(0);
	}
}

static void arrive(void)
{
	_cleanup_json_ json_t *params = TAKE_PTR(late);

	env.late = false;
	json_decref(submit(params));
}

static void keep_for_later(void)
{
	const json_t *params;

	world_question(&params);
	late = json_deep_copy(params);
	env.late = true;
}

/* A request that was cut off waits for two seconds at most. Without their scheduler workers leave,
 * and their jobs end. */
void slurm_time_passes(void)
{
	if (env.late)
		arrive();
	for (int i = 0; i < env.jobs; i++) {
		struct env_job *job = &env.job[i];

		if (job->state == STATE_RUNNING && job->came && !job->there)
			env_job_end(job, STATE_COMPLETED);
	}
}

void slurm_kill(bool after)
{
	const json_t *params;

	let_go();
	if (after && world_question(&params))
		carry_out();
	env.carried_out = false;
	json_decref(TAKE_PTR(answer));
}

void slurm_hash(void (*add)(const void *data, size_t size))
{
	json_t *const values[] = {answer, late};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		_cleanup_free_ char *text =
			values[i] ? json_dumps(values[i], JSON_SORT_KEYS) : NULL;

		add(text ? text : "-", text ? strlen(text) : 1);
	}
}

static bool is_asked(const char *method)
{
	const json_t *params;
	const char *asked = env.daemon ? world_question(&params) : NULL;

	return asked && (!method || strcmp(asked, method) == 0);
}

bool slurm_can(enum event event, int number)
{
	const struct env_job *job = number < env.jobs ? &env.job[number] : NULL;

	switch (event) {
	case EVENT_ANSWER:
		return is_asked(NULL);
	case EVENT_CARRY_OUT:
		return is_asked(NULL) && !env.carried_out;
	case EVENT_LOSE:
		return is_asked(NULL) && !env.carried_out && env.left.losses > 0;
	case EVENT_LOSE_AFTER:
		return is_asked(NULL) && !is_asked("query") && env.left.losses > 0;
	case EVENT_LOSE_LATE:
		return is_asked("submit") && !env.carried_out && !env.late &&
			env.left.losses > 0;
	case EVENT_REFUSE:
		return is_asked("submit") && !env.carried_out && env.left.refusals > 0;
	case EVENT_ARRIVE:
		return env.late;
	case EVENT_JOB_STARTS:
		return job && job->state == STATE_PENDING;
	case EVENT_JOB_ENDS:
		return job && job->state == STATE_RUNNING &&
			(job->asked_to_end || (job->came && !job->there));
	case EVENT_NODE_FAILS:
		return job && job->state == STATE_RUNNING && env.left.node_fails > 0;
	case EVENT_REQUEUE:
		return job && job->state == STATE_RUNNING && env.left.requeues > 0;
	default:
		return false;
	}
}

static void lose(bool after)
{
	env.left.losses--;
	let_go();
	if (after)
		carry_out();
	deliver(OUTCOME_UNCERTAIN);
}

void slurm_do(enum event event, int number)
{
	struct env_job *job = &env.job[number];

	switch (event) {
	case EVENT_ANSWER:
		carry_out();
		deliver(OUTCOME_DONE);
		break;
	case EVENT_CARRY_OUT:
		carry_out();
		break;
	case EVENT_LOSE_LATE:
		keep_for_later();
		lose(false);
		break;
	case EVENT_LOSE:
	case EVENT_LOSE_AFTER:
		lose(event == EVENT_LOSE_AFTER);
		break;
	case EVENT_REFUSE:
		env.left.refusals--;
		env.gave_up = true;
		deliver(OUTCOME_REFUSED);
		break;
	case EVENT_ARRIVE:
		arrive();
		break;
	case EVENT_JOB_STARTS:
		job->state = STATE_RUNNING;
		break;
	case EVENT_JOB_ENDS:
		env_job_end(job, STATE_COMPLETED);
		break;
	case EVENT_NODE_FAILS:
		env.left.node_fails--;
		env_job_end(job, STATE_NODE_FAIL);
		break;
	default: /* EVENT_REQUEUE */
		env.left.requeues--;
		env_job_end(job, STATE_PENDING);
		job->came = false;
		break;
	}
}
