/* check_manager.c: tests of systemd/manager.c, manager_call.c and bus_json.c: a program on a real
 * bus, and a control socket that answers by a script. */
#include "unit.h"

#include <jansson.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "bus_fixture.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/rpc.h"
#include "daemon/io/loop.h"
#include "daemon/io/stream.h"
#include "systemd/bus.h"
#include "systemd/bus_json.h"
#include "systemd/manager.h"
#include "systemd/names.h"

#define PARTIES 2

/* A dracod: its bus, its object, and the other end of the last connection to its control. */
struct party {
	struct bus *bus;
	struct manager *manager;
	struct stream *control;
	const char *script; /* the answer to the request, without its id; NULL: none */
	json_t *asked;	    /* the last request */
	int closed;
};

static struct party parties[PARTIES];
static sd_bus *program; /* that calls */
static char *changed;	/* the names of the last signal */
static sd_bus_message *reply;

static void on_line(void *owner, char *line, size_t length)
{
	struct party *party = owner;
	struct rpc_message message;
	struct err err = ERR_INIT;

	ck_assert_int_eq(rpc_parse(line, length, &message, &err), 0);
	if (strcmp(message.method, "hello") == 0) {
		stream_send_take(party->control, rpc_format_result(message.id, NULL));
	} else {
		json_decref(party->asked);
		party->asked = json_incref(message.root);
		if (party->script)
			stream_send(party->control, party->script);
	}
	rpc_message_finish(&message);
}

static void on_closed(void *owner, const char *why)
{
	struct party *party = owner;

	(void)why;
	party->control = stream_destroy(party->control);
	party->closed++;
}

static int connect_control(void *arg)
{
	static const struct stream_ops ops = {on_line, on_closed};
	struct party *party = arg;
	int pair[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	stream_destroy(party->control);
	party->control = stream_create(bus_loop, pair[0], &ops, party);
	return pair[1];
}

static void on_up(void *arg, struct sd_bus *connection)
{
	manager_up(((struct party *)arg)->manager, connection);
}

static void on_down(void *arg)
{
	manager_down(((struct party *)arg)->manager);
}

static void party_begin(struct party *party, const char *name)
{
	static const struct manager_ops manager_ops = {connect_control};
	static const struct bus_ops bus_ops = {on_up, on_down};

	party->manager = manager_create(bus_loop, name, &manager_ops, party);
	party->bus = bus_create(bus_loop, BUS_USER, &bus_ops, party);
}

static void party_end(struct party *party)
{
	manager_destroy(party->manager);
	bus_destroy(party->bus);
	stream_destroy(party->control);
	json_decref(party->asked);
	*party = (struct party){0};
}

static void turn(void)
{
	bus_turn();
	for (int i = 0; program && i < 100 && sd_bus_process(program, NULL) > 0; i++)
		;
}

#define until(condition) bus_until_by(turn, condition)

static int on_reply(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	(void)arg;
	(void)error;
	sd_bus_message_unref(reply);
	reply = sd_bus_message_ref(message);
	return 0;
}

/* Call a method with parameters (JSON; NULL: it has none), and wait for the answer. */
static void call_soon(
	const char *to, const char *interface, const char *member, const char *params)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;
	_cleanup_json_ json_t *object = params ? json_loads(params, 0, NULL) : NULL;

	reply = sd_bus_message_unref(reply);
	ck_assert_int_ge(sd_bus_message_new_method_call(
				 program, &message, to, MANAGER_PATH, interface, member),
		0);
	if (params)
		ck_assert_int_ge(bus_json_append(message, object), 0);
	ck_assert_int_ge(sd_bus_call_async(program, NULL, message, on_reply, NULL, 0), 0);
}

static void call(const char *to, const char *member, const char *params)
{
	call_soon(to, MANAGER_NAME, member, params);
	until(reply != NULL);
}

/* The reply is this JSON; and: it is an error with this name and text. */
static void assert_result(const char *json)
{
	_cleanup_json_ json_t *expected = json_loads(json, 0, NULL);
	_cleanup_json_ json_t *result = NULL;

	ck_assert_msg(!sd_bus_message_is_method_error(reply, NULL), "%s",
		sd_bus_message_is_method_error(reply, NULL)
			? sd_bus_message_get_error(reply)->message
			: "");
	ck_assert_int_eq(bus_json_read(reply, &result), 0);
	ck_assert_ptr_nonnull(expected);
	ck_assert_msg(json_equal(result, expected), "%s", json_dumps(result, 0));
}

static void assert_error(const char *name, const char *text)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);

	ck_assert_ptr_nonnull(error);
	ck_assert_str_eq(error->name, name);
	ck_assert_str_eq(error->message, text);
}

