/* check_rpc.c: tests of common/rpc.c: the codec, with good and with hostile bytes. */
#include "unit.h"

#include "common/alloc.h"
#include "common/rpc.h"
#include "mutate.h"

/* Parse bytes that end where their memory ends, and check what holds for any bytes: on failure
 * there is an error and nothing but an id, on success the members belong to the kind. */
static int parse(const char *bytes, size_t length, struct rpc_message *ret, struct err *err)
{
	char *tight = unit_tight(bytes, length);
	int r = rpc_parse(tight, length, ret, err);

	free(tight);
	unit_require(err->code == r);
	unit_require(!ret->id || json_is_string(ret->id) || json_is_integer(ret->id) ||
		(json_is_null(ret->id) && (r < 0 || ret->kind == RPC_ERROR)));
	if (r < 0) {
		unit_require(r == -EBADMSG || r == -EPROTO);
		unit_require(err->text[0] && strlen(err->text) < ERR_TEXT_MAX - 1);
		unit_require(!ret->method && !ret->params && !ret->result && !ret->data &&
			!ret->text && ret->code == 0);
		return r;
	}
	unit_require(json_is_object(ret->root));
	unit_require((ret->method != NULL) == (ret->kind <= RPC_NOTIFICATION));
	unit_require((ret->id != NULL) == (ret->kind != RPC_NOTIFICATION));
	unit_require((ret->result != NULL) == (ret->kind == RPC_RESULT));
	unit_require((ret->text != NULL) == (ret->kind == RPC_ERROR));
	unit_require(!ret->params || (ret->method && json_is_object(ret->params)));
	unit_require(!ret->data || ret->kind == RPC_ERROR);
	return 0;
}

static char *format(const struct rpc_message *m)
{
	json_t *params = json_incref(m->params), *data = json_incref(m->data);

	switch (m->kind) {
	case RPC_REQUEST:
		return rpc_format_request(json_integer_value(m->id), m->method, params);
	case RPC_NOTIFICATION:
		return rpc_format_notification(m->method, params);
	case RPC_RESULT:
		return rpc_format_result(m->id, json_incref(m->result));
	default:
		return rpc_format_error(m->id, m->code, m->text, data);
	}
}

static bool equal(const json_t *a, const json_t *b)
{
	return a == b || (a && b && json_equal(a, b));
}

/* Write the message and read it back: the same. */
static void check_round_trip(const struct rpc_message *m)
{
	char *line = format(m);
	struct rpc_message again;
	struct err err = ERR_INIT;

	unit_require(strchr(line, '\n') == NULL);
	if (parse(line, strlen(line), &again, &err) < 0)
		ck_abort_msg("%s: %s", line, err.text);
	unit_require(again.kind == m->kind);
	unit_require(equal(again.params, m->params) && equal(again.result, m->result) &&
		equal(again.data, m->data));
	/* rpc_format_request() makes integers only: a string is the other side's. */
	if (m->kind != RPC_REQUEST || json_is_integer(m->id))
		unit_require(equal(again.id, m->id));
	if (m->method)
		unit_require(strcmp(again.method, m->method) == 0);
	if (m->text)
		unit_require(strcmp(again.text, m->text) == 0);
	unit_require(again.code == m->code);
	rpc_message_finish(&again);
	free(line);
}

/* The answer to a message that could not be used is itself a good message, with its id. */
static void check_answer(const struct rpc_message *m, const struct err *refusal)
{
	char *line = rpc_format_error(m->id, RPC_INVALID_REQUEST, refusal->text, NULL);
	struct rpc_message answer;
	struct err err = ERR_INIT;

	if (parse(line, strlen(line), &answer, &err) < 0)
		ck_abort_msg("%s: %s", line, err.text);
	unit_require(answer.kind == RPC_ERROR);
	unit_require(answer.code == RPC_INVALID_REQUEST);
	unit_require(m->id ? json_equal(answer.id, m->id) : json_is_null(answer.id));
	rpc_message_finish(&answer);
	free(line);
}

