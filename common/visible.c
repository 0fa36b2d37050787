/* visible.c: makes foreign texts harmless: they cannot control a terminal or forge lines. */
#include "common/visible.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/utf8.h"

#define REPLACEMENT_MAX (sizeof("\\u202e") - 1)

/* Decode a sequence of two or three bytes; otherwise returns the first byte. */
static unsigned decode(const char *text, size_t length)
{
	const unsigned char *byte = (const unsigned char *)text;

	if (length == 2)
		return (byte[0] & 0x1fU) << 6 | (byte[1] & 0x3fU);
	if (length == 3)
		return (byte[0] & 0x0fU) << 12 | (byte[1] & 0x3fU) << 6 | (byte[2] & 0x3fU);
	return byte[0];
}

static bool is_harmful(unsigned character)
{
	return character < 0x20 || (character >= 0x7f && character < 0xa0) ||
		character == 0x061c || character == 0x200e || character == 0x200f ||
		(character >= 0x2028 && character <= 0x202e) ||
		(character >= 0x2066 && character <= 0x2069);
}

/* The replacement for the character at text; NULL: the character itself is harmless. *ret_length:
 * its number of bytes. */
static const char *replace(const char *text, const char *keep, size_t *ret_length,
	char buffer[REPLACEMENT_MAX + 1])
{
	size_t length = utf8_length(text);
	unsigned character = decode(text, length);

	*ret_length = length ? length : 1;
	if (length == 4 || (length && !is_harmful(character)) ||
		(length == 1 && strchr(keep, *text)))
		return NULL;
	snprintf(buffer, REPLACEMENT_MAX + 1, length > 1 ? "\\u%04x" : "\\x%02x", character);
	return buffer;
}

bool visible_is_clean(const char *text)
{
	char buffer[REPLACEMENT_MAX + 1];

	for (size_t length; *text; text += length)
		if (replace(text, "", &length, buffer))
			return false;
	return true;
}

size_t visible_copy(char *buffer, size_t size, const char *text, const char *keep)
{
	char replacement[REPLACEMENT_MAX + 1];
	size_t used = 0, length;

	for (; *text; text += length) {
		const char *put = replace(text, keep, &length, replacement);
		size_t count = put ? strlen(put) : length;

		if (used + count >= size)
			break;
		memcpy(buffer + used, put ? put : text, count);
		used += count;
	}
	buffer[used] = '\0';
	return used;
}

char *visible_text(const char *text, const char *keep)
{
	size_t size = strlen(text) * REPLACEMENT_MAX + 1;
	_cleanup_free_ char *copy = xcalloc(size, 1);

	visible_copy(copy, size, text, keep);
	return xstrdup(copy);
}

char *visible_json(const char *text)
{
	_cleanup_free_ char *copy = xcalloc(strlen(text) * REPLACEMENT_MAX + 1, 1);
	char replacement[REPLACEMENT_MAX + 1];
	char *end = copy;

	for (size_t length; *text; text += length)
		if (*text == 0x7f)
			end += sprintf(end, "\\u007f"), length = 1;
		else if (replace(text, "\n", &length, replacement))
			end += sprintf(end, "%s", replacement);
		else
			end = mempcpy(end, text, length);
	return xstrdup(copy);
}

/* Are these only printable characters of ASCII? Nearly all texts are, and need no copy. */
static bool is_plain(const char *text)
{
	while (*text >= ' ' && *text <= '~')
		text++;
	return *text == '\0';
}

static json_t *clean_object(const json_t *object)
{
	json_t *copy = json_object();
	const char *name;
	json_t *value;

	json_object_foreach (UNCONST(object), name, value) {
		_cleanup_free_ char *clean = is_plain(name) ? NULL : visible_text(name, "");

		json_object_set_new(copy, clean ? clean : name, visible_value(value));
	}
	return copy;
}

json_t *visible_value(const json_t *value)
{
	_cleanup_free_ char *text = NULL;
	const json_t *item;
	json_t *copy;
	size_t i;

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return clean_object(value);
	case JSON_ARRAY:
		copy = json_array();
		json_array_foreach (UNCONST(value), i, item)
			json_array_append_new(copy, visible_value(item));
		return copy;
	case JSON_STRING:
		if (is_plain(json_string_value(value)))
			return json_incref(UNCONST(value));
		text = visible_text(json_string_value(value), "\n\t");
		return json_text(text);
	default:
		return json_incref(UNCONST(value));
	}
}
