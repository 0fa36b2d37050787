/* json.c: small additions to jansson. */
#include "common/json.h"

#include <stdbool.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/strv.h"
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

json_t *json_texts(const struct strv *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		json_array_append_new(array, json_text(list->item[i]));
	return array;
}

void json_add_texts(const json_t *array, struct strv *ret)
{
	const json_t *item;
	size_t i;

	json_array_foreach (array, i, item)
		if (json_is_string(item))
			strv_add(ret, json_string_value(item));
}

const char *json_get_text(const json_t *object, const char *name, const char *fallback)
{
	const json_t *value = json_object_get(object, name);

	return json_is_string(value) ? json_string_value(value) : fallback;
}

char *json_scalar_text(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return xstrdup(json_string_value(value));
	case JSON_INTEGER:
		return xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
	case JSON_REAL:
		return xasprintf("%.15g", json_real_value(value));
	case JSON_TRUE:
		return xstrdup("true");
	case JSON_FALSE:
		return xstrdup("false");
	case JSON_NULL:
		return xstrdup("none");
	default:
		return NULL;
	}
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
