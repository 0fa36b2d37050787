/* check_knock.c: tests of common/knock.c. */
#include "unit.h"

#include "common/cleanup.h"
#include "common/knock.h"

#define KEY_TEXT "-----BEGIN PRIVATE KEY-----\n"

/* Made by other means from the description in knock.h; client/python's test has the same one. */
static const char known[] =
	"draco-000102030405060708090a0b0c0d0e0f.7092a0a7801d6e8d59ae1e1185d28c9e";

static struct knock_key read_key(const char *text)
{
	_cleanup_free_ char *directory = unit_directory();
	_cleanup_free_ char *path = unit_file(directory, "key.pem", text, strlen(text));
	struct err err = ERR_INIT;
	struct knock_key key;

	ck_assert_int_eq(knock_key_read(path, &key, &err), 0);
	return key;
}

static bool check(const struct knock_key *key, const char *name, size_t length)
{
	_cleanup_free_ char *copy = unit_tight(name, length);
	uint64_t nonce = 77;
	bool good = knock_check(key, copy, length, &nonce);

	unit_require(good || nonce == 77);
	return good;
}

START_TEST(known_name)
{
	struct knock_key key = read_key(KEY_TEXT);
	uint64_t nonce = 0;

	ck_assert(knock_check(&key, known, strlen(known), &nonce));
	ck_assert_uint_eq(nonce, 0x08090a0b0c0d0e0f);
}
END_TEST

START_TEST(own_names)
{
	struct knock_key key = read_key(KEY_TEXT), other = read_key(KEY_TEXT "x");
	char first[KNOCK_SIZE], second[KNOCK_SIZE];

	knock_make(&key, first);
	knock_make(&key, second);
	ck_assert_uint_eq(strlen(first), KNOCK_SIZE - 1);
	ck_assert_str_ne(first, second);
	ck_assert(check(&key, first, strlen(first)));
	ck_assert(check(&key, second, strlen(second)));
	ck_assert(!check(&other, first, strlen(first)));
}
END_TEST

START_TEST(other_names)
{
	struct knock_key key = read_key(KEY_TEXT);
	char name[KNOCK_SIZE + 1];

	for (size_t i = 0; i < strlen(known); i++) {
		strcpy(name, known);
		for (int value = 0; value < 256; value++) {
			name[i] = (char)value;
			unit_require(check(&key, name, strlen(known)) == (name[i] == known[i]));
		}
		unit_require(!check(&key, known, i));
	}
	strcpy(name, known);
	strcat(name, "0");
	ck_assert(!check(&key, name, strlen(name)));
}
END_TEST

START_TEST(no_key)
{
	_cleanup_free_ char *directory = unit_directory();
	struct err err = ERR_INIT;
	struct knock_key key;

	ck_assert_int_eq(knock_key_read("/nowhere/key.pem", &key, &err), -ENOENT);
	unit_assert_err(&err, -ENOENT, "/nowhere/key.pem: No such file");
	ck_assert_int_eq(knock_key_read("/nowhere/key.pem", &key, NULL), -ENOENT);
	ck_assert_int_eq(knock_key_read(directory, &key, &err), -EINVAL);
	unit_assert_err(&err, -EINVAL, directory);
	ck_assert_int_eq(knock_key_read(directory, &key, NULL), -EINVAL);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("knock");
	TCase *tcase = tcase_create("knock");

	tcase_add_test(tcase, known_name);
	tcase_add_test(tcase, own_names);
	tcase_add_test(tcase, other_names);
	tcase_add_test(tcase, no_key);
	suite_add_tcase(suite, tcase);
	return suite;
}
