/* check_dask_link.c: tests of daemon/dask_link.c: what the scheduler's preload says, and what it is
 * asked. The test is the preload, at the real socket. */
#include "unit.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/rpc.h"
#include "common/sock.h"
#include "daemon/dask_link.h"
#include "daemon/loop.h"

#define LONG_MS	     60000
#define TURN_MS	     5
#define WAIT_MS	     10000
#define REQUESTS_MAX 64

static struct loop *loop;
static struct loop_timer *turn;
static struct dask_link *dask_link;
static char *path;

/* What dracod's side has heard. */
static int refuse, hellos, losses, reports;
static json_int_t reported_tasks;
static size_t workers_there; /* of the last hello */

/* The answers to requests. */
static struct answer {
	int count;
	int code;
	char text[128];
	json_int_t number;
} answers[REQUESTS_MAX + 2];

static int on_hello(void *arg, const json_t *hello, struct err *err)
{
	(void)arg;
	hellos++;
	workers_there = json_array_size(json_object_get(hello, "workers"));
	return refuse ? err_set(err, -EPERM, "not mine") : 0;
}

static void on_worker(void *arg, const char *name, const char *address)
{
	(void)arg;
	(void)name;
	(void)address;
}

static void on_worker_removed(void *arg, const char *address)
{
	(void)arg;
	(void)address;
}

static void on_load(void *arg, const json_t *load)
{
	(void)arg;
	(void)load;
}

static void on_workers(void *arg, const json_t *workers)
{
	(void)arg;
	reports++;
	reported_tasks = json_integer_value(json_array_get(json_array_get(workers, 0), 1));
}

static void on_lost(void *arg, const char *why)
{
	(void)arg;
	(void)why;
	losses++;
}

static void on_answer(void *arg, const json_t *result, const struct err *err)
{
	struct answer *answer = arg;

	ck_assert((result == NULL) == (err != NULL));
	answer->count++;
	answer->code = err ? err->code : 0;
	snprintf(answer->text, sizeof(answer->text), "%s", err ? err->text : "");
	answer->number = json_get_integer(result, "number", 0);
}

static void on_turn(void *arg)
{
	(void)arg;
	loop_exit(loop);
}

static void run(void)
{
	loop_timer_start(turn, TURN_MS);
	ck_assert_int_eq(loop_run(loop), 0);
}