static void setup(void)
{
	bus_setup();
	if (!bus_is_possible())
		return;
	bus_start();
	ck_assert_int_ge(sd_bus_open_user(&program), 0);
}

static void teardown(void)
{
	reply = sd_bus_message_unref(reply);
	program = sd_bus_flush_close_unref(program);
	for (int i = 0; i < PARTIES; i++)
		party_end(&parties[i]);
	xreplace(&changed, NULL);
	bus_teardown();
}

static bool has_name(const char *name)
{
	return sd_bus_call_method(program, "org.freedesktop.DBus", "/org/freedesktop/DBus",
		       "org.freedesktop.DBus", "GetNameOwner", NULL, NULL, "s", name) >= 0;
}

static void serve(void)
{
	party_begin(&parties[0], "default");
	until(has_name(MANAGER_NAME) && has_name(MANAGER_NAME ".default"));
}

START_TEST(a_request_has_its_answer)
{
	static const char params[] =
		"{\"text\":\"ü\",\"number\":-1,\"real\":1.5,\"yes\":true,"
		"\"no\":false,\"object\":{\"in\":{\"list\":[1,\"a\",[2]]}}}";
	_cleanup_free_ char *script = xasprintf(
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"null\":null,\"params\":%s}}",
		params);

	if (!program)
		return;
	serve();
	parties[0].script = script;
	call(MANAGER_NAME, "Scale", params);
	ck_assert_str_eq(json_get_text(parties[0].asked, "method", ""), "scale");
	assert_result(
		"{\"params\":{\"text\":\"ü\",\"number\":-1,\"real\":1.5,\"yes\":true,\"no\":"
		"false,\"object\":{\"in\":{\"list\":[1,\"a\",[2]]}}}}");
	until(parties[0].closed == 1); /* no program stays connected */
}
END_TEST

static const struct {
	int code;
	const char *name;
} errors[] = {
	{RPC_INVALID_PARAMS, SD_BUS_ERROR_INVALID_ARGS},
	{RPC_NOT_RUNNING, "org.draco.Error.NotRunning"},
	{RPC_CANCELLED, "org.draco.Error.Cancelled"},
	{RPC_FAILED, "org.draco.Error.Failed"},
};

START_TEST(a_refusal_is_an_error)
{
	_cleanup_free_ char *script = xasprintf("{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{"
						"\"code\":%d,\"message\":\"50 %%s\"}}",
		errors[_i].code);

	if (!program)
		return;
	serve();
	parties[0].script = script;
	call(MANAGER_NAME, "Adapt", "{}");
	assert_error(errors[_i].name, "50 %s");
}
END_TEST

START_TEST(a_start_answers_when_it_begins_or_when_it_is_done)
{
	_cleanup_json_ json_t *environment = NULL;

	if (!program)
		return;
	serve();
	parties[0].script =
		"{\"jsonrpc\":\"2.0\",\"method\":\"progress\",\"params\":{\"state\":"
		"\"starting\"}}";
	call(MANAGER_NAME, "Start", "{\"settings\":{\"processes\":2}}");
	assert_result("{\"state\":\"starting\"}");
	environment = json_incref(
		json_object_get(json_object_get(parties[0].asked, "params"), "environment"));
	ck_assert_str_eq(json_get_text(environment, "PATH", ""), getenv("PATH"));
	parties[0].script =
		"{\"jsonrpc\":\"2.0\",\"method\":\"progress\",\"params\":{\"state\":"
		"\"starting\"}}\n"
		"{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"state\":\"running\"}}";
	call(MANAGER_NAME, "Start", "{\"wait\":true,\"environment\":{\"A\":\"b\"}}");
	assert_result("{\"state\":\"running\"}");
	ck_assert_ptr_null(
		json_object_get(json_object_get(parties[0].asked, "params"), "wait"));
}
END_TEST

START_TEST(all_dracods_are_listed_and_the_default_one_is_first)
{
	const char *cluster, *name;
	int count = 0;

	if (!program)
		return;
	party_begin(&parties[1], "my.other@slurm");
	until(has_name(MANAGER_NAME)); /* without a default one */
	serve();
	parties[0].script = "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"of\":\"default\"}}";
	parties[1].script = "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"of\":\"other\"}}";
	call(MANAGER_NAME, "Status", "{}");
	assert_result("{\"of\":\"default\"}");
	call(MANAGER_NAME, "Clusters", NULL);
	ck_assert_int_ge(sd_bus_message_enter_container(reply, 'a', "(ss)"), 0);
	while (sd_bus_message_read(reply, "(ss)", &cluster, &name) > 0) {
		count++;
		ck_assert(has_name(name));
		ck_assert(strcmp(cluster, "default") == 0 ||
			strcmp(cluster, "my.other@slurm") == 0);
	}
	ck_assert_int_eq(count, 2);
	party_end(&parties[0]);
	until(!has_name(MANAGER_NAME ".default"));
	call(MANAGER_NAME, "Status", "{}");
	assert_result("{\"of\":\"other\"}");
}
END_TEST

