/* helper.c: the requests to Slurm. Each is answered later, or gives up at its deadline. */
#include "daemon/slurm/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/line.h"
#include "common/log.h"
#include "common/queue.h"
#include "common/rpc.h"
#include "common/slurm_variables.h"
#include "common/strv.h"
#include "daemon/io/child.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/io/stream.h"
#include "daemon/slurm/helper_words.h"
#include "daemon/slurm/slurm_way.h"

#define WAITING_MAX	  64
#define HELLO_DEADLINE_MS 15000
#define OVERDUE_MS	  2000	/* an answer this late is told to the user */
#define VERY_LATE_MS	  60000 /* a request outlives its deadline by this */
#define BACKOFF_FIRST_MS  250
#define BACKOFF_MAX_MS	  30000

struct request {
	TAILQ_ENTRY(request) link; /* slurm.waiting */
	json_int_t id;
	char *method;
	char *line;
	int64_t deadline_ms;
	slurm_reply_fn fn;
	void *arg;
};

struct slurm {
	struct loop *loop;
	struct children *children;
	char *helper_path;
	bool used;	       /* slurm_use() has set variables and expected */
	struct strv variables; /* of the last start */
	json_t *expected;      /* the only Slurm that may answer; NULL: any */

	struct child *child; /* NULL: it has ended, or was never started */
	struct stream *stream;
	struct helper_words *words;
	char end_text[ERR_TEXT_MAX]; /* how the last process ended */
	bool greeted;
	bool late;     /* it is killed for missing a deadline */
	bool killed;   /* it was killed, or it crashed */
	bool outdated; /* replace it by a process with the present variables */
	bool resting;  /* let it end once no request waits */

	struct request *working; /* sent, not answered */
	int64_t sent_ms;
	TAILQ_HEAD(, request) waiting;
	json_int_t last_id;
	struct loop_timer *deadline;
	struct loop_timer *restart;
	int64_t backoff_ms;

	bool asked;
	int64_t answered_ms; /* loop time of the last answer of slurmctld */
	int64_t failing_ms;  /* loop time of the first failure after that; 0: none */
	bool foreign;	     /* the last failure: another Slurm has answered */
	char fail_text[ERR_TEXT_MAX];
	struct slurm_way way;
};

static void send_next(struct slurm *slurm);

/* Update slurmctld's health from the outcome of a request. */
static void note_outcome(struct slurm *slurm, enum slurm_outcome outcome, const struct err *err)
{
	if (outcome == OUTCOME_DONE || outcome == OUTCOME_REFUSED || outcome == OUTCOME_BUSY) {
		if (slurm->failing_ms)
			history_note(EVENT_NOTE, "slurm", NULL, "answers again");
		slurm->answered_ms = loop_now_ms();
		slurm->failing_ms = 0;
		slurm->foreign = false;
		slurm->backoff_ms = 0;
		return;
	}
	slurm->foreign = outcome == OUTCOME_FOREIGN;
	if (!slurm->failing_ms) {
		slurm->failing_ms = slurm->working ? slurm->sent_ms : loop_now_ms();
		history_failure("slurm", NULL, NULL, "%s: %s",
			outcome == OUTCOME_UNUSABLE || slurm->foreign ? "cannot be used"
								      : "does not answer",
			err->text);
	}
	strcpy(slurm->fail_text, err->text);
}

static void request_free(struct request *request)
{
	if (request) {
		free(request->method);
		free(request->line);
	}
	free(request);
}

/* Answer a request and free it. */
static void answer(struct slurm *slurm, struct request *request, enum slurm_outcome outcome,
	const json_t *result, const struct err *err)
{
	/* draco-slurm itself answers hello, without asking slurmctld. */
	if (outcome != OUTCOME_DONE || slurm->greeted)
		note_outcome(slurm, outcome, err);
	if (slurm->working == request) {
		slurm->working = NULL;
		loop_timer_stop(slurm->deadline);
	}
	if (request->fn)
		request->fn(request->arg, outcome, result, err);
	request_free(request);
}