static void check_any(const char *bytes, size_t length, int *ret)
{
	struct rpc_message message;
	struct err err = ERR_INIT;

	*ret = parse(bytes, length, &message, &err);
	if (*ret < 0)
		check_answer(&message, &err);
	else
		check_round_trip(&message);
	rpc_message_finish(&message);
	unit_require(message.root == NULL);
	rpc_message_finish(&message);
}

#define V "\"jsonrpc\":\"2.0\""

static const struct {
	const char *line;
	enum rpc_kind kind;
} good[] = {
	{"{" V
	 ",\"id\":1,\"method\":\"hello\",\"params\":{\"protocol\":1,\"client\":\"dracoctl\"}}",
		RPC_REQUEST},
	{"{" V ",\"id\":\"a-7\",\"method\":\"status\"}", RPC_REQUEST},
	{"{\"method\":\"status\",\"id\":0," V "}", RPC_REQUEST},
	{"{" V ",\"id\":-9223372036854775808,\"method\":\"x\",\"params\":{}}", RPC_REQUEST},
	{"{" V ",\"id\":9223372036854775807,\"method\":\"\"}", RPC_REQUEST},
	{"{" V
	 ",\"id\":\"\",\"method\":\"caf\xc3\xa9 \\u20ac \\ud83d\\udc09\",\"params\":{\"\":[]}}",
		RPC_REQUEST},
	{" \t{" V " , \"id\" : 1 , \"method\" : \"stop\" }\r ", RPC_REQUEST},
	{"{" V ",\"id\":1,\"method\":\"stop\",\"unknown\":{\"is\":\"ignored\"}}", RPC_REQUEST},
	{"{" V ",\"method\":\"progress\",\"params\":{\"message\":\"job 4 is pending\"}}",
		RPC_NOTIFICATION},
	{"{" V ",\"method\":\"load\",\"params\":{\"memory\":1.5e300,\"tasks\":[0,-1]}}",
		RPC_NOTIFICATION},
	{"{" V ",\"id\":1,\"result\":{\"jobs\":[{\"id\":\"42_0\"}]}}", RPC_RESULT},
	{"{" V ",\"id\":\"x\",\"result\":null}", RPC_RESULT},
	{"{" V ",\"id\":1,\"result\":false}", RPC_RESULT},
	{"{" V ",\"id\":1,\"error\":{\"code\":-32000,\"message\":\"failed\","
	 "\"data\":{\"outcome\":\"refused\"}}}",
		RPC_ERROR},
	{"{" V ",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"not JSON\"}}", RPC_ERROR},
	{"{" V ",\"id\":1,\"error\":{\"code\":2147483647,\"message\":\"\",\"data\":null}}",
		RPC_ERROR},
	{"{" V ",\"id\":1,\"error\":{\"code\":-2147483648,\"message\":\"\"}}", RPC_ERROR},
};

START_TEST(good_messages)
{
	const char *line = good[_i].line;
	struct rpc_message message;
	struct err err = ERR_INIT;

	ck_assert_msg(parse(line, strlen(line), &message, &err) == 0, "%s", err.text);
	ck_assert_int_eq(message.kind, good[_i].kind);
	check_round_trip(&message);
	rpc_message_finish(&message);
}
END_TEST

/* No beginning of a message is one. */
START_TEST(every_prefix)
{
	size_t length = strlen(good[_i].line);
	int r;

	while (good[_i].line[length - 1] != '}')
		length--;
	while (length-- > 0) {
		check_any(good[_i].line, length, &r);
		ck_assert_int_eq(r, -EBADMSG);
	}
}
END_TEST

/* Nor is one with bytes behind it, but blanks. */
START_TEST(something_behind)
{
	static const char *const tails[] = {
		"x", "{}", "}", ",", "\"", "1", "[", "\n{}", "/**/"};

	for (size_t i = 0; i < LENGTH(tails); i++) {
		char *line = xasprintf("%s%s", good[_i].line, tails[i]);
		int r;

		check_any(line, strlen(line), &r);
		ck_assert_int_eq(r, -EBADMSG);
		free(line);
	}
	for (size_t i = 0; i < 256; i++) {
		char *line = xasprintf("%s ", good[_i].line);
		size_t length = strlen(line);
		int r;

		line[length - 1] = (char)i;
		check_any(line, length, &r);
		ck_assert_int_eq(
			r, i == ' ' || i == '\t' || i == '\n' || i == '\r' ? 0 : -EBADMSG);
		free(line);
	}
}
END_TEST

