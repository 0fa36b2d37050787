/* fake_slurm.c: a scripted Slurm: its queue and the fate of its jobs. fake_helper.c is the
 * draco-slurm for it. */
#include "fake_slurm.h"
#include "clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/queue.h"
#include "common/strv.h"
#include "daemon/io/loop.h"
#include "fake_dask.h"
#include "fake_queue.h"
#include "unit.h"
#include "world.h"

#define PASS_MS	      1000
#define MIN_JOB_AGE_S 300
#define REQUEUE_MS    120000
#define END_MS	      300 /* time that workers take to end when they are asked to */

struct fake_slurm slurm;
struct fake_job_list fake_jobs = TAILQ_HEAD_INITIALIZER(fake_jobs);

static struct loop *loop;
static struct loop_timer *pass_timer;
static uint32_t last_id;
static bool taken[NODES_MAX];

static void plan_pass(void)
{
	if (!loop_timer_is_running(pass_timer))
		loop_timer_start(pass_timer, PASS_MS);
}

static void set(char **target, const char *text)
{
	xreplace(target, text ? text : "");
}

static bool in_list(const char *list, const char *name)
{
	struct strv names = STRV_INIT;
	bool found;

	strv_split(&names, list ? list : "", ',');
	found = strv_has(&names, name);
	strv_finish(&names);
	return found;
}

/* For scenarios. */

struct fake_job *job(int number)
{
	struct fake_job *job;

	TAILQ_FOREACH (job, &fake_jobs, link)
		if (number-- == 0)
			return job;
	world_fail(HERE, "job(%d): there are %d", number, jobs_submitted());
	return NULL;
}

int jobs_submitted(void)
{
	struct fake_job *job;
	int count = 0;

	TAILQ_FOREACH (job, &fake_jobs, link)
		count++;
	return count;
}

int jobs_in(enum slurm_state state)
{
	struct fake_job *job;
	int count = 0;

	TAILQ_FOREACH (job, &fake_jobs, link)
		count += job->said.state == state;
	return count;
}

void slurm_doom(enum slurm_state state, int exit_status, int64_t after_s)
{
	slurm.doomed = true;
	slurm.doom = state;
	slurm.doom_status = exit_status;
	slurm.doom_after_s = after_s;
}

static const char *reason_of(enum slurm_state state)
{
	static const char *const reasons[STATE_COUNT] = {
		[STATE_FAILED] = "NonZeroExitCode",
		[STATE_TIMEOUT] = "TimeLimit",
		[STATE_OUT_OF_MEMORY] = "OutOfMemory",
		[STATE_NODE_FAIL] = "NodeDown",
	};

	return reasons[state] ? reasons[state] : "None";
}

static void leave_node(struct fake_job *job)
{
	if (job->node >= 0)
		taken[job->node] = false;
	job->node = -1;
	plan_pass();
}

static void write_log(const struct fake_job *job, const char *text)
{
	FILE *file = fopen(job->log, "ae");

	ck_assert_msg(file != NULL, "%s", job->log);
	fprintf(file, "%s\n", text);
	fclose(file);
}

void job_end(struct fake_job *job, enum slurm_state state, int exit_status)
{
	bool ran = job->said.state == STATE_RUNNING;

	ck_assert_msg(!slurm_state_is_end(job->said.state), "job %s has ended", job->id);
	world_note("job %s ends: %s, status %d", job->id, slurm_state_name(state), exit_status);
	job->said.state = state;
	job->said.end_time = clock_elsewhere();
	job->said.exit_status = exit_status;
	set(&job->said.reason, reason_of(state));
	if (!ran)
		job->said.start_time = job->said.end_time;
	leave_node(job);
	if (ran && !job->foreign)
		dask_job_ends(job);
	loop_timer_start(job->timer, MIN_JOB_AGE_S * 1000);
}

void job_requeue(struct fake_job *job)
{
	ck_assert_int_eq(job->said.state, STATE_RUNNING);
	world_note("job %s is requeued", job->id);
	job->said.state = STATE_PENDING;
	job->said.start_time = job->said.end_time = 0;
	job->begin_ms = clock_ms() + REQUEUE_MS;
	set(&job->said.reason, "BeginTime");
	set(&job->said.nodes, NULL);
	leave_node(job);
	loop_timer_stop(job->timer);
	dask_job_ends(job);
}

void job_hold(struct fake_job *job, const char *reason)
{
	ck_assert_int_eq(job->said.state, STATE_PENDING);
	set(&job->said.reason, reason);
}

void job_release(struct fake_job *job)
{
	set(&job->said.reason, "None");
	job->begin_ms = 0;
	plan_pass();
}

void job_suspend(struct fake_job *job)
{
	ck_assert_int_eq(job->said.state, STATE_RUNNING);
	job->said.state = STATE_SUSPENDED;
	world_note("job %s is suspended", job->id);
}