/* Let the loop run until the condition is true. */
#define run_until(condition)                                                     \
	do {                                                                     \
		int64_t end_ms = loop_now_ms() + WAIT_MS;                        \
                                                                                 \
		while (!(condition)) {                                           \
			ck_assert_msg(loop_now_ms() < end_ms, "%s", #condition); \
			run();                                                   \
		}                                                                \
	} while (0)

static void setup(void)
{
	static const struct dask_link_ops ops = {
		on_hello, on_worker, on_worker_removed, on_load, on_workers, on_lost};
	_cleanup_free_ char *directory = unit_directory();
	struct err err = ERR_INIT;

	signal(SIGPIPE, SIG_IGN); /* as dracod */
	memset(answers, 0, sizeof(answers));
	refuse = hellos = losses = reports = 0;
	loop = loop_create(&err);
	turn = loop_timer_create(loop, on_turn, NULL);
	path = xasprintf("%s/dask.sock", directory);
	dask_link = dask_link_create(loop, path, &ops, NULL, &err);
	ck_assert_msg(dask_link != NULL, "%s", err.text);
}

static void teardown(void)
{
	dask_link = dask_link_destroy(dask_link);
	turn = loop_timer_destroy(turn);
	loop = loop_destroy(loop);
	free(path);
}

/* The other side reads in this same thread: let it when there is no room. */
static void say(int fd, const char *text)
{
	_cleanup_free_ char *line = xasprintf("%s\n", text);
	size_t length = strlen(line), sent = 0;

	while (sent < length) {
		ssize_t n = send(fd, line + sent, length - sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		ck_assert(n >= 0 || errno == EAGAIN);
		sent += n > 0 ? (size_t)n : 0;
		if (n < 0)
			run();
	}
}

/* The next line that dracod's side sends; ret as rpc_parse() makes it. */
static void hear(int fd, struct rpc_message *ret)
{
	struct err err = ERR_INIT;
	char line[4096];
	size_t length = 0;

	for (;;) {
		struct pollfd ready = {.fd = fd, .events = POLLIN};

		run_until(poll(&ready, 1, 0) == 1);
		ck_assert_int_eq(read(fd, line + length, 1), 1);
		if (line[length] == '\n')
			break;
		ck_assert_uint_lt(++length, sizeof(line));
	}
	ck_assert_msg(rpc_parse(line, length, ret, &err) == 0, "%s", err.text);
}

static int come_with(int protocol, int64_t workers)
{
	_cleanup_free_ char *hello =
		xasprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\",\"params\":{"
			  "\"protocol\":%d,\"workers\":%" PRId64 "}}",
			protocol, workers);
	struct err err = ERR_INIT;
	int fd = sock_connect(path, &err);

	ck_assert_msg(fd >= 0, "%s", err.text);
	say(fd, hello);
	return fd;
}

/* A preload that is accepted. */
static int come_in(void)
{
	struct rpc_message message;
	int fd = come_with(DASK_LINK_PROTOCOL, 0);

	hear(fd, &message);
	ck_assert_int_eq(message.kind, RPC_RESULT);
	rpc_message_finish(&message);
	return fd;
}

static void ask(int number, int64_t deadline_ms)
{
	ck_assert_int_eq(
		dask_link_request(dask_link, "drain", json_pack("{s:i}", "number", number),
			deadline_ms, on_answer, &answers[number]),
		0);
}

static json_int_t hear_request(int fd, int number)
{
	struct rpc_message message;
	json_int_t id;

	hear(fd, &message);
	ck_assert_int_eq(message.kind, RPC_REQUEST);
	ck_assert_str_eq(message.method, "drain");
	ck_assert_int_eq(json_get_integer(message.params, "number", -1), number);
	id = json_integer_value(message.id);
	rpc_message_finish(&message);
	return id;
}

static void reply(int fd, json_int_t id, const char *rest)
{
	_cleanup_free_ char *line =
		xasprintf("{\"jsonrpc\":\"2.0\",\"id\":%" JSON_INTEGER_FORMAT ",%s}", id, rest);

	say(fd, line);
}

START_TEST(hello_is_judged)
{
	struct rpc_message message;
	int fd = come_with(DASK_LINK_PROTOCOL - 1, 0);

	hear(fd, &message);
	ck_assert_int_eq(message.kind, RPC_ERROR);
	ck_assert_str_eq(message.text, "protocol 4 is spoken here, not 3");
	rpc_message_finish(&message);
	ck_assert_int_eq(hellos, 0);
	close(fd);
	refuse = 1;
	fd = come_with(DASK_LINK_PROTOCOL, 0);
	hear(fd, &message);
	ck_assert_int_eq(message.kind, RPC_ERROR);
	ck_assert_str_eq(message.text, "not mine");
	rpc_message_finish(&message);
	ck_assert_int_eq(hellos, 1);
	ck_assert_int_eq(dask_link_request(dask_link, "drain", json_object(), LONG_MS,
				 on_answer, &answers[0]),
		-ENOTCONN);
	close(fd);
	run();
	ck_assert_int_eq(losses, 0);
	ck_assert_int_eq(answers[0].count, 0);
}
END_TEST

/* Tell of workers in one line. */
static void say_there(int fd, int count)
{
	json_t *there = json_array();
	_cleanup_free_ char *line = NULL;

	for (int i = 0; i < count; i++)
		json_array_append_new(there,
			json_pack("{s:s, s:s, s:i, s:I}", "name", "draco-12345678_1234-12",
				"address", "tls://192.168.100.100:12345", "tasks", i, "bytes",
				(json_int_t)1 << 40));
	line = rpc_format_notification("workers_there", json_pack("{s:o}", "workers", there));
	say(fd, line);
	run();
}

START_TEST(hello_of_many_workers)
{
	struct rpc_message message;
	int fd = come_with(DASK_LINK_PROTOCOL, 6000);

	for (int i = 0; i < 12; i++) {
		ck_assert_int_eq(hellos, 0);
		say_there(fd, 500);
	}
	run_until(hellos == 1);
	ck_assert_uint_eq(workers_there, 6000);
	hear(fd, &message);
	ck_assert_int_eq(message.kind, RPC_RESULT);
	rpc_message_finish(&message);
	say_there(fd, 1); /* nobody waits for it */
	ck_assert_int_eq(hellos, 1);
	close(fd);
	run_until(losses == 1);
}
END_TEST

START_TEST(hello_of_a_wrong_number_of_workers)
{
	static const int64_t wrong[] = {-1, 100001};
	struct rpc_message message;
	int fd = come_with(DASK_LINK_PROTOCOL, wrong[_i]);

	hear(fd, &message);
	ck_assert_int_eq(message.kind, RPC_ERROR);
	rpc_message_finish(&message);
	close(fd);
	fd = come_with(DASK_LINK_PROTOCOL, 2);
	say_there(fd, 3);
	say_there(fd, 1);
	ck_assert_int_eq(hellos, 0);
	close(fd); /* before all was said */
	run();
	fd = come_with(DASK_LINK_PROTOCOL, 1);
	say_there(fd, 0);
	say_there(fd, 1);
	run_until(hellos == 1);
	ck_assert_uint_eq(workers_there, 1);
	close(fd);
	run_until(losses == 1);
}
END_TEST

START_TEST(workers_are_told)
{
	static const char report[] = "{\"jsonrpc\":\"2.0\",\"method\":\"workers\",\"params\":"
				     "{\"workers\":[[\"tcp://n1:1\",3,100]]}}";
	int stranger, fd = come_in();
	struct err err = ERR_INIT;

	stranger = sock_connect(path, &err);
	say(stranger, report);
	run();
	ck_assert_int_eq(reports, 0);
	say(fd, "{\"jsonrpc\":\"2.0\",\"method\":\"workers\",\"params\":{}}");
	run_until(reports == 1);
	ck_assert_int_eq(reported_tasks, 0);
	say(fd, report);
	run_until(reports == 2);
	ck_assert_int_eq(reported_tasks, 3);
	close(stranger);
	close(fd);
	run_until(losses == 1);
}
END_TEST

START_TEST(answers_in_any_order)
{
	int fd = come_in();
	json_int_t first, second, third;

	ask(0, LONG_MS);
	ask(1, LONG_MS);
	ask(2, LONG_MS);
	first = hear_request(fd, 0);
	second = hear_request(fd, 1);
	third = hear_request(fd, 2);
	ck_assert_int_eq(answers[0].count + answers[1].count + answers[2].count, 0);
	reply(fd, third, "\"error\":{\"code\":-32000,\"message\":\"busy\"}");
	reply(fd, second, "\"result\":{\"number\":7}");
	reply(fd, second, "\"result\":{\"number\":8}"); /* once more */
	reply(fd, 999, "\"result\":{}");
	say(fd, "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{}}");
	say(fd, "nonsense");
	reply(fd, first, "\"result\":{\"number\":9}");
	run_until(answers[0].count == 1);
	ck_assert_int_eq(answers[0].number, 9);
	ck_assert_int_eq(answers[0].code, 0);
	ck_assert_int_eq(answers[1].count, 1);
	ck_assert_int_eq(answers[1].number, 7);
	ck_assert_int_eq(answers[2].count, 1);
	ck_assert_int_eq(answers[2].code, -EIO);
	ck_assert_str_eq(answers[2].text, "drain: busy");
	close(fd);
	run_until(losses == 1);
	ck_assert_int_eq(answers[0].count, 1);
}
END_TEST

START_TEST(a_deadline_passes)
{
	int fd = come_in();
	json_int_t late;

	ask(0, 1);
	ask(1, LONG_MS);
	late = hear_request(fd, 0);
	run_until(answers[0].count == 1);
	ck_assert_int_eq(answers[0].code, -ETIMEDOUT);
	reply(fd, late, "\"result\":{}");
	reply(fd, hear_request(fd, 1), "\"result\":{\"number\":1}");
	run_until(answers[1].count == 1);
	ck_assert_int_eq(answers[0].count, 1);
	ck_assert_int_eq(answers[1].number, 1);
	close(fd);
}
END_TEST

/* The first preload leaves, or another one takes its place. */
START_TEST(the_connection_is_lost)
{
	int fd = come_in();
	int other;

	ask(0, LONG_MS);
	ask(1, LONG_MS);
	if (_i == 0) {
		close(fd);
		run_until(losses == 1);
		fd = come_in();
	} else {
		other = come_in();
		ck_assert_int_eq(losses, 0);
		close(fd);
		fd = other;
	}
	run_until(answers[1].count == 1);
	ck_assert_int_eq(answers[0].count, 1);
	ck_assert_int_eq(answers[0].code, -ECONNRESET);
	ck_assert_int_eq(answers[1].code, -ECONNRESET);
	ask(2, LONG_MS);
	reply(fd, hear_request(fd, 2), "\"result\":{\"number\":2}");
	run_until(answers[2].count == 1);
	ck_assert_int_eq(answers[2].number, 2);
	close(fd);
}
END_TEST

/* An answer leads to the next request, as when a job that is drained is retired. */
static void on_answer_ask(void *arg, const json_t *result, const struct err *err)
{
	on_answer(arg, result, err);
	if (!err)
		ask(1, LONG_MS);
	else
		ck_assert_int_eq(dask_link_request(dask_link, "drain", NULL, LONG_MS, on_answer,
					 &answers[1]),
			-ENOTCONN);
}

START_TEST(an_answer_asks_again)
{
	int fd = come_in();

	ck_assert_int_eq(dask_link_request(dask_link, "drain", json_pack("{s:i}", "number", 0),
				 LONG_MS, on_answer_ask, &answers[0]),
		0);
	if (_i == 0) {
		reply(fd, hear_request(fd, 0), "\"result\":{}");
		reply(fd, hear_request(fd, 1), "\"result\":{\"number\":5}");
		run_until(answers[1].count == 1);
		ck_assert_int_eq(answers[1].number, 5);
		close(fd);
	} else {
		close(fd);
		run_until(losses == 1);
		ck_assert_int_eq(answers[1].count, 0);
	}
	ck_assert_int_eq(answers[0].count, 1);
}
END_TEST

START_TEST(a_limit)
{
	int fd = come_in();

	for (int i = 0; i < REQUESTS_MAX; i++)
		ask(i, LONG_MS);
	ck_assert_int_eq(dask_link_request(dask_link, "drain", json_object(), LONG_MS,
				 on_answer, &answers[REQUESTS_MAX]),
		-EBUSY);
	reply(fd, hear_request(fd, 0), "\"result\":{}");
	run_until(answers[0].count == 1);
	ask(REQUESTS_MAX, LONG_MS);
	/* Those without an answer are not answered by the end. */
	dask_link = dask_link_destroy(dask_link);
	for (int i = 1; i <= REQUESTS_MAX; i++)
		ck_assert_int_eq(answers[i].count, 0);
	close(fd);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("dask_link");
	TCase *tcase = tcase_create("dask_link");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, hello_is_judged);
	tcase_add_test(tcase, hello_of_many_workers);
	tcase_add_loop_test(tcase, hello_of_a_wrong_number_of_workers, 0, 2);
	tcase_add_test(tcase, workers_are_told);
	tcase_add_test(tcase, answers_in_any_order);
	tcase_add_test(tcase, a_deadline_passes);
	tcase_add_loop_test(tcase, the_connection_is_lost, 0, 2);
	tcase_add_loop_test(tcase, an_answer_asks_again, 0, 2);
	tcase_add_test(tcase, a_limit);
	suite_add_tcase(suite, tcase);
	return suite;
}
