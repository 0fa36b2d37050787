/* check_leases.c: tests of daemon/control/leases.c: who is attached, under which label. */
#include "unit.h"

#include <stdlib.h>

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
	list = leases_report(leases);
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
	list = leases_report(leases);
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
	_cleanup_free_ char *one = NULL, *two = NULL, *three = NULL;

	ck_assert_ptr_null(leases_others(leases, NULL));
	ck_assert(attach(
		0, "{\"host\":\"a\",\"pid\":7,\"notebook\":\"x.ipynb\",\"program\":\"p\"}"));
	ck_assert_ptr_null(leases_others(leases, client(0)));
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
	list = leases_report(leases);
	ck_assert_uint_eq(json_object_size(json_array_get(list, 0)), 2);
	json_decref(list);
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
	tcase_add_loop_test(tcase, wrong_labels, 0, LENGTH(wrong));
	tcase_add_test(tcase, unknown_members);
	suite_add_tcase(suite, tcase);
	return suite;
}
