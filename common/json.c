/* json.c: small additions to jansson. */
#include "common/json.h"

#include <stdbool.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/utf8.h"

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
		size_t length = utf8_length(c);

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