/* The process has ended and its connection is closed: the request in work fails. */
static void helper_gone(struct slurm *slurm)
{
	struct err err = ERR_INIT;
	_cleanup_free_ char *words = NULL;
	enum slurm_outcome outcome = OUTCOME_UNCERTAIN;
	bool greeted = slurm->greeted;

	helper_words_end(slurm->words);
	slurm->greeted = false;
	words = helper_words_last(slurm->words);
	if (*words && !greeted)
		err_set(&err, -EIO, "%s: %s", slurm->end_text, words);
	else
		err_set(&err, -EIO, "%s", slurm->end_text);
	if (!greeted) /* no request was sent yet */
		outcome = slurm->killed ? OUTCOME_UNREACHABLE : OUTCOME_UNUSABLE;
	log_warning("%s", err.text);
	if (slurm->working)
		answer(slurm, slurm->working, outcome, NULL, &err);
	while (!greeted && !TAILQ_EMPTY(&slurm->waiting)) {
		struct request *request = TAILQ_FIRST(&slurm->waiting);

		TAILQ_REMOVE(&slurm->waiting, request, link);
		answer(slurm, request, outcome, NULL, &err);
	}
	slurm->backoff_ms = slurm->backoff_ms ? slurm->backoff_ms * 2 : BACKOFF_FIRST_MS;
	if (slurm->backoff_ms > BACKOFF_MAX_MS)
		slurm->backoff_ms = BACKOFF_MAX_MS;
	if (!TAILQ_EMPTY(&slurm->waiting))
		loop_timer_start(slurm->restart, slurm->backoff_ms);
}

static void on_helper_exit(void *arg, int status)
{
	struct slurm *slurm = arg;
	char text[CHILD_STATUS_MAX];

	slurm->child = NULL;
	slurm->killed = !child_not_executed(status) && WIFSIGNALED(status) &&
		(!*slurm->end_text || slurm->late);
	if (!*slurm->end_text)
		snprintf(slurm->end_text, sizeof(slurm->end_text), "draco-slurm %s",
			child_format_status(status, text));
	if (!slurm->stream)
		helper_gone(slurm);
}

static void on_closed(void *owner, const char *why)
{
	struct slurm *slurm = owner;

	(void)why;
	slurm->stream = stream_destroy(slurm->stream);
	if (!slurm->child)
		helper_gone(slurm);
	else
		child_signal(slurm->child, SIGKILL);
}

static void on_line(void *owner, char *line, size_t length)
{
	struct slurm *slurm = owner;
	struct rpc_message message;
	struct err err = ERR_INIT;
	int r = rpc_parse(line, length, &message, &err);

	if (r == 0 && message.kind == RPC_NOTIFICATION && strcmp(message.method, "way") == 0) {
		slurm_way_told(&slurm->way, message.params, slurm_helper_pid(slurm));
	} else if (r < 0 || !slurm->working || !json_is_integer(message.id) ||
		json_integer_value(message.id) != slurm->working->id) {
		log_error("slurm: draco-slurm sent an unexpected message: %s",
			r < 0 ? err.text : line);
	} else if (message.kind == RPC_RESULT) {
		answer(slurm, slurm->working, OUTCOME_DONE, message.result, NULL);
	} else if (message.kind == RPC_ERROR) {
		err_set(&err, -EIO, "%s", message.text);
		answer(slurm, slurm->working,
			slurm_outcome_find(json_get_text(message.data, "outcome", NULL)), NULL,
			&err);
	}
	rpc_message_finish(&message);
	send_next(slurm);
	if (slurm->resting)
		slurm_rest(slurm);
}

/* Kill the process. why: for a person. */
static void end_helper(struct slurm *slurm, const char *why)
{
	snprintf(slurm->end_text, sizeof(slurm->end_text), "%s", why);
	if (slurm->child)
		child_signal(slurm->child, SIGKILL);
}

static void on_deadline(void *arg)
{
	struct slurm *slurm = arg;
	int seconds = (int)(slurm->working->deadline_ms / 1000);
	char why[64];

	history_note(EVENT_DECISION, "slurm", NULL,
		"%s: no answer within %d s, ending draco-slurm (pid %d)",
		slurm->working->method, seconds, slurm_helper_pid(slurm));
	snprintf(why, sizeof(why), "no answer from slurmctld within %d s", seconds);
	slurm->late = true;
	end_helper(slurm, why);
}

static void work_on(struct slurm *slurm, struct request *request)
{
	slurm->working = request;
	slurm->sent_ms = loop_now_ms();
	stream_send(slurm->stream, request->line);
	loop_timer_start(slurm->deadline, request->deadline_ms);
}

