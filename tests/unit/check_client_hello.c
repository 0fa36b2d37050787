/* check_client_hello.c: tests of daemon/io/client_hello.c. */
#include "unit.h"

#include "common/cleanup.h"
#include "daemon/io/client_hello.h"
#include "hello_fixture.h"

#define NAME "draco-00112233.44556677"

static struct client_hello read_tight(const unsigned char *bytes, size_t count)
{
	_cleanup_free_ char *copy = unit_tight(bytes, count);
	struct client_hello hello = client_hello_read((const unsigned char *)copy, count);

	/* It must point into the bytes. */
	if (hello.name)
		unit_require(hello.name >= copy && hello.name + hello.length <= copy + count);
	return hello;
}

START_TEST(names)
{
	size_t size;
	_cleanup_free_ unsigned char *bytes = hello_make(NAME, _i, &size);
	struct client_hello hello = client_hello_read(bytes, size);

	ck_assert_int_eq(hello.kind, CLIENT_HELLO_WHOLE);
	ck_assert_uint_eq(hello.length, strlen(NAME));
	ck_assert_int_eq(memcmp(hello.name, NAME, strlen(NAME)), 0);
}
END_TEST

START_TEST(no_name)
{
	size_t size;
	_cleanup_free_ unsigned char *bytes = hello_make(NULL, _i, &size);
	struct client_hello hello = client_hello_read(bytes, size);

	ck_assert_int_eq(hello.kind, CLIENT_HELLO_WHOLE);
	ck_assert_ptr_null(hello.name);
}
END_TEST

/* Each beginning is a part, and with the bytes that it wants it is more. */
START_TEST(parts)
{
	size_t size;
	_cleanup_free_ unsigned char *bytes = hello_make(NAME, _i, &size);

	for (size_t i = 0; i < size; i++) {
		struct client_hello hello = read_tight(bytes, i);

		unit_require(hello.kind == CLIENT_HELLO_PART);
		unit_require(hello.wanted > i && hello.wanted <= size);
		unit_require(i < 9 || hello.wanted == size);
	}
}
END_TEST

/* With what follows it, which is not looked at. */
START_TEST(more)
{
	size_t size;
	_cleanup_free_ unsigned char *bytes = hello_make(NAME, 0, &size);
	unsigned char twice[2 * CLIENT_HELLO_MAX];

	memcpy(twice, bytes, size);
	memcpy(twice + size, bytes, size);
	ck_assert_int_eq(read_tight(twice, 2 * size).kind, CLIENT_HELLO_WHOLE);
}
END_TEST

static const struct {
	const char *bytes;
	size_t count;
} wrong[] = {
	{"G", 1}, {"GET / HTTP/1.0\r\n\r\n", 18}, {"{\"jsonrpc\":\"2.0\"}\n", 18},
	{"\x80\x2e\x01\x03\x01", 5},		     /* SSL 2 */
	{"\x15\x03\x01", 3},			     /* an alert */
	{"\x16\x02", 2},			     /* of SSL 2, in no way */
	{"\x16\x03\x01\x00\x40\x02\x00\x00\x3c", 9}, /* a ServerHello */
	{"\x16\x03\x01\x10\x00\x01\x00\x0f\xfc", 9}, /* 4096 bytes, and the header */
	{"\x16\x03\x01\x00\x00\x01\x00\x00\x00", 9}, /* an empty record */
	{"\x16\x03\x01\x00\x04\x01\x00\x00\x00", 9}, /* an empty message */
	{"\x16\x03\x01\x00\x04\x01\x00\x00\x01", 9}, /* one that goes on in another record */
};

START_TEST(refused)
{
	struct client_hello hello =
		read_tight((const unsigned char *)wrong[_i].bytes, wrong[_i].count);

	ck_assert_int_eq(hello.kind, CLIENT_HELLO_WRONG);
	ck_assert_ptr_null(hello.name);
}
END_TEST

/* Where one byte is another one, whatever it is, nothing outside is read. */
START_TEST(changed_bytes)
{
	size_t size;
	_cleanup_free_ unsigned char *bytes = hello_make(NAME, 0, &size);

	for (size_t i = 0; i < size; i++) {
		unsigned char before = bytes[i];

		for (int value = 0; value < 256; value += 5) {
			bytes[i] = (unsigned char)value;
			read_tight(bytes, size);
		}
		bytes[i] = before;
	}
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("client_hello");
	TCase *tcase = tcase_create("client_hello");

	tcase_add_loop_test(tcase, names, 0, 2);
	tcase_add_loop_test(tcase, no_name, 0, 2);
	tcase_add_loop_test(tcase, parts, 0, 2);
	tcase_add_test(tcase, more);
	tcase_add_loop_test(tcase, refused, 0, LENGTH(wrong));
	tcase_add_test(tcase, changed_bytes);
	suite_add_tcase(suite, tcase);
	return suite;
}
