/* check_dask_link.c: tests of daemon/dask/dask_link.c: who is let in, and what the scheduler's
 * preload tells. */
#include "unit.h"

#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/sock.h"
#include "dask_link_fixture.h"

static void on_answer(void *arg, const json_t *result, const struct err *err)
{
	(void)arg;
	(void)result;
	(void)err;
	ck_abort_msg("nobody was asked");
}

START_TEST(hello_is_judged)
{
	struct rpc_message message;
	int fd = come_with(DASK_LINK_PROTOCOL - 1, 0);

	hear(fd, &message);
	ck_assert_int_eq(message.kind, RPC_ERROR);
	ck_assert_str_eq(message.text, "dracod speaks protocol 4, not 3");
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
	ck_assert_int_eq(
		dask_link_request(dask_link, "drain", json_object(), WAIT_MS, on_answer, NULL),
		-ENOTCONN);
	close(fd);
	run();
	ck_assert_int_eq(losses, 0);
}
END_TEST

START_TEST(an_end_is_asked_for)
{
	static const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"terminate\"}";
	struct rpc_message message;
	int fd = come_in();

	refuse = 1;
	say(fd, line);
	hear(fd, &message);
	ck_assert_int_eq(message.kind, RPC_ERROR);
	ck_assert_str_eq(message.text, "student.ipynb is attached to it");
	rpc_message_finish(&message);
	refuse = 0;
	say(fd, line);
	hear(fd, &message);
	ck_assert_int_eq(message.kind, RPC_RESULT);
	ck_assert_int_eq(json_integer_value(message.id), 7);
	rpc_message_finish(&message);
	ck_assert_int_eq(terminations, 2);
	close(fd);
	run_until(losses == 1);
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

/* Whatever a worker is called gets into logs, events and requests. */
START_TEST(workers_with_names_that_are_none)
{
	static const char *const wrong[] = {
		"{\"name\":\"a\\nforged\",\"address\":\"tcp://n1:1\"}",
		"{\"name\":\"a\\u001b[2J\",\"address\":\"tcp://n1:1\"}",
		"{\"name\":\"a\",\"address\":\"tcp://n1:1\\u009b\"}",
		"{\"name\":\"\",\"address\":\"tcp://n1:1\"}",
		"{\"name\":7,\"address\":\"tcp://n1:1\"}",
		"{\"name\":\"a\"}",
		"7",
	};
	char *large = xasprintf("{\"name\":\"%0600d\",\"address\":\"tcp://n1:1\"}", 7);
	int fd = come_with(DASK_LINK_PROTOCOL, LENGTH(wrong) + 1);
	int before;

	for (size_t i = 0; i < LENGTH(wrong); i++) {
		char *line = xasprintf("{\"jsonrpc\":\"2.0\",\"method\":\"workers_there\","
				       "\"params\":{\"workers\":[%s]}}",
			wrong[i]);

		say(fd, line);
		free(line);
	}
	say_there(fd, 1);
	run_until(hellos == 1);
	ck_assert_uint_eq(workers_there, 1); /* the good one */
	before = workers_added;
	for (size_t i = 0; i <= LENGTH(wrong); i++) {
		char *line = xasprintf("{\"jsonrpc\":\"2.0\",\"method\":\"worker_added\","
				       "\"params\":%s}",
			i < LENGTH(wrong) ? wrong[i] : large);

		say(fd, line);
		free(line);
	}
	say(fd,
		"{\"jsonrpc\":\"2.0\",\"method\":\"worker_added\",\"params\":"
		"{\"name\":\"good\",\"address\":\"tcp://n1:1\"}}");
	run_until(workers_added == before + 1);
	run();
	ck_assert_int_eq(workers_added, before + 1);
	free(large);
	close(fd);
	run_until(losses == 1);
}
END_TEST

START_TEST(workers_that_leave)
{
	static const char *const flags[] = {",\"asked\":true", ",\"asked\":false", ""};
	int fd = come_in();

	for (size_t i = 0; i < LENGTH(flags); i++) {
		char *line = xasprintf("{\"jsonrpc\":\"2.0\",\"method\":\"worker_removed\","
				       "\"params\":{\"address\":\"tcp://n1:1\"%s}}",
			flags[i]);

		say(fd, line);
		free(line);
	}
	run_until(removals == 3);
	ck_assert_int_eq(removals_asked, 1);
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

Suite *unit_suite(void)
{
	Suite *suite = suite_create("dask_link");
	TCase *tcase = tcase_create("dask_link");

	tcase_add_checked_fixture(tcase, dask_link_setup, dask_link_teardown);
	tcase_add_test(tcase, hello_is_judged);
	tcase_add_test(tcase, an_end_is_asked_for);
	tcase_add_test(tcase, hello_of_many_workers);
	tcase_add_loop_test(tcase, hello_of_a_wrong_number_of_workers, 0, 2);
	tcase_add_test(tcase, workers_with_names_that_are_none);
	tcase_add_test(tcase, workers_that_leave);
	tcase_add_test(tcase, workers_are_told);
	suite_add_tcase(suite, tcase);
	return suite;
}
