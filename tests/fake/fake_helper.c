/* fake_helper.c: the draco-slurm of the fake world: it answers dracod's requests from the scripted
 * Slurm. */
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/rpc.h"
#include "common/survey.h"
#include "daemon/io/loop.h"
#include "daemon/io/stream.h"
#include "fake_queue.h"
#include "process.h"
#include "unit.h"
#include "world.h"

#define FAULTS_MAX 8

/* The running draco-slurm. dracod has one at a time. */
static struct {
	struct process *process;
	struct stream *stream;
	struct loop_timer *timer; /* sends the answer */
	char *answer;
	bool dies; /* ends instead of answering */
} helper;

static struct {
	const char *method;
	int times;
	enum fault fault;
} faults[FAULTS_MAX];

static const char away[] = "cannot reach slurmctld: Unable to contact slurm controller";

void slurm_fault(const char *method, int times, enum fault fault)
{
	for (size_t i = 0; i < FAULTS_MAX; i++)
		if (faults[i].times == 0) {
			faults[i].method = method;
			faults[i].times = times;
			faults[i].fault = fault;
			return;
		}
	ck_abort_msg("more than %d faults", FAULTS_MAX);
}

void slurm_faults_clear(void)
{
	memset(faults, 0, sizeof(faults));
}

static enum fault take_fault(const char *method)
{
	for (size_t i = 0; i < FAULTS_MAX; i++)
		if (faults[i].times > 0 && strcmp(faults[i].method, method) == 0) {
			faults[i].times--;
			return faults[i].fault;
		}
	return FAULT_NONE;
}

/* The requests. Each returns the result, or NULL with *refusal. */

static json_t *do_hello(const json_t *params, const char **refusal)
{
	(void)params;
	(void)refusal;
	return json_pack("{s:i, s:s}", "protocol", SLURM_MSG_PROTOCOL, "version", "22.05.8");
}

static json_t *do_site(const json_t *params, const char **refusal)
{
	(void)params;
	(void)refusal;
	return json_pack("{s:s, s:s, s:s, s:I, s:[s], s:[]}", "controller", "fake", "address",
		"127.0.0.1", "version", "22.05.8", "array_max", (json_int_t)slurm.array_max,
		"nodes", "127.0.0.1", "host");
}

/* Does the JSON array of directives hold this one? */
static bool has_directive(const json_t *directives, const char *wanted)
{
	const json_t *item;
	size_t i;

	json_array_foreach (directives, i, item)
		if (strcmp(json_string_value(item), wanted) == 0)
			return true;
	return false;
}

/* Slurm's reason to refuse such a job in this place; NULL: none. */
static const char *objection(const char *partition, const json_t *directives)
{
	const struct fake_partition *p = slurm_find_partition(
		partition && *partition ? partition : slurm.partition[0].name);

	if (p && p->demand && !has_directive(directives, p->demand))
		return "Invalid account or account/partition combination specified";
	if (p && p->drained)
		return "Required partition not available (inactive or drain)";
	return p ? p->refusal : "Invalid partition name specified";
}

static const char *too_many(int64_t count)
{
	if (slurm.arrays_refused && count > 1)
		return "no arrays here";
	if (slurm.jobs_max &&
		jobs_in(STATE_PENDING) + jobs_in(STATE_RUNNING) + count > slurm.jobs_max)
		return "Job violates accounting/QOS policy";
	return NULL;
}

static json_t *do_submit(const json_t *params, const char **refusal)
{
	struct slurm_submission wish;
	struct err err = ERR_INIT;
	json_t *result = NULL;
	uint32_t id;

	ck_assert_msg(slurm_submission_decode(params, &wish, &err) == 0, "%s", err.text);
	ck_assert_int_le(wish.count, slurm.array_max);
	if (!*wish.partition) /* the default partition */
		xreplace(&wish.partition, slurm.partition[0].name);
	*refusal = objection(wish.partition, json_object_get(params, "directives"));
	slurm.last_memory_mib = wish.memory_mib;
	if (!*refusal)
		*refusal = too_many(wish.count);
	if (!*refusal) {
		id = slurm_submit(&wish);
		result = json_pack("{s:I, s:I}", "job_id", (json_int_t)id, "tasks",
			(json_int_t)(wish.count > 1 ? wish.count : 0));
	}
	slurm_submission_finish(&wish);
	return result;
}

/* A job as a query reports it. */
static json_t *encode(const struct fake_job *job)
{
	struct slurm_job said = job->said;
	const struct fake_partition *p = slurm_find_partition(job->partitions);

	said.never = p && p->never && said.state == STATE_PENDING;
	if (said.never)
		said.reason = UNCONST(p->never);
	return slurm_job_encode(&said);
}