void job_resume(struct fake_job *job)
{
	ck_assert_int_eq(job->said.state, STATE_SUSPENDED);
	job->said.state = STATE_RUNNING;
}

void job_extend(struct fake_job *job, int64_t by_s)
{
	ck_assert_int_eq(job->said.state, STATE_RUNNING);
	job->said.end_time += by_s;
	loop_timer_start(job->timer, (int64_t)(job->said.end_time - clock_elsewhere()) * 1000);
}

void job_forget(struct fake_job *job)
{
	TAILQ_REMOVE(&fake_jobs, job, link);
	if (job->said.state == STATE_RUNNING)
		dask_job_ends(job);
	leave_node(job);
	loop_timer_destroy(job->timer);
	slurm_job_finish(&job->said);
	free(job->partitions);
	free(job->reservation);
	free(job->exclude);
	strv_finish(&job->directives);
	free(job->log);
	free(job);
}

/* Slurm's own actions. */

/* Start the job's batch script, or fail to launch it. */
static void begin_job(struct fake_job *job)
{
	if (slurm.launches_fail > 0) {
		slurm.launches_fail--;
		job_end(job, STATE_FAILED, 0);
		job->said.exit_signal = 53;
		set(&job->said.reason, "JobLaunchFailure");
		return;
	}
	job->said.state = STATE_RUNNING;
	job->said.start_time = clock_elsewhere();
	job->said.end_time = job->said.start_time + job->walltime_s;
	job->fate = STATE_TIMEOUT;
	job->fate_status = 0;
	loop_timer_start(job->timer, job->walltime_s * 1000);
	if (slurm.doomed &&
		(!slurm.doomed_node || strcmp(slurm.doomed_node, job->said.nodes) == 0)) {
		job->fate = slurm.doom;
		job->fate_status = slurm.doom_status;
		loop_timer_start(job->timer, slurm.doom_after_s * 1000);
	}
	world_note("job %s runs on %s in %s", job->id, job->said.nodes, job->said.partition);
	if (!job->foreign)
		dask_job_starts(job);
}

static void on_timer(void *arg)
{
	struct fake_job *job = arg;

	if (slurm_state_is_end(job->said.state)) {
		world_note("job %s is forgotten", job->id);
		/* No query shows the job, but job(N) still counts it. */
		job->said.name[0] = '\0';
		return;
	}
	if (job->said.state == STATE_CONFIGURING) {
		begin_job(job);
		return;
	}
	if (job->fate_status && slurm.doom_text)
		write_log(job, slurm.doom_text);
	job_end(job, job->fate, job->fate_status);
}

static void run(struct fake_job *job, const struct fake_partition *partition, int node)
{
	char name[16];

	snprintf(name, sizeof(name), "n%d", node + 1);
	taken[node] = true;
	job->node = node;
	set(&job->said.nodes, name);
	set(&job->said.partition, partition->name);
	set(&job->said.reason, "None");
	if (!slurm.boots_s) {
		begin_job(job);
		return;
	}
	job->said.state = STATE_CONFIGURING;
	job->said.start_time = clock_elsewhere();
	loop_timer_start(job->timer, slurm.boots_s * 1000);
	world_note("job %s waits for %s to boot", job->id, name);
}

/* A full reservation blocks only jobs in it: it has nodes of its own. */
static bool is_full(const struct fake_job *job, const struct fake_partition *partition)
{
	for (size_t i = 0; job->reservation && i < RESERVATION_MAX; i++)
		if (slurm.reservation[i].name &&
			strcmp(slurm.reservation[i].name, job->reservation) == 0)
			return slurm.reservation[i].full;
	return partition->busy || partition->never;
}

static const struct fake_partition *find_open(const struct fake_job *job)
{
	struct strv names = STRV_INIT;
	const struct fake_partition *found = NULL;

	strv_split(&names, job->partitions, ',');
	for (size_t i = 0; i < names.count && !found; i++) {
		const struct fake_partition *p = slurm_find_partition(names.item[i]);

		if (p && !p->down && !is_full(job, p))
			found = p;
	}
	strv_finish(&names);
	return found;
}

static int find_node(const struct fake_job *job)
{
	for (int i = 0; i < slurm.nodes; i++) {
		char name[16];

		if (taken[i])
			continue;
		snprintf(name, sizeof(name), "n%d", i + 1);
		if (!job->exclude || !in_list(job->exclude, name))
			return i;
	}
	return -1;
}

static void schedule(void *arg)
{
	struct fake_job *job;

	(void)arg;
	TAILQ_FOREACH (job, &fake_jobs, link) {
		const struct fake_partition *partition;
		int node;

		if (job->said.state != STATE_PENDING || strstr(job->said.reason, "Held"))
			continue;
		plan_pass();
		if (job->begin_ms > clock_ms())
			continue;
		partition = find_open(job);
		node = find_node(job);
		if (partition && node >= 0)
			run(job, partition, node);
		else
			set(&job->said.reason, "Resources");
	}
}

