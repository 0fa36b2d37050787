/* world.c: the clock of a dracod without the world around it, and its processes. */
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
#include "fuzz.h"

#define BEGIN_MS  1000000
#define BEGIN_S	  1796000000
#define STEPS_MAX 1000 /* timers that fire without any time between */

struct loop_timer {
	TAILQ_ENTRY(loop_timer) link; /* timers */
	loop_fn fn;
	void *arg;
	bool running;
	int64_t at_ms;
};

struct child {
	TAILQ_ENTRY(child) link; /* processes */
	child_exit_fn fn;	 /* NULL: forgotten */
	void *arg;
	int signal; /* that it was sent; 0: none */
	pid_t pid;
	char *cluster_id; /* of a scheduler; NULL: another process */
};

static TAILQ_HEAD(, loop_timer) timers = TAILQ_HEAD_INITIALIZER(timers);
static TAILQ_HEAD(, child) processes = TAILQ_HEAD_INITIALIZER(processes);
bool world_lasts;
unsigned world_deeds;

static int64_t now_ms;
static pid_t last_pid = WORLD_PID - 1;
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
struct child *__wrap_child_start(struct children *children, const struct child_spec *spec,
	child_exit_fn fn, void *arg, struct err *err);
pid_t __wrap_child_pid(const struct child *child);
void __wrap_child_signal(struct child *child, int signal_number);
void __wrap_child_forget(struct child *child);
struct child *__wrap_child_adopt(
	struct children *children, pid_t pid, child_exit_fn fn, void *arg);
int64_t __wrap_host_process_start(int pid);
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

int64_t world_next_ms(void)
{
	struct loop_timer *timer = first_timer(INT64_MAX);

	return !timer ? -1 : timer->at_ms > now_ms ? timer->at_ms - now_ms : 0;
}

void world_timers(void (*add)(void *arg, uintptr_t fn, int64_t in_ms), void *arg)
{
	struct loop_timer *timer;

	TAILQ_FOREACH (timer, &timers, link)
		if (timer->running)
			add(arg, (uintptr_t)timer->fn, timer->at_ms - now_ms);
}

static void child_free(struct child *child)
{
	TAILQ_REMOVE(&processes, child, link);
	free(child->cluster_id);
	free(child);
}

static void end_child(struct child *child, int status)
{
	child_exit_fn fn = child->fn;
	void *arg = child->arg;

	child_free(child); /* first: fn may look whether it runs */
	if (fn)
		fn(arg, status);
}

/* Processes that were sent a signal end, in a turn of the loop of their own. */
static void end_signalled(void)
{
	struct child *child, *next;

	TAILQ_FOREACH_SAFE (child, &processes, link, next)
		if (child->signal)
			end_child(child, child->signal);
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

/* Child processes. */

/* The id in the environment of a scheduler; NULL: it is another program. */
static char *cluster_of(const struct child_spec *spec)
{
	static const char variable[] = "DRACO_CLUSTER_ID=";

	for (size_t i = 0; spec->envp && spec->envp[i]; i++)
		if (strncmp(spec->envp[i], variable, strlen(variable)) == 0)
			return xstrdup(spec->envp[i] + strlen(variable));
	return NULL;
}

struct child *__wrap_child_start(struct children *children, const struct child_spec *spec,
	child_exit_fn fn, void *arg, struct err *err)
{
	struct child *child = xcalloc(1, sizeof(*child));

	(void)children;
	(void)err;
	fuzz_require(spec->argv[0] && (spec->argv[0][0] == '/' || spec->search));
	world_deeds++;
	child->pid = last_pid = world_lasts ? last_pid + 1 : WORLD_PID;
	child->cluster_id = cluster_of(spec);
	child->fn = fn;
	child->arg = arg;
	TAILQ_INSERT_TAIL(&processes, child, link);
	return child;
}

pid_t __wrap_child_pid(const struct child *child)
{
	return child->pid;
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

	if (child)
		end_child(child, status);
	return child != NULL;
}

static struct child *find_process(pid_t pid)
{
	struct child *child;

	TAILQ_FOREACH (child, &processes, link)
		if (child->pid == pid)
			return child;
	return NULL;
}

struct child *__wrap_child_adopt(
	struct children *children, pid_t pid, child_exit_fn fn, void *arg)
{
	struct child *child = find_process(pid);

	(void)children;
	if (child) {
		child->fn = fn;
		child->arg = arg;
	}
	return child;
}

int64_t __wrap_host_process_start(int pid)
{
	return find_process(pid) ? pid : 0;
}

static struct child *find_scheduler(void)
{
	struct child *child;

	TAILQ_FOREACH (child, &processes, link)
		if (child->cluster_id)
			return child;
	return NULL;
}

int world_scheduler(const char **ret_cluster_id)
{
	struct child *child = find_scheduler();

	if (!child)
		return 0;
	*ret_cluster_id = child->cluster_id;
	return child->pid;
}

void world_end_scheduler(int status)
{
	struct child *child = find_scheduler();

	if (child)
		end_child(child, status);
}

struct capture *__wrap_capture_start(struct loop *loop, struct children *children,
	const struct child_spec *spec, int64_t deadline_ms, capture_fn fn, void *arg,
	struct err *err)
{
	(void)loop;
	(void)children;
	(void)err;
	fuzz_require(
		!capture_done && (spec->argv[0][0] == '/' || spec->search) && deadline_ms > 0);
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

void world_kill(void)
{
	struct child *child, *next;

	world_reset_sockets();
	world_reset_slurm();
	while (!TAILQ_EMPTY(&timers))
		__wrap_loop_timer_destroy(TAILQ_FIRST(&timers));
	TAILQ_FOREACH_SAFE (child, &processes, link, next) {
		child->fn = NULL;
		if (!child->cluster_id)
			child_free(child);
	}
	capture_done = NULL;
	exited = false;
}

void world_reset(void)
{
	world_reset_sockets();
	world_reset_slurm();
	while (!TAILQ_EMPTY(&processes))
		child_free(TAILQ_FIRST(&processes));
	fuzz_require(TAILQ_EMPTY(&timers)); /* whoever made one has destroyed it */
	capture_done = NULL;
	exited = false;
	now_ms = BEGIN_MS;
}