static json_t *do_query(const json_t *params, const char **refusal)
{
	const char *prefix = json_get_text(params, "prefix", NULL);
	json_t *list = json_array();
	const struct fake_job *job;

	(void)refusal;
	ck_assert_ptr_nonnull(prefix);
	slurm.queries++;
	TAILQ_FOREACH (job, &fake_jobs, link)
		if (strncmp(job->said.name, prefix, strlen(prefix)) == 0)
			json_array_append_new(list, encode(job));
	return json_pack("{s:o}", "jobs", list);
}

static struct fake_job *find(const char *id)
{
	struct fake_job *job;

	TAILQ_FOREACH (job, &fake_jobs, link)
		if (strcmp(job->id, id) == 0)
			return job;
	return NULL;
}

static json_t *do_cancel(const json_t *params, const char **refusal)
{
	int how = slurm_cancel_find(json_get_text(params, "how", NULL));
	const json_t *id;
	size_t i;

	(void)refusal;
	ck_assert_int_ge(how, 0);
	json_array_foreach (json_object_get(params, "jobs"), i, id) {
		struct fake_job *job = find(json_string_value(id));

		if (job) /* a job that does not exist any more needs no cancellation */
			slurm_cancel(job, (enum slurm_cancel_how)how);
	}
	return json_object();
}

static bool leaves_out(const char *list, int node)
{
	struct strv names = STRV_INIT;
	char name[16];
	bool found;

	snprintf(name, sizeof(name), "n%d", node + 1);
	strv_split(&names, list, ',');
	found = strv_has(&names, name);
	strv_finish(&names);
	return found;
}

static void survey_partition(
	const struct fake_partition *p, const json_t *params, struct survey_partition *ret)
{
	bool fits = p->cores >= json_get_integer(params, "cores", 0) &&
		(p->memory_mib == NO_REAL_MEMORY_MIB ||
			p->memory_mib >= json_get_integer(params, "memory_mib", 0));

	*ret = (struct survey_partition){
		.name = xstrdup(p->name),
		.submits = !p->drained,
		.schedules = !p->down,
		.max_time_s = p->max_time_s,
		.denied = p->denied ? xstrdup(p->denied) : NULL,
		.nodes = slurm.nodes,
		.nodes_hidden = p->hidden ? slurm.nodes : 0,
		.nodes_fit = fits ? slurm.nodes : 0,
		.largest_cpus = p->cores,
		.largest_memory_mib = p->memory_mib,
	};
	for (int i = 0; fits && i < slurm.nodes; i++)
		ret->nodes_excluded += leaves_out(json_get_text(params, "exclude", ""), i);
	ret->nodes_usable = ret->nodes_fit - ret->nodes_excluded;
}

static json_t *do_survey(const json_t *params, const char **refusal)
{
	struct survey_partition partitions[PARTITIONS_MAX];
	struct survey_reservation reservations[RESERVATION_MAX];
	struct survey survey = {.partition = partitions, .reservation = reservations};
	json_t *result;

	(void)refusal;
	slurm.surveys++;
	for (size_t i = 0; i < PARTITIONS_MAX && slurm.partition[i].name; i++)
		survey_partition(&slurm.partition[i], params, &partitions[survey.partitions++]);
	for (size_t i = 0; i < RESERVATION_MAX && slurm.reservation[i].name; i++) {
		const struct fake_reservation *r = &slurm.reservation[i];

		reservations[survey.reservations++] = (struct survey_reservation){
			.name = xstrdup(r->name),
			.start = clock_elsewhere() + r->begin_s,
			.end = clock_elsewhere() + r->end_s,
			.denied = r->denied ? xstrdup(r->denied) : NULL,
			.nodes = xstrdup("n1"),
		};
	}
	result = survey_encode(&survey);
	for (size_t i = 0; i < survey.partitions; i++) {
		free(partitions[i].name);
		free(partitions[i].denied);
	}
	for (size_t i = 0; i < survey.reservations; i++) {
		free(reservations[i].name);
		free(reservations[i].denied);
		free(reservations[i].nodes);
	}
	return result;
}

static json_t *do_predict(const json_t *params, const char **refusal)
{
	json_t *list = json_array();
	const json_t *candidate;
	size_t i;

	(void)refusal;
	slurm.predictions++;
	json_array_foreach (json_object_get(params, "candidates"), i, candidate) {
		const char *partition = json_get_text(candidate, "partition", "");
		const char *reservation = json_get_text(candidate, "reservation", NULL);
		const struct fake_partition *p = slurm_find_partition(partition);
		const json_t *own = json_object_get(candidate, "directives");
		const char *no = objection(partition,
			own ? own
			    : json_object_get(
				      json_object_get(params, "submission"), "directives"));
		int64_t wait_s = p && !reservation ? p->starts_in_s : 0;

		json_array_append_new(list,
			no ? json_pack("{s:s}", "refused", no)
			   : json_pack("{s:I}", "start",
				     (json_int_t)(clock_elsewhere() + wait_s)));
	}
	return json_pack("{s:o}", "predictions", list);
}