static struct request *make_request(struct slurm *slurm, const char *method, json_t *params,
	int64_t deadline_ms, slurm_reply_fn fn, void *arg)
{
	struct request *request = xcalloc(1, sizeof(*request));

	request->id = ++slurm->last_id;
	request->method = xstrdup(method);
	request->line = rpc_format_request(request->id, method, params);
	request->deadline_ms = deadline_ms;
	request->fn = fn;
	request->arg = arg;
	return request;
}

static void on_hello(
	void *arg, enum slurm_outcome outcome, const json_t *result, const struct err *err)
{
	struct slurm *slurm = arg;

	if (outcome == OUTCOME_DONE &&
		json_get_integer(result, "protocol", 0) != SLURM_MSG_PROTOCOL) {
		outcome = OUTCOME_UNUSABLE;
		end_helper(slurm, "draco-slurm and dracod are of different versions of draco");
	} else if (outcome != OUTCOME_DONE && slurm->child) {
		end_helper(slurm, err->text);
	}
	if (outcome != OUTCOME_DONE)
		return;
	slurm->greeted = true;
	slurm_way_told(&slurm->way, json_object_get(result, "way"), slurm_helper_pid(slurm));
}

static void not_started(struct slurm *slurm, const char *why)
{
	snprintf(
		slurm->end_text, sizeof(slurm->end_text), "draco-slurm did not start: %s", why);
	helper_gone(slurm);
}

static void start_helper(void *arg)
{
	static const struct stream_ops ops = {on_line, on_closed};
	struct slurm *slurm = arg;
	char *argv[] = {slurm->helper_path, NULL};
	_cleanup_close_ int theirs = -1, their_stderr = -1;
	struct strv environment = STRV_INIT;
	struct err err = ERR_INIT;
	int pair[2];
	json_t *params;

	slurm->outdated = slurm->late = false;
	*slurm->end_text = '\0';
	their_stderr = helper_words_begin(slurm->words);
	if (their_stderr < 0) {
		not_started(slurm, strerror(-their_stderr));
		return;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		not_started(slurm, strerror(errno));
		return;
	}
	theirs = pair[1];
	/* If dracod runs inside a job, libslurm must not use that job's variables. */
	slurm_variables_make(environ, slurm->used ? &slurm->variables : NULL, &environment);
	slurm->child = child_start(slurm->children,
		&(struct child_spec){
			.argv = argv,
			.envp = environment.item,
			.stdout_fd = -1,
			.stderr_fd = their_stderr,
			.extra_fd = theirs,
			.die_with_us = true,
		},
		on_helper_exit, slurm, &err);
	strv_finish(&environment);
	if (!slurm->child) {
		close(pair[0]);
		not_started(slurm, err.text);
		return;
	}
	slurm->stream = stream_create(slurm->loop, pair[0], &ops, slurm);
	stream_set_limit(slurm->stream, ANSWER_LIMIT);
	params = json_pack("{s:i}", "protocol", SLURM_MSG_PROTOCOL);
	if (slurm->expected)
		json_object_set(params, "slurm", slurm->expected);
	work_on(slurm,
		make_request(slurm, "hello", params, HELLO_DEADLINE_MS, on_hello, slurm));
}

/* Close the connection, so that the process ends by itself. */
static void dismiss(struct slurm *slurm, int signal_number)
{
	slurm->stream = stream_destroy(slurm->stream);
	helper_words_close(slurm->words);
	if (slurm->child) {
		child_signal(slurm->child, signal_number);
		child_forget(TAKE_PTR(slurm->child));
	}
	slurm->greeted = false;
}

static void send_next(struct slurm *slurm)
{
	struct request *request = TAILQ_FIRST(&slurm->waiting);

	if (slurm->outdated && !slurm->working)
		dismiss(slurm, SIGTERM);
	if (!request || slurm->working)
		return;
	if (!slurm->child && !slurm->stream) {
		if (!loop_timer_is_running(slurm->restart))
			loop_timer_start(slurm->restart, slurm->backoff_ms);
		return;
	}
	if (!slurm->greeted || !slurm->stream)
		return;
	TAILQ_REMOVE(&slurm->waiting, request, link);
	work_on(slurm, request);
}

