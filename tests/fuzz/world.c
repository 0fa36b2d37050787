/* world.c: the clock of a dracod without the world around it, draco-slurm, and its processes. */
#include "world.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/queue.h"
#include "daemon/io/capture.h"
#include "daemon/io/child.h"
#include "daemon/io/loop.h"
#include "daemon/slurm/helper.h"
#include "fuzz.h"

#define BEGIN_MS    1000000
#define BEGIN_S	    1796000000
#define STEPS_MAX   1000 /* timers that fire without any time between */
#define WAITING_MAX 64	 /* requests to draco-slurm, as in slurm.c */

struct loop_timer {
	TAILQ_ENTRY(loop_timer) link; /* timers */
	loop_fn fn;
	void *arg;
	bool running;
	int64_t at_ms;
};

struct question {
	TAILQ_ENTRY(question) link; /* questions */
	char *method;
	slurm_reply_fn fn;
	void *arg;
};

struct child {
	TAILQ_ENTRY(child) link; /* processes */
	child_exit_fn fn;	 /* NULL: forgotten */
	void *arg;
	int signal; /* that it was sent; 0: none */
};

static TAILQ_HEAD(, loop_timer) timers = TAILQ_HEAD_INITIALIZER(timers);
static TAILQ_HEAD(, question) questions = TAILQ_HEAD_INITIALIZER(questions);
static TAILQ_HEAD(, child) processes = TAILQ_HEAD_INITIALIZER(processes);
static int64_t now_ms;
static int question_count;
static capture_fn capture_done;
static void *capture_arg;
static bool exited;

int64_t __wrap_loop_now_ms(void);
struct loop_timer *__wrap_loop_timer_create(struct loop *loop, loop_fn fn, void *arg);
void __wrap_loop_timer_start(struct loop_timer *timer, int64_t in_ms);
void __wrap_loop_timer_stop(struct loop_timer *timer);
bool __wrap_loop_timer_is_running(const struct loop_timer *timer);
void __wrap_loop_exit(struct loop *loop);
struct loop_timer *__wrap_loop_timer_destroy(struct loop_timer *timer);
int __wrap_slurm_request(struct slurm *slurm, const char *method, json_t *params,
	int64_t deadline_ms, slurm_reply_fn fn, void *arg);
void __wrap_slurm_rest(struct slurm *slurm);
void __wrap_slurm_use(struct slurm *slurm, const struct strv *variables, json_t *expected);
void __wrap_slurm_health(const struct slurm *slurm, struct slurm_health *ret);
int __wrap_slurm_helper_pid(const struct slurm *slurm);
struct child *__wrap_child_start(struct children *children, const struct child_spec *spec,
	child_exit_fn fn, void *arg, struct err *err);
pid_t __wrap_child_pid(const struct child *child);
void __wrap_child_signal(struct child *child, int signal_number);
void __wrap_child_forget(struct child *child);
struct capture *__wrap_capture_start(struct loop *loop, struct children *children,
	const struct child_spec *spec, int64_t deadline_ms, capture_fn fn, void *arg,
	struct err *err);
struct capture *__wrap_capture_cancel(struct capture *capture);
time_t __wrap_time(time_t *ret);

/* The clock and its timers. */

int64_t __wrap_loop_now_ms(void)
{
	return now_ms;
}

time_t __wrap_time(time_t *ret)
{
	time_t now = BEGIN_S + (now_ms - BEGIN_MS) / 1000;

	if (ret)
		*ret = now;
	return now;
}

struct loop_timer *__wrap_loop_timer_create(struct loop *loop, loop_fn fn, void *arg)
{
	struct loop_timer *timer = xcalloc(1, sizeof(*timer));

	(void)loop;
	timer->fn = fn;
	timer->arg = arg;
	TAILQ_INSERT_TAIL(&timers, timer, link);
	return timer;
}

void __wrap_loop_timer_start(struct loop_timer *timer, int64_t in_ms)
{
	fuzz_require(in_ms < INT64_MAX / 2);
	timer->running = true;
	timer->at_ms = now_ms + (in_ms > 0 ? in_ms : 0);
}

void __wrap_loop_timer_stop(struct loop_timer *timer)
{
	timer->running = false;
}

bool __wrap_loop_timer_is_running(const struct loop_timer *timer)
{
	return timer->running;
}

struct loop_timer *__wrap_loop_timer_destroy(struct loop_timer *timer)
{
	if (timer)
		TAILQ_REMOVE(&timers, timer, link);
	free(timer);
	return NULL;
}

void __wrap_loop_exit(struct loop *loop)
{
	(void)loop;
	exited = true;
}

bool world_has_exited(void)
{
	return exited;
}

static struct loop_timer *first_timer(int64_t until_ms)
{
	struct loop_timer *timer, *first = NULL;

	TAILQ_FOREACH (timer, &timers, link)
		if (timer->running && timer->at_ms <= until_ms &&
			(!first || timer->at_ms < first->at_ms))
			first = timer;
	return first;
}

/* Processes that were sent a signal end, in a turn of the loop of their own. */
static void end_signalled(void)
{
	struct child *child, *next;

	TAILQ_FOREACH_SAFE (child, &processes, link, next) {
		if (!child->signal)
			continue;
		TAILQ_REMOVE(&processes, child, link);
		if (child->fn)
			child->fn(child->arg, child->signal);
		free(child);
	}
}