/* The members of a message and of its values, read by name. */
START_TEST(members)
{
	const char *line =
		"{" V ",\"id\":7,\"method\":\"start\",\"params\":{\"progress\":true}}";
	const char *error =
		"{" V ",\"id\":\"i\",\"error\":{\"code\":-5,\"message\":\"m\",\"data\":[3]}}";
	struct rpc_message m;
	struct err err = ERR_INIT;

	ck_assert_int_eq(rpc_parse(line, strlen(line), &m, &err), 0);
	ck_assert_int_eq(json_integer_value(m.id), 7);
	ck_assert_str_eq(m.method, "start");
	ck_assert(json_is_true(json_object_get(m.params, "progress")));
	rpc_message_finish(&m);
	ck_assert_int_eq(rpc_parse(error, strlen(error), &m, NULL), 0);
	ck_assert_str_eq(json_string_value(m.id), "i");
	ck_assert_int_eq(m.code, -5);
	ck_assert_str_eq(m.text, "m");
	ck_assert_int_eq(json_integer_value(json_array_get(m.data, 0)), 3);
	rpc_message_finish(&m);
}
END_TEST

static const struct {
	const char *line;
	int code;
	const char *text; /* in the error */
	const char *id;	  /* as JSON; NULL: none or null */
} bad[] = {
	/* no JSON */
	{"", -EBADMSG, "not JSON", NULL},
	{" ", -EBADMSG, "not JSON", NULL},
	{"hello", -EBADMSG, "not JSON", NULL},
	{"GET / HTTP/1.1\r", -EBADMSG, "not JSON", NULL},
	{"{'jsonrpc':'2.0'}", -EBADMSG, "not JSON", NULL},
	{"{" V ",\"id\":1,\"method\":\"x\",}", -EBADMSG, "not JSON", NULL},
	{"{" V ",\"id\":01,\"method\":\"x\"}", -EBADMSG, "not JSON", NULL},
	{"{" V ",\"id\":+1,\"method\":\"x\"}", -EBADMSG, "not JSON", NULL},
	{"{" V ",\"id\":NaN,\"method\":\"x\"}", -EBADMSG, "not JSON", NULL},
	{"{" V ",\"id\":9223372036854775808,\"method\":\"x\"}", -EBADMSG, "not JSON", NULL},
	{"{" V ",\"id\":1e999,\"method\":\"x\"}", -EBADMSG, "not JSON", NULL},
	{"{" V ",\"id\":1,\"method\":\"\xff\"}", -EBADMSG, "not JSON", NULL},
	{"{" V ",\"id\":1,\"method\":\"\xc0\xaf\"}", -EBADMSG, "not JSON", NULL},
	{"{" V ",\"id\":1,\"method\":\"\xed\xa0\x80\"}", -EBADMSG, "not JSON", NULL},
	{"{" V ",\"id\":1,\"method\":\"\\ud800\"}", -EBADMSG, "not JSON", NULL},
	{"{" V ",\"id\":1,\"method\":\"a\\u0000b\"}", -EBADMSG, "not JSON", NULL},
	{"{" V ",\"id\":1,\"method\":\"x\",\"a\\u0000\":1}", -EBADMSG, "not JSON", NULL},
	{"{" V ",\"id\":1,\"method\":\"\x01\"}", -EBADMSG, "not JSON", NULL},
	{"\xef\xbb\xbf{" V ",\"id\":1,\"method\":\"x\"}", -EBADMSG, "not JSON", NULL},
	/* what the error quotes cannot command a terminal */
	{"{" V ",\"id\":1,\"method\":\"x\",\x1b[2J}", -EBADMSG, "near '\\x1b'", NULL},
	/* members twice, at the top and below */
	{"{" V ",\"id\":1,\"id\":2,\"method\":\"x\"}", -EBADMSG, "duplicate", NULL},
	{"{" V ",\"id\":1,\"method\":\"x\",\"method\":\"x\"}", -EBADMSG, "duplicate", NULL},
	{"{" V ",\"id\":1,\"method\":\"x\",\"params\":{\"a\":1,\"a\":2}}", -EBADMSG,
		"duplicate", NULL},
	{"{" V ",\"id\":1,\"method\":\"x\",\"params\":{\"l\":[{\"a\":1,\"\\u0061\":2}]}}",
		-EBADMSG, "duplicate", NULL},
	/* a number that would not survive being written again */
	{"{" V ",\"id\":1,\"method\":\"x\",\"params\":{\"a\":[1.7976931348623157e308]}}",
		-EPROTO, "at most 1.79769313486231e+308", "1"},
	/* JSON, but no object */
	{"[]", -EPROTO, "one JSON object", NULL},
	{"[{" V ",\"id\":1,\"method\":\"x\"}]", -EPROTO, "one JSON object", NULL},
	/* an object, but no message; the id is known all the same */
	{"{}", -EPROTO, "jsonrpc", NULL},
	{"{\"id\":5,\"method\":\"x\"}", -EPROTO, "jsonrpc", "5"},
	{"{\"jsonrpc\":\"1.0\",\"id\":\"five\",\"method\":\"x\"}", -EPROTO, "jsonrpc",
		"\"five\""},
	{"{\"jsonrpc\":2.0,\"id\":5,\"method\":\"x\"}", -EPROTO, "jsonrpc", "5"},
	{"{\"jsonrpc\":\"2.0 \",\"id\":5,\"method\":\"x\"}", -EPROTO, "jsonrpc", "5"},
	{"{\"jsonrpc\":null,\"id\":[],\"method\":\"x\"}", -EPROTO, "", NULL},
	{"{" V "}", -EPROTO, "method", NULL},
	{"{" V ",\"id\":5}", -EPROTO, "method", "5"},
	{"{" V ",\"params\":{}}", -EPROTO, "method", NULL},
	{"{" V ",\"id\":1.0,\"method\":\"x\"}", -EPROTO, "id", NULL},
	{"{" V ",\"id\":true,\"method\":\"x\"}", -EPROTO, "id", NULL},
	{"{" V ",\"id\":{},\"method\":\"x\"}", -EPROTO, "id", NULL},
	{"{" V ",\"id\":[1],\"method\":\"x\"}", -EPROTO, "id", NULL},
	{"{" V ",\"id\":null,\"method\":\"x\"}", -EPROTO, "id", NULL},
	{"{" V ",\"id\":null,\"method\":\"x\",\"error\":1}", -EPROTO, "", NULL},
	{"{" V ",\"id\":null,\"result\":1}", -EPROTO, "id", NULL},
	{"{" V ",\"id\":5,\"method\":7}", -EPROTO, "method", "5"},
	{"{" V ",\"id\":5,\"method\":null}", -EPROTO, "method", "5"},
	{"{" V ",\"id\":5,\"method\":[\"x\"]}", -EPROTO, "method", "5"},
	{"{" V ",\"method\":{}}", -EPROTO, "method", NULL},
	{"{" V ",\"id\":5,\"method\":\"x\",\"params\":[]}", -EPROTO, "params", "5"},
	{"{" V ",\"id\":5,\"method\":\"x\",\"params\":null}", -EPROTO, "params", "5"},
	{"{" V ",\"id\":5,\"method\":\"x\",\"params\":\"p\"}", -EPROTO, "params", "5"},
	{"{" V ",\"method\":\"x\",\"params\":1}", -EPROTO, "params", NULL},
	{"{" V ",\"result\":1}", -EPROTO, "id", NULL},
	{"{" V ",\"error\":{\"code\":1,\"message\":\"m\"}}", -EPROTO, "id", NULL},
	{"{" V ",\"id\":5,\"error\":{}}", -EPROTO, "code and message", "5"},
	{"{" V ",\"id\":5,\"error\":null}", -EPROTO, "code and message", "5"},
	{"{" V ",\"id\":5,\"error\":\"e\"}", -EPROTO, "code and message", "5"},
	{"{" V ",\"id\":5,\"error\":{\"code\":1}}", -EPROTO, "code and message", "5"},
	{"{" V ",\"id\":5,\"error\":{\"message\":\"m\"}}", -EPROTO, "code and message", "5"},
	{"{" V ",\"id\":5,\"error\":{\"code\":\"1\",\"message\":\"m\"}}", -EPROTO,
		"code and message", "5"},
	{"{" V ",\"id\":5,\"error\":{\"code\":1,\"message\":null}}", -EPROTO,
		"code and message", "5"},
	{"{" V ",\"id\":5,\"error\":{\"code\":1.5,\"message\":\"m\"}}", -EPROTO,
		"code and message", "5"},
	/* a code that would be another one in 32 bits */
	{"{" V ",\"id\":5,\"error\":{\"code\":4294967296,\"message\":\"m\"}}", -EPROTO, "code",
		"5"},
	{"{" V ",\"id\":5,\"error\":{\"code\":-2147483649,\"message\":\"m\"}}", -EPROTO, "code",
		"5"},
	/* two messages in one */
	{"{" V ",\"id\":5,\"result\":1,\"error\":{\"code\":1,\"message\":\"m\"}}", -EPROTO,
		"exclude each other", "5"},
	{"{" V ",\"id\":5,\"method\":\"x\",\"result\":1}", -EPROTO, "exclude each other", "5"},
	{"{" V ",\"id\":5,\"method\":\"x\",\"error\":{\"code\":1,\"message\":\"m\"}}", -EPROTO,
		"exclude each other", "5"},
};

