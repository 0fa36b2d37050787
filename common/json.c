/* json.c: small additions to jansson. */
#include "common/json.h"

#include <stdbool.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"

/* The bytes of the UTF-8 character at text (Unicode, table 3-7); 0 when there is none. */
static size_t utf8_length(const unsigned char *text)
{
	unsigned char low = 0x80, high = 0xbf; /* of the second byte */
	size_t length = *text < 0x80 ? 1 : *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : 4;

	if (length == 1)
		return 1;
	if (*text < 0xc2 || *text > 0xf4)
		return 0;
	if (*text == 0xe0)
		low = 0xa0;
	else if (*text == 0xed)
		high = 0x9f;
	else if (*text == 0xf0)
		low = 0x90;
	else if (*text == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < length; i++, low = 0x80, high = 0xbf)
		if (text[i] < low || text[i] > high)
			return 0;
	return length;
}

json_t *json_text(const char *text)
{
	_cleanup_free_ char *copy = NULL;
	json_t *string;

	if (!text)
		return json_null();
	string = json_string(text);
	if (string)
		return string;
	copy = xstrdup(text);
	for (char *c = copy; *c;) {
		size_t length = utf8_length((unsigned char *)c);

		if (length == 0)
			*c = '?';
		c += length ? length : 1;
	}
	return json_string(copy);
}

const char *json_get_text(const json_t *object, const char *name, const char *fallback)
{
	const json_t *value = json_object_get(object, name);

	return json_is_string(value) ? json_string_value(value) : fallback;
}

json_int_t json_get_integer(const json_t *object, const char *name, json_int_t fallback)
{
	const json_t *value = json_object_get(object, name);

	return json_is_integer(value) ? json_integer_value(value) : fallback;
}

int json_get_boolean(const json_t *object, const char *name, int fallback)
{
	const json_t *value = json_object_get(object, name);

	return json_is_boolean(value) ? json_is_true(value) : fallback;
}
