/* json.c: small additions to jansson. */
#include "common/json.h"

#include <stdbool.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/utf8.h"

#define SPAN_MAX_S (1000.0 * 366 * 24 * 3600) /* a thousand years */

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

int64_t json_get_time(const json_t *object, const char *name)
{
	double seconds = json_number_value(json_object_get(object, name));

	return seconds > 0 && seconds <= (double)JSON_TIME_MAX ? (int64_t)seconds : 0;
}

int64_t json_get_ms(const json_t *object, const char *name)
{
	double seconds = json_number_value(json_object_get(object, name));

	if (!(seconds > 0))
		return 0;
	return seconds < SPAN_MAX_S ? (int64_t)(seconds * 1000) : (int64_t)SPAN_MAX_S * 1000;
}

int json_get_boolean(const json_t *object, const char *name, int fallback)
{
	const json_t *value = json_object_get(object, name);

	return json_is_boolean(value) ? json_is_true(value) : fallback;
}