START_TEST(bad_messages)
{
	struct rpc_message message;
	struct err err = ERR_INIT;
	json_t *id = bad[_i].id ? json_loads(bad[_i].id, JSON_DECODE_ANY, NULL) : NULL;

	ck_assert_int_eq(
		parse(bad[_i].line, strlen(bad[_i].line), &message, &err), bad[_i].code);
	unit_assert_err(&err, bad[_i].code, bad[_i].text);
	if (id)
		ck_assert_msg(equal(message.id, id), "the id is lost");
	else
		ck_assert(!message.id || json_is_null(message.id));
	check_answer(&message, &err);
	rpc_message_finish(&message);
	ck_assert_int_eq(
		rpc_parse(bad[_i].line, strlen(bad[_i].line), &message, NULL), bad[_i].code);
	rpc_message_finish(&message);
	json_decref(id);
}
END_TEST

START_TEST(nul_bytes)
{
	const char *line = good[0].line;
	size_t length = strlen(line);

	for (size_t at = 0; at <= length; at++) {
		char *with = xcalloc(length + 1, 1);
		int r;

		memcpy(with, line, at);
		memcpy(with + at + 1, line + at, length - at);
		check_any(with, length + 1, &r);
		ck_assert_int_eq(r, -EBADMSG);
		free(with);
	}
}
END_TEST

