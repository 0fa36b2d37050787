/* fuzz_json.c: common/json.c with any bytes: json_text() makes UTF-8 of them, and changes
 * nothing else. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"

const char fuzz_name[] = "json";
const char *const fuzz_words[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
	"\xed\xa0\x80", "\xf4\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xc0\x80", "\xe0\x9f\xbf",
	"\xf0\x8f\xbf\xbf", "\xff", "\x80", NULL};

/* What is no UTF-8 became '?', byte by byte; all else is as it was. */
static void check_text(const char *text)
{
	json_t *string = json_text(text), *again;
	const char *made;

	fuzz_require(json_is_string(string));
	made = json_string_value(string);
	fuzz_require(strlen(made) == strlen(text));
	fuzz_require(strlen(made) == json_string_length(string));
	for (size_t i = 0; text[i]; i++)
		fuzz_require(made[i] == text[i] ||
			(made[i] == '?' && (unsigned char)text[i] >= 0x80));
	again = json_text(made);
	fuzz_require(json_equal(string, again));
	if (strcmp(made, text) == 0)
		fuzz_took();
	json_decref(string);
	json_decref(again);
}

static void check_members(const json_t *value)
{
	static const char name[] = "n";
	const json_t *member = json_object_get(value, name);
	const char *text = json_get_text(value, name, NULL);

	fuzz_require(!text == !json_is_string(member));
	fuzz_require(json_get_integer(value, name, 7) ==
		(json_is_integer(member) ? json_integer_value(member) : 7));
	fuzz_require(json_get_boolean(value, name, 7) ==
		(json_is_boolean(member) ? json_is_true(member) : 7));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	json_t *value = json_loadb((const char *)data, size, JSON_DECODE_ANY, NULL);

	check_text(text);
	check_members(value);
	json_decref(value);
	free(text);
	return 0;
}