void world_pass(int64_t ms)
{
	int64_t until_ms = now_ms + ms;
	struct loop_timer *timer;
	int steps = 0;

	while (!exited && (timer = first_timer(until_ms))) {
		if (timer->at_ms > now_ms) {
			now_ms = timer->at_ms;
			steps = 0;
		}
		fuzz_require(++steps < STEPS_MAX);
		timer->running = false;
		timer->fn(timer->arg);
	}
	now_ms = until_ms;
	end_signalled();
}

/* draco-slurm. */

static void question_free(struct question *question)
{
	TAILQ_REMOVE(&questions, question, link);
	question_count--;
	free(question->method);
	free(question);
}

int __wrap_slurm_request(struct slurm *slurm, const char *method, json_t *params,
	int64_t deadline_ms, slurm_reply_fn fn, void *arg)
{
	struct question *question;

	(void)slurm;
	fuzz_require(deadline_ms > 0 && json_is_object(params));
	json_decref(params);
	if (question_count >= WAITING_MAX)
		return -EBUSY;
	question = xcalloc(1, sizeof(*question));
	question->method = xstrdup(method);
	question->fn = fn;
	question->arg = arg;
	question_count++;
	TAILQ_INSERT_TAIL(&questions, question, link);
	return 0;
}

bool world_answer_slurm(const char *method, enum slurm_outcome outcome, const json_t *result,
	const struct err *err)
{
	struct question *question;
	slurm_reply_fn fn;
	void *arg;

	TAILQ_FOREACH (question, &questions, link)
		if (strcmp(question->method, method) == 0)
			break;
	if (!question)
		return false;
	fn = question->fn;
	arg = question->arg;
	question_free(question); /* first: fn may ask the next one */
	if (fn)
		fn(arg, outcome, outcome == OUTCOME_DONE ? result : NULL,
			outcome == OUTCOME_DONE ? NULL : err);
	return true;
}

void __wrap_slurm_use(struct slurm *slurm, const struct strv *variables, json_t *expected)
{
	(void)slurm;
	(void)variables;
	json_decref(expected);
}

void __wrap_slurm_rest(struct slurm *slurm)
{
	(void)slurm;
}

void __wrap_slurm_health(const struct slurm *slurm, struct slurm_health *ret)
{
	(void)slurm;
	*ret = (struct slurm_health){.asked = true,
		.answering = TAILQ_EMPTY(&questions),
		.since_ms = now_ms,
		.text = "",
		.version = "22.05.8"};
}

int __wrap_slurm_helper_pid(const struct slurm *slurm)
{
	(void)slurm;
	return WORLD_PID;
}

/* Child processes. */

struct child *__wrap_child_start(struct children *children, const struct child_spec *spec,
	child_exit_fn fn, void *arg, struct err *err)
{
	struct child *child = xcalloc(1, sizeof(*child));

	(void)children;
	(void)err;
	fuzz_require(spec->argv[0] && spec->argv[0][0] == '/');
	child->fn = fn;
	child->arg = arg;
	TAILQ_INSERT_TAIL(&processes, child, link);
	return child;
}

pid_t __wrap_child_pid(const struct child *child)
{
	(void)child;
	return WORLD_PID;
}

void __wrap_child_signal(struct child *child, int signal_number)
{
	if (child->signal != SIGKILL)
		child->signal = signal_number;
}

void __wrap_child_forget(struct child *child)
{
	child->fn = NULL;
}

bool world_end_child(int status)
{
	struct child *child = TAILQ_FIRST(&processes);

	if (!child)
		return false;
	TAILQ_REMOVE(&processes, child, link);
	if (child->fn)
		child->fn(child->arg, status);
	free(child);
	return true;
}

struct capture *__wrap_capture_start(struct loop *loop, struct children *children,
	const struct child_spec *spec, int64_t deadline_ms, capture_fn fn, void *arg,
	struct err *err)
{
	(void)loop;
	(void)children;
	(void)err;
	fuzz_require(!capture_done && spec->argv[0][0] == '/' && deadline_ms > 0);
	capture_done = fn;
	capture_arg = arg;
	return (struct capture *)&capture_done;
}

struct capture *__wrap_capture_cancel(struct capture *capture)
{
	if (capture)
		capture_done = NULL;
	return NULL;
}

bool world_end_capture(int status, bool timed_out, const char *output)
{
	capture_fn done = capture_done;

	capture_done = NULL;
	if (done)
		done(capture_arg, status, timed_out, output);
	return done != NULL;
}

void world_reset(void)
{
	struct child *child;

	world_reset_sockets();
	while (!TAILQ_EMPTY(&questions))
		question_free(TAILQ_FIRST(&questions));
	while ((child = TAILQ_FIRST(&processes))) {
		TAILQ_REMOVE(&processes, child, link);
		free(child);
	}
	fuzz_require(TAILQ_EMPTY(&timers)); /* whoever made one has destroyed it */
	capture_done = NULL;
	exited = false;
	now_ms = BEGIN_MS;
}
