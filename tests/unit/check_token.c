/* check_token.c: tests of daemon/slurm/token.c: when a token of Slurm ends. */
#include "unit.h"

#include "daemon/slurm/token.h"

static const struct {
	const char *token;
	int64_t end;
} tokens[] = {
	/* {"exp":1700000000,"iat":1699998200,"sun":"ann"} */
	{"eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjE3MDAwMDAwMDAsImlhdCI6MTY5OTk5ODIwMCwic3VuIjoiYW5uIn0.x_-",
		1700000000},
	/* {"exp":4,"sun":"??>>"}: characters that base64 has not */
	{"a.eyJleHAiOjQsInN1biI6Ij8_Pj4ifQ.c", 4},
	{"a.e30.c", 0}, /* {} */
	{"a.MTI.c", 0}, /* 12 */
	{"a.!!!!.c", 0},
	{"a.e.c", 0},
	{"a..c", 0},
	{"a.b", 0},
	{"token", 0},
	{"", 0},
};

START_TEST(end)
{
	ck_assert_int_eq(token_end(tokens[_i].token), tokens[_i].end);
}
END_TEST

START_TEST(too_long)
{
	char *token = calloc(20000, 1);

	ck_assert_ptr_nonnull(token);
	memset(token, 'a', 19999);
	token[1] = token[19990] = '.';
	ck_assert_int_eq(token_end(token), 0);
	free(token);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("token");
	TCase *tcase = tcase_create("token");

	tcase_add_loop_test(tcase, end, 0, LENGTH(tokens));
	tcase_add_test(tcase, too_long);
	suite_add_tcase(suite, tcase);
	return suite;
}