int slurm_request(struct slurm *slurm, const char *method, json_t *params, int64_t deadline_ms,
	slurm_reply_fn fn, void *arg)
{
	struct request *other, *request;
	int waiting = 0;

	TAILQ_FOREACH (other, &slurm->waiting, link)
		waiting++;
	if (waiting >= WAITING_MAX) {
		json_decref(params);
		return -EBUSY;
	}
	slurm->asked = true;
	request = make_request(slurm, method, params, deadline_ms, fn, arg);
	TAILQ_INSERT_TAIL(&slurm->waiting, request, link);
	send_next(slurm);
	return 0;
}

bool slurm_withdraw(struct slurm *slurm, const void *arg)
{
	struct request *request, *next;
	bool any = false;

	TAILQ_FOREACH_SAFE (request, &slurm->waiting, link, next) {
		if (request->arg != arg)
			continue;
		TAILQ_REMOVE(&slurm->waiting, request, link);
		request_free(request);
		any = true;
	}
	return any;
}

void slurm_rest(struct slurm *slurm)
{
	slurm->resting = slurm->working || !TAILQ_EMPTY(&slurm->waiting);
	if (slurm->resting)
		return;
	dismiss(slurm, SIGTERM);
	slurm->asked = false;
	slurm->failing_ms = 0;
}

void slurm_use(struct slurm *slurm, const struct strv *variables, json_t *expected)
{
	static const struct strv none = STRV_INIT;
	bool used = variables != NULL;

	if (!variables)
		variables = &none;
	if (used != slurm->used || !strv_equal(variables, &slurm->variables) ||
		!(expected == slurm->expected || json_equal(expected, slurm->expected))) {
		slurm->used = used;
		strv_copy(&slurm->variables, variables);
		json_decref(slurm->expected);
		slurm->expected = json_incref(expected);
		slurm->outdated = slurm->child || slurm->stream;
		slurm->backoff_ms = 0;
		send_next(slurm);
	}
	json_decref(expected);
}

struct slurm *slurm_create(
	struct loop *loop, struct children *children, const char *helper_path)
{
	struct slurm *slurm = xcalloc(1, sizeof(*slurm));

	slurm->loop = loop;
	slurm->children = children;
	slurm->helper_path = xstrdup(helper_path);
	slurm->words = helper_words_create(loop);
	TAILQ_INIT(&slurm->waiting);
	slurm->deadline = loop_timer_create(loop, on_deadline, slurm);
	slurm->restart = loop_timer_create(loop, start_helper, slurm);
	return slurm;
}

struct slurm *slurm_destroy(struct slurm *slurm)
{
	struct request *request, *next;

	if (!slurm)
		return NULL;
	dismiss(slurm, SIGKILL);
	TAILQ_FOREACH_SAFE (request, &slurm->waiting, link, next)
		request_free(request);
	request_free(slurm->working);
	loop_timer_destroy(slurm->deadline);
	loop_timer_destroy(slurm->restart);
	helper_words_destroy(slurm->words);
	free(slurm->helper_path);
	strv_finish(&slurm->variables);
	json_decref(slurm->expected);
	slurm_way_finish(&slurm->way);
	free(slurm);
	return NULL;
}

void slurm_health(const struct slurm *slurm, struct slurm_health *ret)
{
	bool overdue = slurm->working && loop_now_ms() - slurm->sent_ms > OVERDUE_MS;

	*ret = (struct slurm_health){
		.asked = slurm->asked,
		.answering = !slurm->failing_ms && !overdue,
		.foreign = slurm->foreign,
		.since_ms = slurm->answered_ms,
		.text = "",
		.version = slurm->way.version,
		.interface = slurm->way.interface,
		.why = slurm->way.why,
	};
	if (slurm->failing_ms) {
		ret->since_ms = slurm->failing_ms;
		ret->text = slurm->fail_text;
	} else if (overdue) {
		ret->since_ms = slurm->sent_ms;
		ret->text = "the current request is still unanswered";
	}
}

bool slurm_is_late(const struct slurm *slurm)
{
	return slurm->working &&
		loop_now_ms() - slurm->sent_ms > slurm->working->deadline_ms + VERY_LATE_MS;
}

int slurm_helper_pid(const struct slurm *slurm)
{
	return slurm->child ? (int)child_pid(slurm->child) : 0;
}
