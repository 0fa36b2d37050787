/* check_rpc_methods.c: tests of common/rpc.c: the table of methods and their parameters. */
#include "unit.h"

#include "common/rpc.h"

START_TEST(methods)
{
	for (int i = 0; i < RPC_METHOD_COUNT; i++) {
		const struct rpc_method *method = &rpc_methods[i];

		ck_assert_ptr_nonnull(method->name);
		ck_assert_int_eq(rpc_method_find(method->name), i); /* so names differ */
		ck_assert_uint_gt(strlen(method->summary), 10);
		ck_assert(method->before_hello == (i == RPC_HELLO));
		for (int j = 0; j < RPC_PARAMS_MAX && method->params[j].name; j++)
			ck_assert_ptr_nonnull(strchr("isboan", method->params[j].type));
	}
	ck_assert_int_eq(rpc_method_find(""), -ENOENT);
	ck_assert_int_eq(rpc_method_find("Hello"), -ENOENT);
	ck_assert_int_eq(rpc_method_find("hello "), -ENOENT);
}
END_TEST

/* A method of each type of parameter, and what fits each. */
static const struct rpc_method method_of_all = {"all", false,
	{{"number", 'i', true}, {"string", 's', false}, {"flag", 'b', false},
		{"object", 'o', true}},
	"all", NULL};

static const struct {
	const char *params;
	const char *error; /* NULL: good */
} checks[] = {
	{"{\"number\":1,\"object\":{}}", NULL},
	{"{\"number\":-1,\"string\":\"\",\"flag\":false,\"object\":{\"x\":1}}", NULL},
	{"{}", "all: parameter \"number\" is missing"},
	{"{\"object\":{}}", "all: parameter \"number\" is missing"},
	{"{\"number\":1}", "all: parameter \"object\" is missing"},
	{"{\"number\":1.0,\"object\":{}}", "all: parameter \"number\" must be an integer"},
	{"{\"number\":\"1\",\"object\":{}}", "all: parameter \"number\" must be an integer"},
	{"{\"number\":true,\"object\":{}}", "all: parameter \"number\" must be an integer"},
	{"{\"number\":null,\"object\":{}}", "all: parameter \"number\" must be an integer"},
	{"{\"number\":1,\"object\":[]}", "all: parameter \"object\" must be an object"},
	{"{\"number\":1,\"object\":{},\"string\":1}",
		"all: parameter \"string\" must be a string"},
	{"{\"number\":1,\"object\":{},\"string\":null}",
		"all: parameter \"string\" must be a string"},
	{"{\"number\":1,\"object\":{},\"flag\":1}",
		"all: parameter \"flag\" must be true or false"},
	{"{\"number\":1,\"object\":{},\"flag\":\"yes\"}",
		"all: parameter \"flag\" must be true or false"},
	{"{\"number\":1,\"object\":{},\"strng\":\"\"}",
		"all: unknown parameter \"strng\"; did you mean \"string\"?"},
	{"{\"number\":1,\"object\":{},\"zzzzzz\":\"\"}", "all: unknown parameter \"zzzzzz\""},
	{"{\"number\":1,\"object\":{},\"\":\"\"}", "all: unknown parameter \"\""},
};

START_TEST(check_params)
{
	json_t *params = json_loads(checks[_i].params, 0, NULL);
	struct err err = ERR_INIT;
	int r;

	ck_assert(json_is_object(params));
	r = rpc_check_params(&method_of_all, params, &err);
	ck_assert_int_eq(r, checks[_i].error ? -EINVAL : 0);
	ck_assert_str_eq(err.text, checks[_i].error ? checks[_i].error : "");
	ck_assert_int_eq(rpc_check_params(&method_of_all, params, NULL), r);
	json_decref(params);
}
END_TEST

START_TEST(check_params_of_nothing)
{
	struct err err = ERR_INIT;

	ck_assert_int_eq(rpc_check_params(&rpc_methods[RPC_STATUS], NULL, &err), 0);
	ck_assert_int_eq(rpc_check_params(&rpc_methods[RPC_HELLO], NULL, &err), -EINVAL);
	unit_assert_err(&err, -EINVAL, "hello: parameter \"protocol\" is missing");
}
END_TEST

/* Each parameter of each real method takes its own type and no other. */
START_TEST(check_params_of_methods)
{
	static const char types[] = "isboan";
	const struct rpc_method *method = &rpc_methods[_i];
	json_t *values[] = {json_integer(1), json_string("s"), json_true(), json_object(),
		json_array(), json_real(0.5)};

	for (int i = 0; i < RPC_PARAMS_MAX && method->params[i].name; i++)
		for (int type = 0; type < 6; type++) {
			json_t *params = json_object();
			char wanted = method->params[i].type;
			bool fits =
				types[type] == wanted || (wanted == 'n' && types[type] == 'i');

			for (int j = 0; j < RPC_PARAMS_MAX && method->params[j].name; j++)
				json_object_set(params, method->params[j].name,
					values[i == j ? type
						      : strchr(types, method->params[j].type) -
								types]);
			ck_assert_int_eq(
				rpc_check_params(method, params, NULL), fits ? 0 : -EINVAL);
			json_decref(params);
		}
	for (int i = 0; i < 6; i++)
		json_decref(values[i]);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("rpc methods");
	TCase *tcase = tcase_create("methods");

	tcase_add_test(tcase, methods);
	tcase_add_loop_test(tcase, check_params, 0, LENGTH(checks));
	tcase_add_test(tcase, check_params_of_nothing);
	tcase_add_loop_test(tcase, check_params_of_methods, 0, RPC_METHOD_COUNT);
	suite_add_tcase(suite, tcase);
	return suite;
}
