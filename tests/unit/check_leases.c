/* check_leases.c: tests of daemon/control/leases.c: who is attached, under which label. */
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/rpc.h"
#include "daemon/control/control.h"
#include "daemon/control/leases.h"

/* Stand-ins for control.c, whose clients are only pointers here. */
static json_t *answer;
static char refused[256];

void client_reply(struct client *client, const json_t *id, json_t *result)
{
	(void)client;
	(void)id;
	json_decref(answer);
	answer = result;
}

void client_refuse(
	struct client *client, const json_t *id, int code, const char *text, json_t *data)
{
	(void)client;
	(void)id;
	ck_assert_int_eq(code, RPC_INVALID_PARAMS);
	ck_assert_ptr_null(data);
	snprintf(refused, sizeof(refused), "%s", text);
}

static char clients[3];
static struct leases *leases;

static struct client *client(int i)
{
	return (struct client *)&clients[i];
}

static bool attach(int i, const char *label)
{
	json_t *params = json_pack("{s:o}", "label", json_loads(label, 0, NULL));
	struct rpc_message message = {.params = params};
	bool good = leases_request(leases, client(i), &message);

	json_decref(params);
	return good;
}

static void setup(void)
{
	leases = leases_create();
	refused[0] = '\0';
}

static void teardown(void)
{
	leases_destroy(leases);
	json_decref(answer);
	answer = NULL;
}

START_TEST(attached)
{
	json_t *list;

	ck_assert(attach(0, "{\"host\":\"a\",\"pid\":1,\"notebook\":\"x.ipynb\"}"));
	ck_assert_int_eq(json_get_integer(answer, "attached", 0), 1);
	ck_assert(attach(1, "{}"));
	ck_assert_int_eq(json_get_integer(answer, "attached", 0), 2);
	list = leases_report(leases, NULL);
	ck_assert_uint_eq(json_array_size(list), 2);
	ck_assert_str_eq(json_get_text(json_array_get(list, 0), "host", ""), "a");
	ck_assert_str_eq(json_get_text(json_array_get(list, 0), "notebook", ""), "x.ipynb");
	ck_assert_int_eq(json_get_integer(json_array_get(list, 0), "pid", 0), 1);
	ck_assert_int_gt(json_get_integer(json_array_get(list, 0), "since", 0), 1600000000);
	ck_assert_int_gt(json_get_integer(json_array_get(list, 0), "last_use", 0), 1600000000);
	ck_assert_ptr_null(json_object_get(json_array_get(list, 1), "host"));
	json_decref(list);
	ck_assert_int_eq(leases_count(leases, NULL), 2);
	ck_assert_int_eq(leases_count(leases, client(0)), 1);
	ck_assert_int_eq(leases_count(leases, client(2)), 2);
}
END_TEST

START_TEST(attached_again)
{
	json_t *list;

	ck_assert(attach(0, "{\"host\":\"a\"}"));
	ck_assert(attach(0, "{\"host\":\"b\"}"));
	ck_assert_int_eq(leases_count(leases, NULL), 1);
	list = leases_report(leases, NULL);
	ck_assert_str_eq(json_get_text(json_array_get(list, 0), "host", ""), "b");
	json_decref(list);
}
END_TEST

START_TEST(gone)
{
	ck_assert(attach(0, "{}"));
	ck_assert(attach(1, "{}"));
	leases_client_gone(leases, client(0));
	leases_client_gone(leases, client(0));
	leases_client_gone(leases, client(2));
	leases_touch(leases, client(1));
	leases_touch(leases, client(2));
	ck_assert_int_eq(leases_count(leases, NULL), 1);
	ck_assert_int_eq(leases_count(leases, client(1)), 0);
}
END_TEST

START_TEST(others_by_name)
{
	_cleanup_free_ char *one = NULL, *two = NULL, *three = NULL, *own = NULL;

	ck_assert_ptr_null(leases_others(leases, NULL));
	ck_assert(attach(
		0, "{\"host\":\"a\",\"pid\":7,\"notebook\":\"x.ipynb\",\"program\":\"p\"}"));
	ck_assert_ptr_null(leases_others(leases, client(0)));
	ck_assert_ptr_null(leases_program(leases, client(1)));
	own = leases_program(leases, client(0));
	ck_assert_str_eq(own, "x.ipynb (process 7 on a)");
	one = leases_others(leases, client(1));
	ck_assert_str_eq(one, "x.ipynb (process 7 on a)");
	ck_assert(attach(1, "{\"host\":\"b\",\"pid\":8,\"program\":\"run.py\"}"));
	two = leases_others(leases, NULL);
	ck_assert_str_eq(two, "run.py (process 8 on b) and 1 other");
	ck_assert(attach(2, "{}"));
	three = leases_others(leases, NULL);
	ck_assert_str_eq(three, "a program (process 0 on an unknown host) and 2 others");
}
END_TEST