/* Brackets as deep as a line can be: refused without harm; what is within reason is read. */
START_TEST(deep_nesting)
{
	static const struct {
		size_t depth;
		int code;
	} depths[] = {{1, 0}, {100, 0}, {1000, 0}, {5000, -EBADMSG}, {250000, -EBADMSG}};

	for (size_t i = 0; i < LENGTH(depths); i++)
		for (int object = 0; object < 2; object++) {
			const char *open = object ? "{\"a\":" : "[",
				   *close = object ? "}" : "]";
			char *line = xcalloc(depths[i].depth * 6 + 100, 1);
			char *end = stpcpy(line, "{" V ",\"method\":\"x\",\"params\":{\"p\":");
			int r;

			for (size_t j = 0; j < depths[i].depth; j++)
				end = stpcpy(end, open);
			check_any(line, strlen(line), &r); /* not closed */
			ck_assert_int_eq(r, -EBADMSG);
			end = stpcpy(end, "0");
			for (size_t j = 0; j < depths[i].depth; j++)
				end = stpcpy(end, close);
			strcpy(end, "}}");
			check_any(line, strlen(line), &r);
			ck_assert_int_eq(r, depths[i].code);
			free(line);
		}
}
END_TEST

static const char *const words[] = {"{", "}", "[", "]", ":", ",", "\"", "\\", "null", "true",
	"1e999", "-0", "1E400", "9223372036854775808", "-9223372036854775809", "0.1", "\\u0000",
	"\\ud800", "\\u20ac", "\xff", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
	"\"id\":null,", "\"id\":1,", "\"method\":\"x\",", "\"params\":{}", "\"params\":[]",
	"\"result\":0,", "\"error\":{\"code\":1,\"message\":\"m\"},", "\"jsonrpc\":\"2.0\",",
	NULL};

