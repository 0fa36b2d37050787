/* world.c: a dracod without the world around it: what the linker puts in place of the functions that reach
 * outside. The names are the linker's. */
#include "world.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/host.h"
#include "common/queue.h"
#include "common/rpc.h"
#include "daemon/capture.h"
#include "daemon/child.h"
#include "daemon/jobscript.h"
#include "daemon/listener.h"
#include "daemon/loop.h"
#include "daemon/netif.h"
#include "daemon/port.h"
#include "daemon/slurm.h"
#include "daemon/statefile.h"
#include "daemon/stream.h"
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

struct stream {
	TAILQ_ENTRY(stream) link; /* streams */
	const struct stream_ops *ops;
	void *owner;
	bool calling, dead;
};

struct request {
	TAILQ_ENTRY(request) link; /* requests */
	json_int_t id;
};

static TAILQ_HEAD(, loop_timer) timers = TAILQ_HEAD_INITIALIZER(timers);
static TAILQ_HEAD(, question) questions = TAILQ_HEAD_INITIALIZER(questions);
static TAILQ_HEAD(, child) processes = TAILQ_HEAD_INITIALIZER(processes);
static TAILQ_HEAD(stream_list, stream) streams = TAILQ_HEAD_INITIALIZER(streams);
static TAILQ_HEAD(, request) requests = TAILQ_HEAD_INITIALIZER(requests);
static int64_t now_ms;
static int question_count;
static capture_fn capture_done;
static void *capture_arg;
static listener_fn listener_connect;
static void *listener_arg;

int64_t __wrap_loop_now_ms(void);
struct loop_timer *__wrap_loop_timer_create(struct loop *loop, loop_fn fn, void *arg);
void __wrap_loop_timer_start(struct loop_timer *timer, int64_t in_ms);
void __wrap_loop_timer_stop(struct loop_timer *timer);
bool __wrap_loop_timer_is_running(const struct loop_timer *timer);
struct loop_timer *__wrap_loop_timer_destroy(struct loop_timer *timer);
int __wrap_slurm_request(struct slurm *slurm, const char *method, json_t *params,
	int64_t deadline_ms, slurm_reply_fn fn, void *arg);
void __wrap_slurm_rest(struct slurm *slurm);
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
struct listener *__wrap_listener_create(
	struct loop *loop, const char *path, listener_fn fn, void *arg, struct err *err);
struct listener *__wrap_listener_destroy(struct listener *listener);
struct stream *__wrap_stream_create(
	struct loop *loop, int fd, const struct stream_ops *ops, void *owner);