static json_t *do_update(const json_t *params, const char **refusal)
{
	const char *partitions = json_get_text(params, "partition", NULL);
	const char *reservation = json_get_text(params, "reservation", NULL);
	const char *exclude = json_get_text(params, "exclude", NULL);
	const json_t *id;
	size_t i;

	if (partitions && slurm.moves_forbidden) {
		*refusal = "Access/permission denied";
		return NULL;
	}
	json_array_foreach (json_object_get(params, "jobs"), i, id) {
		struct fake_job *job = find(json_string_value(id));

		if (!job || job->said.state != STATE_PENDING)
			continue;
		if (partitions)
			slurm_move(job, partitions, reservation);
		if (exclude)
			slurm_keep_away(job, exclude);
	}
	return json_object();
}

static const struct {
	const char *name;
	json_t *(*answer)(const json_t *params, const char **refusal);
} methods[] = {
	{"hello", do_hello},
	{"site", do_site},
	{"submit", do_submit},
	{"query", do_query},
	{"cancel", do_cancel},
	{"survey", do_survey},
	{"predict", do_predict},
	{"update", do_update},
};

/* The process. */

static void answer(void *arg)
{
	(void)arg;
	if (helper.dies) {
		process_end(helper.process, SIGSEGV);
		return;
	}
	stream_send_take(helper.stream, TAKE_PTR(helper.answer));
}

static char *refuse(
	const struct rpc_message *request, enum slurm_outcome outcome, const char *text)
{
	return rpc_format_error(request->id, RPC_FAILED, text,
		json_pack("{s:s}", "outcome", slurm_outcome_name(outcome)));
}

static char *carry_out(const struct rpc_message *request)
{
	for (size_t i = 0; i < LENGTH(methods); i++)
		if (strcmp(methods[i].name, request->method) == 0) {
			const char *refusal = NULL;
			json_t *result = methods[i].answer(request->params, &refusal);

			return result ? rpc_format_result(request->id, result)
				      : refuse(request, OUTCOME_REFUSED, refusal);
		}
	ck_abort_msg("draco-slurm is asked for \"%s\"", request->method);
}

static void serve(const struct rpc_message *request)
{
	bool greets = strcmp(request->method, "hello") == 0;
	enum fault fault = take_fault(request->method);

	if (slurm.away && !greets && fault == FAULT_NONE)
		fault = FAULT_UNREACHABLE;
	switch (fault) {
	case FAULT_NONE:
		helper.answer = carry_out(request);
		break;
	case FAULT_UNREACHABLE:
		helper.answer = refuse(request, OUTCOME_UNREACHABLE, away);
		break;
	case FAULT_REFUSED:
		helper.answer = refuse(request, OUTCOME_REFUSED, "Slurm says no");
		break;
	case FAULT_UNUSABLE:
		helper.answer = refuse(request, OUTCOME_UNUSABLE, "munged does not run");
		break;
	case FAULT_FOREIGN:
		helper.answer = refuse(request, OUTCOME_FOREIGN, "another Slurm answers here");
		break;
	case FAULT_DIE_AFTER:
	case FAULT_HANG_AFTER:
		helper.answer = carry_out(request);
		break;
	case FAULT_DIE_BEFORE:
	case FAULT_HANG_BEFORE:
		break;
	}
	helper.dies = fault == FAULT_DIE_BEFORE || fault == FAULT_DIE_AFTER;
	if (fault == FAULT_HANG_BEFORE || fault == FAULT_HANG_AFTER)
		free(TAKE_PTR(helper.answer));
	else
		loop_timer_start(helper.timer, slurm.answer_ms);
}

static void on_line(void *owner, char *line, size_t length)
{
	struct rpc_message request;
	struct err err = ERR_INIT;

	(void)owner;
	ck_assert_msg(rpc_parse(line, length, &request, &err) == 0, "%s", err.text);
	ck_assert_int_eq(request.kind, RPC_REQUEST);
	if (strcmp(request.method, "query") != 0)
		world_note("draco-slurm is asked: %s", request.method);
	serve(&request);
	rpc_message_finish(&request);
}

static void on_closed(void *owner, const char *why)
{
	(void)why;
	process_end(owner, EXITED(0));
}

static void on_end(struct process *process)
{
	(void)process;
	helper.stream = stream_destroy(helper.stream);
	helper.timer = loop_timer_destroy(helper.timer);
	free(TAKE_PTR(helper.answer));
	helper.process = NULL;
}

void slurm_helper_begin(struct process *process)
{
	static const struct stream_ops stream_ops = {on_line, on_closed};
	static const struct process_ops process_ops = {.ended = on_end};

	if (helper.process) /* dracod has closed its connection, which it has not noticed yet */
		process_end(helper.process, EXITED(0));
	if (slurm.helper_fails) {
		process_say(process->stderr_fd, slurm.helper_fails);
		process_end(process, EXITED(1));
		return;
	}
	process->ops = &process_ops;
	helper.process = process;
	helper.timer = loop_timer_create(world_loop(), answer, NULL);
	helper.stream =
		stream_create(world_loop(), TAKE_FD(process->extra_fd), &stream_ops, process);
}
