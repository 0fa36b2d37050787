/* program.c: clients of dracod's control socket. */
#include "program.h"

#include <string.h>
#include <sys/queue.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/line.h"
#include "common/rpc.h"
#include "common/sock.h"
#include "daemon/io/stream.h"
#include "events.h"
#include "world.h"

struct program {
	TAILQ_ENTRY(program) link; /* list of all clients */
	struct stream *stream;	   /* NULL: dracod has closed the connection */
	int last;
	json_t *answers; /* by the request's number: {"result": R} or {"error": TEXT} */
	char *progress;
};

static TAILQ_HEAD(, program) all = TAILQ_HEAD_INITIALIZER(all);
static const char *path;

static void take_answer(struct program *program, const struct rpc_message *message)
{
	_cleanup_free_ char *number = json_dumps(message->id, JSON_ENCODE_ANY);

	json_object_set_new(program->answers, number,
		message->kind == RPC_RESULT ? json_pack("{s:O}", "result", message->result)
					    : json_pack("{s:s}", "error", message->text));
}

void forget_answers(struct program *program)
{
	json_object_clear(program->answers);
}

static void on_line(void *owner, char *line, size_t length)
{
	struct program *program = owner;
	struct rpc_message message;
	struct err err = ERR_INIT;

	ck_assert_msg(rpc_parse(line, length, &message, &err) == 0, "%s", err.text);
	if (message.kind == RPC_RESULT || message.kind == RPC_ERROR)
		take_answer(program, &message);
	else if (strcmp(message.method, "progress") == 0)
		xreplace(&program->progress, json_get_text(message.params, "message", ""));
	else if (strcmp(message.method, "event") == 0)
		events_hear(message.params);
	rpc_message_finish(&message);
}

static void on_closed(void *owner, const char *why)
{
	struct program *program = owner;

	(void)why;
	program->stream = stream_destroy(program->stream);
}

struct program *program_come(void)
{
	static const struct stream_ops ops = {on_line, on_closed};
	struct program *program = xcalloc(1, sizeof(*program));
	struct err err = ERR_INIT;
	int fd = sock_connect(path, &err);

	ck_assert_msg(fd >= 0, "%s", err.text);
	program->answers = json_object();
	program->stream = stream_create(world_loop(), fd, &ops, program);
	stream_set_limit(program->stream, ANSWER_LIMIT);
	TAILQ_INSERT_TAIL(&all, program, link);
	ask(program, "hello",
		json_pack("{s:i, s:s}", "protocol", RPC_PROTOCOL, "client", "fake"));
	return program;
}

void program_leave(struct program *program)
{
	TAILQ_REMOVE(&all, program, link);
	stream_destroy(program->stream);
	json_decref(program->answers);
	free(program->progress);
	free(program);
}

int begin(struct program *program, const char *method, json_t *params)
{
	if (!program->stream)
		world_fail(HERE, "%s: dracod has closed the connection", method);
	stream_send_take(program->stream, rpc_format_request(++program->last, method, params));
	return program->last;
}

static json_t *answer_of(struct program *program, int number)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", number);
	return json_object_get(program->answers, text);
}

bool is_answered(struct program *program, int number)
{
	return answer_of(program, number) != NULL;
}

const char *error_of(struct program *program, int number)
{
	return json_get_text(answer_of(program, number), "error", NULL);
}

json_t *result_of(struct program *program, int number)
{
	return json_object_get(answer_of(program, number), "result");
}

json_t *program_ask(
	const char *where, struct program *program, const char *method, json_t *params)
{
	int number = begin(program, method, params);

	await(is_answered(program, number));
	if (error_of(program, number))
		world_fail(where, "%s: %s", method, error_of(program, number));
	return result_of(program, number);
}

const char *ask_in_vain(struct program *program, const char *method, json_t *params)
{
	int number = begin(program, method, params);

	await(is_answered(program, number));
	return error_of(program, number) ? error_of(program, number) : "(it was done)";
}

const char *progress_of(struct program *program)
{
	return program->progress ? program->progress : "";
}

void programs_begin(const char *socket)
{
	path = socket;
}

void programs_end(void)
{
	while (!TAILQ_EMPTY(&all))
		program_leave(TAILQ_FIRST(&all));
}