START_TEST(objects_of_one_program)
{
	_cleanup_free_ char *one = NULL, *two = NULL, *three = NULL;

	ck_assert(attach(0, "{\"host\":\"a\",\"pid\":7,\"program\":\"p\"}"));
	ck_assert_ptr_null(leases_same_program(leases, client(0)));
	ck_assert(attach(1, "{\"host\":\"b\",\"pid\":7,\"program\":\"q\"}"));
	ck_assert_ptr_null(leases_same_program(leases, client(0)));
	one = leases_others(leases, client(0));
	ck_assert_str_eq(one, "q (process 7 on b)");
	ck_assert(attach(2, "{\"host\":\"a\",\"pid\":7,\"program\":\"p\"}"));
	ck_assert_ptr_eq(leases_same_program(leases, client(0)), client(2));
	ck_assert_ptr_eq(leases_same_program(leases, client(2)), client(0));
	two = leases_others(leases, client(0));
	ck_assert_str_eq(two, "q (process 7 on b) and 1 other");
	leases_client_gone(leases, client(1));
	three = leases_others(leases, client(0));
	ck_assert_str_eq(three, "another object of this program");
	/* What has told no process is never the same. */
	ck_assert(attach(0, "{}"));
	ck_assert(attach(2, "{}"));
	ck_assert_ptr_null(leases_same_program(leases, client(0)));
}
END_TEST

static const struct {
	const char *label;
	const char *error;
} wrong[] = {
	{"{\"host\":1}", "label: \"host\" must be a text of at most 1024 bytes"},
	{"{\"pid\":\"1\"}", "label: \"pid\" must be an integer"},
	{"{\"host\":\"a\",\"notebook\":[]}",
		"label: \"notebook\" must be a text of at most 1024 bytes"},
};

START_TEST(wrong_labels)
{
	ck_assert(!attach(0, wrong[_i].label));
	ck_assert_str_eq(refused, wrong[_i].error);
	ck_assert_int_eq(leases_count(leases, NULL), 0);
}
END_TEST

/* What a newer program tells of itself does no harm, and is not kept. */
START_TEST(unknown_members)
{
	json_t *list;

	ck_assert(attach(0, "{\"colour\":\"red\",\"host\":null}"));
	list = leases_report(leases, NULL);
	ck_assert_uint_eq(json_object_size(json_array_get(list, 0)), 3);
	json_decref(list);
}
END_TEST

static double share_of(const char *client)
{
	json_t *shares = leases_shares(leases);
	double share = json_number_value(json_object_get(shares, client));

	json_decref(shares);
	return share;
}

static int set_share(const char *program, double share, struct err *err)
{
	json_t *value = json_real(share);
	const char *client;
	int r = leases_set_share(leases, program, value, &client, err);

	json_decref(value);
	return r;
}

START_TEST(shares)
{
	struct err err = ERR_INIT;

	ck_assert(attach(0, "{\"client\":\"a\",\"pid\":1,\"notebook\":\"~/x/y.ipynb\"}"));
	ck_assert(attach(1, "{\"client\":\"b\",\"pid\":2,\"program\":\"fit.py\"}"));
	ck_assert(attach(2, "{\"client\":\"c\",\"pid\":3,\"program\":\"fit.py\"}"));
	ck_assert_double_eq(share_of("a"), 1);
	ck_assert_int_eq(set_share("y.ipynb", 2, &err), 0);
	ck_assert_double_eq(share_of("a"), 2);
	ck_assert_int_eq(set_share("2", 0.5, &err), 0);
	ck_assert_double_eq(share_of("b"), 0.5);
	ck_assert_int_eq(set_share("fit.py", 3, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "several attached programs are called fit.py"));
	err = (struct err)ERR_INIT;
	ck_assert_int_eq(set_share("4", 3, &err), -ENOENT);
	err = (struct err)ERR_INIT;
	ck_assert_int_eq(set_share("2", 0, &err), -EINVAL);
	ck_assert_ptr_nonnull(strstr(err.text, "from 0.01 to 100"));
	/* A second attach without a share keeps it. */
	ck_assert(attach(0, "{\"client\":\"a\"}"));
	ck_assert_double_eq(share_of("a"), 2);
}
END_TEST

START_TEST(usage)
{
	json_t *programs = json_pack("[{s:s, s:i, s:f, s:i}]", "client", "b", "running", 4,
		"core_seconds", 2.5, "bytes", 7);
	json_t *list;

	ck_assert(attach(0, "{\"client\":\"a\"}"));
	ck_assert(attach(1, "{\"client\":\"b\"}"));
	list = leases_report(leases, programs);
	ck_assert_ptr_null(json_object_get(json_array_get(list, 0), "running"));
	ck_assert_int_eq(json_get_integer(json_array_get(list, 1), "running", 0), 4);
	ck_assert_int_eq(json_get_integer(json_array_get(list, 1), "bytes", 0), 7);
	json_decref(list);
	json_decref(programs);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("leases");
	TCase *tcase = tcase_create("leases");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, attached);
	tcase_add_test(tcase, attached_again);
	tcase_add_test(tcase, gone);
	tcase_add_test(tcase, others_by_name);
	tcase_add_test(tcase, objects_of_one_program);
	tcase_add_loop_test(tcase, wrong_labels, 0, LENGTH(wrong));
	tcase_add_test(tcase, unknown_members);
	tcase_add_test(tcase, shares);
	tcase_add_test(tcase, usage);
	suite_add_tcase(suite, tcase);
	return suite;
}
