/* fuzz_rpc.c: common/rpc.c with any bytes: read, answered or written again, parameters checked. */
#include "fuzz.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/err.h"
#include "common/rpc.h"

const char fuzz_name[] = "rpc";
const char *const fuzz_words[] = {"\"jsonrpc\":\"2.0\",", "\"id\":1,", "\"id\":null,",
	"\"method\":\"start\",", "\"params\":{", "\"result\":{}", "\"error\":{\"code\":-32000,",
	"\"message\":\"m\"", "\"data\":[]", "\"settings\":{}", "\"protocol\":1", "1e999",
	"9223372036854775808", "\\u0000", "\\ud800", "\xff", "\xed\xa0\x80", "[[[[", NULL};

/* Some code and text for the answer to what could not be used. */
static void answer(const struct rpc_message *bad, const struct err *err)
{
	char *line = rpc_format_error(bad->id, RPC_INVALID_REQUEST, err->text, NULL);
	struct rpc_message message;

	fuzz_require(rpc_parse(line, strlen(line), &message, NULL) == 0);
	fuzz_require(message.kind == RPC_ERROR && message.code == RPC_INVALID_REQUEST);
	fuzz_require(bad->id ? json_equal(message.id, bad->id) : json_is_null(message.id));
	rpc_message_finish(&message);
	free(line);
}

static char *format(const struct rpc_message *m)
{
	switch (m->kind) {
	case RPC_REQUEST:
	case RPC_NOTIFICATION:
		return rpc_format_notification(m->method, json_incref(m->params));
	case RPC_RESULT:
		return rpc_format_result(m->id, json_incref(m->result));
	default:
		return rpc_format_error(m->id, m->code, m->text, json_incref(m->data));
	}
}

/* Numbers are written with 15 digits: the same after that. */
static bool same(const json_t *a, const json_t *b)
{
	static const size_t flags = JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_REAL_PRECISION(15);
	char *text_a = json_dumps(a, flags), *text_b = json_dumps(b, flags);
	bool equal = text_a && text_b && strcmp(text_a, text_b) == 0;

	free(text_a);
	free(text_b);
	return equal;
}

static void write_again(const struct rpc_message *m)
{
	char *line = format(m);
	struct rpc_message again;

	fuzz_require(!strchr(line, '\n'));
	fuzz_require(rpc_parse(line, strlen(line), &again, NULL) == 0);
	fuzz_require(again.kind == (m->kind == RPC_REQUEST ? RPC_NOTIFICATION : m->kind));
	fuzz_require(!m->params == !again.params && !m->data == !again.data);
	fuzz_require(!m->params || same(m->params, again.params));
	fuzz_require(!m->result || same(m->result, again.result));
	fuzz_require(!m->data || same(m->data, again.data));
	fuzz_require(!m->text || (strcmp(m->text, again.text) == 0 && m->code == again.code));
	rpc_message_finish(&again);
	free(line);
}

/* As parameters of its own method, or of any where there is no such one. */
static void check_params(const struct rpc_message *m)
{
	int id = rpc_method_find(m->method), r;
	struct err err = ERR_INIT;

	fuzz_require(id < RPC_METHOD_COUNT);
	if (id < 0)
		id = (int)(strlen(m->method) % RPC_METHOD_COUNT);
	r = rpc_check_params(&rpc_methods[id], m->params, &err);
	fuzz_require(r == 0 || r == -EINVAL);
	fuzz_require(err.code == r && !err.text[0] == !r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpc_message message;
	struct err err = ERR_INIT;
	int r = rpc_parse((const char *)data, size, &message, &err);

	fuzz_require(r < 0 || !memchr(data, '\0', size));
	if (r < 0) {
		fuzz_require((r == -EBADMSG || r == -EPROTO) && err.code == r && err.text[0]);
		fuzz_require(
			!message.method && !message.params && !message.result && !message.text);
		answer(&message, &err);
	} else {
		fuzz_took();
		write_again(&message);
		if (message.method)
			check_params(&message);
	}
	rpc_message_finish(&message);
	return 0;
}