/* 100,000 (UNIT_PERCENT) changed messages, the same in each run. */
START_TEST(mutations)
{
	int accepted = 0, badly_formed = 0, refused = 0;
	struct mutator mutator;

	mutator_init(&mutator, (uint64_t)_i + 1, words);
	for (size_t i = 0; i < (size_t)unit_rounds(10000); i++) {
		const char *line = good[mutator_below(&mutator, LENGTH(good))].line;
		size_t length;
		char *mutant = mutate(&mutator, line, strlen(line), &length);
		int r;

		check_any(mutant, length, &r);
		accepted += r == 0;
		badly_formed += r == -EBADMSG;
		refused += r == -EPROTO;
		free(mutant);
	}
	/* That all three were reached is what makes the rest worth something. */
	ck_assert_int_gt(accepted, unit_rounds(300));
	ck_assert_int_gt(refused, unit_rounds(300));
	ck_assert_int_gt(badly_formed, unit_rounds(1000));
}
END_TEST

START_TEST(formats)
{
	json_t *id = json_string("i");
	static const char *const lines[] = {
		"{" V ",\"id\":1,\"method\":\"stop\"}",
		"{" V ",\"id\":-1,\"method\":\"m\",\"params\":{\"a\":1}}",
		"{" V ",\"method\":\"n\"}",
		"{" V ",\"method\":\"n\",\"params\":{\"a\":\"\\n\\u0000\"}}",
		"{" V ",\"id\":\"i\",\"result\":{}}",
		"{" V ",\"id\":null,\"result\":[1]}",
		"{" V ",\"id\":\"i\",\"error\":{\"code\":-32601,\"message\":\"no\"}}",
		"{" V
		",\"id\":null,\"error\":{\"code\":1,\"message\":\"caf? \xc3\xa9\",\"data\":{}}}",
		"{" V ",\"id\":null,\"error\":{\"code\":1,\"message\":null}}",
	};
	char *made[] = {
		rpc_format_request(1, "stop", NULL),
		rpc_format_request(-1, "m", json_pack("{s:i}", "a", 1)),
		rpc_format_notification("n", NULL),
		rpc_format_notification("n", json_pack("{s:s%}", "a", "\n\0", (size_t)2)),
		rpc_format_result(id, NULL),
		rpc_format_result(NULL, json_pack("[i]", 1)),
		rpc_format_error(id, RPC_METHOD_NOT_FOUND, "no", NULL),
		rpc_format_error(NULL, 1, "caf\xe9 \xc3\xa9", json_object()),
		rpc_format_error(NULL, 1, NULL, NULL),
	};

	for (size_t i = 0; i < LENGTH(made); i++) {
		ck_assert_str_eq(made[i], lines[i]);
		free(made[i]);
	}
	json_decref(id);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("rpc");
	TCase *codec = tcase_create("codec"), *hostile = tcase_create("hostile");

	tcase_add_loop_test(codec, good_messages, 0, LENGTH(good));
	tcase_add_test(codec, members);
	tcase_add_test(codec, formats);
	suite_add_tcase(suite, codec);
	tcase_add_loop_test(hostile, bad_messages, 0, LENGTH(bad));
	tcase_add_loop_test(hostile, every_prefix, 0, LENGTH(good));
	tcase_add_loop_test(hostile, something_behind, 0, LENGTH(good));
	tcase_add_test(hostile, nul_bytes);
	tcase_add_test(hostile, deep_nesting);
	tcase_add_loop_test(hostile, mutations, 0, 10);
	suite_add_tcase(suite, hostile);
	return suite;
}