void __wrap_stream_send_take(struct stream *stream, char *text);
struct stream *__wrap_stream_destroy(struct stream *stream);
char *__wrap_jobscript_make(const struct jobscript *script);
int __wrap_statefile_write(const char *path, json_t *object, struct err *err);
json_t *__wrap_statefile_read(const char *path);
int __wrap_logdir_make(const char *base, char **ret_path, struct err *err);
char *__wrap_logdir_tail(const char *path, int max_lines);
int __wrap_port_choose(const char *address, struct err *err);
int __wrap_netif_collect(struct netif_list *ret, struct err *err);
struct in_addr __wrap_netif_source(struct in_addr address);
void __wrap_host_get(struct host *ret);
time_t __wrap_time(time_t *ret);
ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags);

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

	while ((timer = first_timer(until_ms))) {
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

/* Connections: only the preload's. */

struct listener *__wrap_listener_create(
	struct loop *loop, const char *path, listener_fn fn, void *arg, struct err *err)
{
	(void)loop;
	(void)path;
	(void)err;
	listener_connect = fn;
	listener_arg = arg;
	return (struct listener *)&listener_connect;
}

struct listener *__wrap_listener_destroy(struct listener *listener)
{
	(void)listener;
	listener_connect = NULL;
	return NULL;
}

struct stream *__wrap_stream_create(
	struct loop *loop, int fd, const struct stream_ops *ops, void *owner)
{
	struct stream *stream = xcalloc(1, sizeof(*stream));

	(void)loop;
	(void)fd;
	stream->ops = ops;
	stream->owner = owner;
	TAILQ_INSERT_TAIL(&streams, stream, link);
	return stream;
}

void __wrap_stream_send_take(struct stream *stream, char *text)
{
	struct rpc_message message;
	struct request *request;

	(void)stream;
	fuzz_require(rpc_parse(text, strlen(text), &message, NULL) == 0);
	if (message.kind == RPC_REQUEST) {
		request = xcalloc(1, sizeof(*request));
		request->id = json_integer_value(message.id);
		TAILQ_INSERT_TAIL(&requests, request, link);
	}
	rpc_message_finish(&message);
	free(text);
}

static void stream_release(struct stream *stream)
{
	TAILQ_REMOVE(&streams, stream, link);
	free(stream);
}

struct stream *__wrap_stream_destroy(struct stream *stream)
{
	if (stream && stream->calling)
		stream->dead = true;
	else if (stream)
		stream_release(stream);
	return NULL;
}

/* On the newest connection; the preload connects where there is none. */
void world_say(const char *line, size_t length)
{
	char *copy = fuzz_text((const uint8_t *)line, length);
	struct stream *stream;

	if (TAILQ_EMPTY(&streams))
		listener_connect(listener_arg, -1, WORLD_PID);
	stream = TAILQ_LAST(&streams, stream_list);
	stream->calling = true;
	stream->ops->line(stream->owner, copy, length);
	stream->calling = false;
	if (stream->dead)
		stream_release(stream);
	free(copy);
}

bool world_hang_up(const char *why)
{
	struct stream *stream = TAILQ_FIRST(&streams);

	if (!stream)
		return false;
	stream->calling = true;
	stream->ops->closed(stream->owner, why);
	stream->calling = false;
	fuzz_require(stream->dead); /* as stream.h asks for */
	stream_release(stream);
	return true;
}

void world_connect(void)
{
	listener_connect(listener_arg, -1, WORLD_PID);
}

json_int_t world_take_request(void)
{
	struct request *request = TAILQ_FIRST(&requests);
	json_int_t id = request ? request->id : 0;

	if (request)
		TAILQ_REMOVE(&requests, request, link);
	free(request);
	return id;
}

/* Files, and what this host is. */

char *__wrap_jobscript_make(const struct jobscript *script)
{
	fuzz_require(script->processes > 0 && script->threads > 0 && script->bytes > 0);
	return xstrdup("#!/bin/bash\n");
}

int __wrap_statefile_write(const char *path, json_t *object, struct err *err)
{
	(void)path;
	(void)err;
	fuzz_require(json_is_object(object));
	json_decref(object);
	return 0;
}

json_t *__wrap_statefile_read(const char *path)
{
	(void)path;
	return NULL;
}

int __wrap_logdir_make(const char *base, char **ret_path, struct err *err)
{
	(void)base;
	(void)err;
	*ret_path = xstrdup("/nonexistent/logs");
	return 0;
}

char *__wrap_logdir_tail(const char *path, int max_lines)
{
	(void)path;
	(void)max_lines;
	return NULL;
}

int __wrap_port_choose(const char *address, struct err *err)
{
	(void)address;
	(void)err;
	return 8786;
}

int __wrap_netif_collect(struct netif_list *ret, struct err *err)
{
	(void)err;
	*ret = (struct netif_list){0};
	return 0;
}

struct in_addr __wrap_netif_source(struct in_addr address)
{
	return address;
}

void __wrap_host_get(struct host *ret)
{
	*ret = (struct host){.name = "login1", .boot = "b"};
}

ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags)
{
	(void)flags;
	memset(buffer, 0x42, size);
	return (ssize_t)size;
}

void world_reset(void)
{
	struct child *child;

	while (!TAILQ_EMPTY(&questions))
		question_free(TAILQ_FIRST(&questions));
	while (!TAILQ_EMPTY(&streams))
		stream_release(TAILQ_FIRST(&streams));
	while (world_take_request())
		;
	while ((child = TAILQ_FIRST(&processes))) {
		TAILQ_REMOVE(&processes, child, link);
		free(child);
	}
	fuzz_require(TAILQ_EMPTY(&timers)); /* whoever made one has destroyed it */
	capture_done = NULL;
	now_ms = BEGIN_MS;
}