/* For draco-slurm. */

struct fake_partition *slurm_find_partition(const char *name)
{
	for (size_t i = 0; i < LENGTH(slurm.partition) && slurm.partition[i].name; i++)
		if (strcmp(slurm.partition[i].name, name) == 0)
			return &slurm.partition[i];
	return NULL;
}

static char *log_path(const struct slurm_submission *wish, const struct fake_job *job)
{
	const char *name = strrchr(wish->output, '/');

	return xasprintf("%.*s/job-%s.log", (int)(name - wish->output), wish->output, job->id);
}

static char *excluded_by(const struct slurm_submission *wish)
{
	static const char option[] = "exclude=";

	for (size_t i = 0; i < wish->directives.count; i++)
		if (strncmp(wish->directives.item[i], option, strlen(option)) == 0)
			return xstrdup(wish->directives.item[i] + strlen(option));
	return NULL;
}

static void add(const struct slurm_submission *wish, uint32_t id, int64_t task)
{
	struct fake_job *job = xcalloc(1, sizeof(*job));

	job->said = (struct slurm_job){
		.job_id = id,
		.task = task,
		.name = xstrdup(wish->name),
		.state = STATE_PENDING,
		.reason = xstrdup("None"),
		.partition = xstrdup(wish->partition),
		.nodes = xstrdup(""),
		.submit_time = clock_elsewhere(),
	};
	slurm_job_format_id(id, task, job->id);
	job->partitions = xstrdup(wish->partition);
	job->reservation = wish->reservation ? xstrdup(wish->reservation) : NULL;
	job->exclude = excluded_by(wish);
	strv_copy(&job->directives, &wish->directives);
	job->log = log_path(wish, job);
	job->walltime_s = wish->walltime_s;
	job->node = -1;
	job->timer = loop_timer_create(loop, on_timer, job);
	TAILQ_INSERT_TAIL(&fake_jobs, job, link);
}

uint32_t slurm_submit(const struct slurm_submission *wish)
{
	uint32_t id = ++last_id;

	slurm.submissions++;
	free(slurm.last_exclude);
	slurm.last_exclude = excluded_by(wish);
	for (int64_t i = 0; i < wish->count; i++)
		add(wish, id, wish->count > 1 ? i : SLURM_NO_TASK);
	plan_pass();
	return id;
}

struct fake_job *slurm_add_job(const char *name)
{
	struct slurm_submission wish = {
		.name = UNCONST(name),
		.count = 1,
		.partition = UNCONST("short"),
		.output = UNCONST("/dev/null"),
		.walltime_s = 3600,
	};
	struct fake_job *job;

	slurm_submit(&wish);
	job = TAILQ_LAST(&fake_jobs, fake_job_list);
	job->foreign = true;
	run(job, &slurm.partition[0], find_node(job));
	return job;
}

static void terminate(struct fake_job *job)
{
	if (job->said.state != STATE_RUNNING || job->deaf)
		return;
	job->fate = STATE_COMPLETED;
	job->fate_status = 0;
	loop_timer_start(job->timer, END_MS);
}

void slurm_cancel(struct fake_job *job, enum slurm_cancel_how how)
{
	if (slurm_state_is_end(job->said.state))
		return;
	if (how == CANCEL_TERMINATE)
		terminate(job);
	job->killed |= how == CANCEL_KILL;
	if (how != CANCEL_TERMINATE && (job->killed || !job->clinging))
		job_end(job, STATE_CANCELLED, 0);
}

void slurm_move(struct fake_job *job, const char *partitions, const char *reservation)
{
	xreplace(&job->partitions, partitions);
	xreplace(&job->said.partition, partitions);
	xreplace(&job->reservation, reservation && *reservation ? reservation : NULL);
	job->updated = true;
	plan_pass();
}

void slurm_keep_away(struct fake_job *job, const char *nodes)
{
	xreplace(&job->exclude, nodes);
}

void slurm_begin(struct loop *in)
{
	loop = in;
	last_id = 0;
	memset(taken, 0, sizeof(taken));
	slurm = (struct fake_slurm){
		.nodes = 8,
		.partition = {{.name = "short", .cores = 8, .memory_mib = 16000},
			{.name = "standard", .cores = 8, .memory_mib = 16000}},
		.array_max = 1000,
		.answer_ms = 5,
	};
	pass_timer = loop_timer_create(loop, schedule, NULL);
	slurm_faults_clear();
}

void slurm_end(void)
{
	while (!TAILQ_EMPTY(&fake_jobs)) {
		struct fake_job *job = TAILQ_FIRST(&fake_jobs);

		job->said.state = STATE_PENDING; /* its workers do not have to leave any more */
		job_forget(job);
	}
	pass_timer = loop_timer_destroy(pass_timer);
	free(TAKE_PTR(slurm.last_exclude));
}