static int on_changed(sd_bus_message *message, void *arg, sd_bus_error *error)
{
	_cleanup_json_ json_t *interface = NULL, *values = NULL;

	(void)arg;
	(void)error;
	ck_assert_int_eq(bus_json_read(message, &interface), 0);
	ck_assert_str_eq(json_string_value(interface), MANAGER_NAME);
	ck_assert_int_eq(bus_json_read(message, &values), 0);
	free(changed);
	changed = json_dumps(values, JSON_SORT_KEYS | JSON_COMPACT);
	return 0;
}

START_TEST(changes_are_told)
{
	struct manager_facts facts = {
		.state = "starting", .waits_for = "Slurm", .failure = "", .jobs = 1};

	if (!program)
		return;
	ck_assert_int_ge(sd_bus_match_signal(program, NULL, NULL, MANAGER_PATH,
				 "org.freedesktop.DBus.Properties", "PropertiesChanged",
				 on_changed, NULL),
		0);
	serve();
	manager_set_facts(parties[0].manager, &facts);
	until(changed);
	ck_assert_str_eq(changed, "{\"Jobs\":1,\"State\":\"starting\",\"WaitsFor\":\"Slurm\"}");
	xreplace(&changed, NULL);
	manager_set_facts(parties[0].manager, &facts); /* the same */
	facts.workers = 3;
	manager_set_facts(parties[0].manager, &facts);
	until(changed);
	ck_assert_str_eq(changed, "{\"Workers\":3}");
}
END_TEST

START_TEST(a_call_that_cannot_be_sent_on_is_refused)
{
	_cleanup_(sd_bus_message_unrefp) sd_bus_message *message = NULL;

	if (!program)
		return;
	serve();
	ck_assert_int_ge(sd_bus_message_new_method_call(program, &message, MANAGER_NAME,
				 MANAGER_PATH, MANAGER_NAME, "Scale"),
		0);
	ck_assert_int_ge(
		sd_bus_message_append(message, "a{sv}", 1, "jobs", "t", UINT64_MAX), 0);
	ck_assert_int_ge(sd_bus_call_async(program, NULL, message, on_reply, NULL, 0), 0);
	until(reply);
	ck_assert_ptr_nonnull(sd_bus_message_get_error(reply));
	ck_assert_ptr_null(parties[0].asked);
	parties[0].script = "nonsense";
	call(MANAGER_NAME, "Stop", "{}");
	ck_assert_str_eq(sd_bus_message_get_error(reply)->name, "org.draco.Error.Failed");
	until(parties[0].closed == 2);
}
END_TEST

/* The end of dracod, and that of the bus, with calls that are not answered yet. */
START_TEST(ends)
{
	if (!program)
		return;
	serve();
	call_soon(MANAGER_NAME, MANAGER_NAME, "Shutdown", "{}");
	until(parties[0].asked);
	party_end(&parties[0]);
	until(reply);
	assert_result("{}");
	serve();
	call_soon(MANAGER_NAME, MANAGER_NAME, "Start", "{}");
	until(parties[0].asked);
	party_end(&parties[0]);
	until(reply);
	assert_error("org.draco.Error.Cancelled", "dracod ends");
	serve();
	call_soon(MANAGER_NAME, MANAGER_NAME, "Stop", "{}");
	until(parties[0].asked);
	program = sd_bus_close_unref(program);
	bus_kill();
	until(!bus_connection(parties[0].bus));
	until(parties[0].closed);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("manager");
	TCase *tcase = tcase_create("manager");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_set_timeout(tcase, 2 * BUS_DEADLINE_S);
	tcase_add_test(tcase, a_request_has_its_answer);
	tcase_add_loop_test(tcase, a_refusal_is_an_error, 0, LENGTH(errors));
	tcase_add_test(tcase, a_start_answers_when_it_begins_or_when_it_is_done);
	tcase_add_test(tcase, all_dracods_are_listed_and_the_default_one_is_first);
	tcase_add_test(tcase, changes_are_told);
	tcase_add_test(tcase, a_call_that_cannot_be_sent_on_is_refused);
	tcase_add_test(tcase, ends);
	suite_add_tcase(suite, tcase);
	return suite;
}
