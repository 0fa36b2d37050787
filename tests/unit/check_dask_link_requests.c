/* check_dask_link_requests.c: tests of daemon/dask/dask_link.c: what the scheduler's preload is
 * asked. */
#include "unit.h"

#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "dask_link_fixture.h"

#define LONG_MS	     60000
#define REQUESTS_MAX 64

static struct answer {
	int count;
	int code;
	char text[128];
	json_int_t number;
} answers[REQUESTS_MAX + 2];

static void setup(void)
{
	memset(answers, 0, sizeof(answers));
	dask_link_setup();
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
	Suite *suite = suite_create("dask_link: requests");
	TCase *tcase = tcase_create("requests");

	tcase_add_checked_fixture(tcase, setup, dask_link_teardown);
	tcase_add_test(tcase, answers_in_any_order);
	tcase_add_test(tcase, a_deadline_passes);
	tcase_add_loop_test(tcase, the_connection_is_lost, 0, 2);
	tcase_add_loop_test(tcase, an_answer_asks_again, 0, 2);
	tcase_add_test(tcase, a_limit);
	suite_add_tcase(suite, tcase);
	return suite;
}
