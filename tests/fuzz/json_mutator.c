/* json_mutator.c: changes inputs that are lines of JSON so that they stay lines of JSON,
 * mostly.
 *
 * Bytes flipped at random rarely survive a JSON parser; values replaced, members dropped or
 * moved, and lists that grow do, and reach the code behind it. One change in eight knows no
 * format. */
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "fuzz.h"
#include "mutate.h"

#define DEPTH_MAX  32
#define TEXT_MAX   256 /* bytes of a text that is changed */
#define ARENA_SIZE (1024 * 1024)
#define FLAGS	   (JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17))

static size_t below(struct mutator *mutator, size_t limit)
{
	return mutator_below(mutator, limit);
}

static json_t *special_number(struct mutator *mutator)
{
	static const json_int_t numbers[] = {0, 1, -1, 2, 9, 255, 1000, 65535, 65536, INT32_MAX,
		INT32_MIN, UINT32_MAX, (json_int_t)UINT32_MAX + 1, (json_int_t)1 << 53,
		INT64_MAX, INT64_MAX - 1, INT64_MIN, INT64_MIN + 1, INT64_MAX / 1000,
		INT64_MAX / 1000 + 1, 1700000000, 253402300800};
	static const double reals[] = {0.0, -0.0, 0.5, -0.5, 1e-300, 1e9, 9.3e18, -9.3e18, 1e19,
		1e300, -1e300, 1.7976931348623157e308, 1e-9};
	size_t integers = sizeof(numbers) / sizeof(numbers[0]);
	size_t choice = below(mutator, integers + sizeof(reals) / sizeof(reals[0]));

	return choice < integers ? json_integer(numbers[choice])
				 : json_real(reals[choice - integers]);
}

static json_t *special_text(struct mutator *mutator)
{
	static const char *const texts[] = {"", " ", "\n", "a\nb", "\t", "\033[31m",
		"\033]0;x\a", "\r", "\x7f", "\xc2\x9b", "%s%n", "'", "\"", "`id`", "$(id)", ";",
		"\\", "/", "../..", "-", "--help", "~", "{}", "0", "-1", "NaN",
		"99999999999999999999", "\xe2\x80\xae", "\xf0\x9f\x98\x80", "a=b", "=", ","};
	size_t count = 0, choice;

	while (fuzz_words[count])
		count++;
	choice = below(mutator, sizeof(texts) / sizeof(texts[0]) + count + 1);
	if (choice < count)
		return json_text(fuzz_words[choice]);
	choice -= count;
	if (choice < sizeof(texts) / sizeof(texts[0]))
		return json_text(texts[choice]);
	{ /* a long one */
		size_t length = below(mutator, 8) ? below(mutator, 200) : 5000;
		_cleanup_free_ char *text = xcalloc(length + 1, 1);

		memset(text, 'x', length);
		return json_text(text);
	}
}

static json_t *special(struct mutator *mutator)
{
	switch (below(mutator, 8)) {
	case 0:
		return json_null();
	case 1:
		return json_boolean(below(mutator, 2));
	case 2:
		return json_object();
	case 3:
		return json_array();
	case 4:
	case 5:
		return special_text(mutator);
	default:
		return special_number(mutator);
	}
}

static json_t *changed_text(struct mutator *mutator, const char *text)
{
	char bytes[TEXT_MAX + 1];
	size_t size = strlen(text);

	if (size > TEXT_MAX || below(mutator, 3) == 0)
		return special_text(mutator);
	memcpy(bytes, text, size);
	size = LLVMFuzzerMutate((uint8_t *)bytes, size, TEXT_MAX);
	bytes[size] = '\0';
	return json_text(bytes);
}

static json_t *changed_integer(struct mutator *mutator, json_int_t number)
{
	switch (below(mutator, 6)) {
	case 0:
		return json_integer((json_int_t)((uint64_t)number + 1));
	case 1:
		return json_integer((json_int_t)((uint64_t)number - 1));
	case 2:
		return json_integer((json_int_t)(0 - (uint64_t)number));
	case 3:
		return json_integer(
			(json_int_t)((uint64_t)number ^ (UINT64_C(1) << below(mutator, 64))));
	case 4:
		return json_real((double)number);
	default:
		return special_number(mutator);
	}
}

/* Another value of the same type; of containers any. */
static json_t *changed_value(struct mutator *mutator, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		return changed_text(mutator, json_string_value(value));
	case JSON_INTEGER:
		return changed_integer(mutator, json_integer_value(value));
	case JSON_REAL: {
		double number = json_real_value(value) * (double)below(mutator, 5) - 1;

		return below(mutator, 2) && isfinite(number) ? json_real(number)
							     : special_number(mutator);
	}
	case JSON_TRUE:
		return json_false();
	case JSON_FALSE:
		return json_true();
	default:
		return special(mutator);
	}
}

/* A place in a tree: a member of an object, or an element of an array. */
struct place {
	json_t *parent;
	const char *name; /* NULL: an element */
	size_t index;
	json_t *value;
};

struct choosing {
	struct mutator *mutator;
	size_t seen;
	struct place chosen;
};

static void consider(struct choosing *choosing, const struct place *place)
{
	if (below(choosing->mutator, ++choosing->seen) == 0)
		choosing->chosen = *place;
}

static void walk(struct choosing *choosing, json_t *parent, int depth)
{
	struct place place = {.parent = parent};

	if (depth > DEPTH_MAX)
		return;
	json_object_foreach (parent, place.name, place.value) {
		consider(choosing, &place);
		walk(choosing, place.value, depth + 1);
	}
	place.name = NULL;
	json_array_foreach (parent, place.index, place.value) {
		consider(choosing, &place);
		walk(choosing, place.value, depth + 1);
	}
}

/* One place of the tree, each as likely as the others. Returns whether there is any. */
static bool choose(struct mutator *mutator, json_t *root, struct place *ret)
{
	struct choosing choosing = {.mutator = mutator};

	walk(&choosing, root, 0);
	*ret = choosing.chosen;
	return choosing.seen > 0;
}

/* Takes value over. */
static void put(const struct place *place, json_t *value)
{
	if (place->name) {
		/* The name may be freed with the member. */
		_cleanup_free_ char *name = xstrdup(place->name);

		json_object_set_new(place->parent, name, value);
	} else {
		json_array_set_new(place->parent, place->index, value);
	}
}

static void drop(const struct place *place)
{
	if (place->name) {
		_cleanup_free_ char *name = xstrdup(place->name);

		json_object_del(place->parent, name);
	} else {
		json_array_remove(place->parent, place->index);
	}
}

static void add(struct mutator *mutator, const struct place *place, json_t *root)
{
	json_t *value = below(mutator, 2) ? json_deep_copy(place->value) : special(mutator);
	struct place other;

	if (json_is_array(place->value)) {
		json_array_append_new(place->value, value);
	} else if (!place->name) {
		json_array_insert_new(place->parent, place->index, value);
	} else {
		_cleanup_json_ json_t *word = special_text(mutator);
		/* A name that the document has elsewhere says more than any. */
		const char *name = choose(mutator, root, &other) && other.name
			? other.name
			: json_string_value(word);
		/* No name: the arena is full, and nothing is added. */
		_cleanup_free_ char *copy = name ? xstrdup(name) : NULL;

		json_object_set_new(place->parent, copy, value);
	}
}

static void multiply(struct mutator *mutator, const struct place *place)
{
	size_t times = 1 + below(mutator, below(mutator, 4) ? 4 : 100);

	if (place->name) {
		put(place, json_pack("[O]", place->value));
		return;
	}
	for (size_t i = 0; i < times; i++)
		json_array_insert_new(
			place->parent, place->index, json_deep_copy(place->value));
}

static void nest(struct mutator *mutator, const struct place *place)
{
	json_t *value = json_deep_copy(place->value);

	for (size_t i = below(mutator, 20) ? 1 : DEPTH_MAX; i > 0; i--)
		value = below(mutator, 2) ? json_pack("[o]", value)
					  : json_pack("{s:o}", "a", value);
	put(place, value);
}

static void change_tree(struct mutator *mutator, json_t *root)
{
	struct place place, other;

	if (!choose(mutator, root, &place))
		return;
	/* What leads an answer to who asked changes nothing else. */
	if (place.name && place.parent == root && below(mutator, 16) != 0 &&
		(strcmp(place.name, "id") == 0 || strcmp(place.name, "jsonrpc") == 0))
		return;
	switch (below(mutator, 10)) {
	case 0:
		put(&place, special(mutator));
		break;
	case 1:
		drop(&place);
		break;
	case 2:
		add(mutator, &place, root);
		break;
	case 3:
		multiply(mutator, &place);
		break;
	case 4:
		if (choose(mutator, root, &other))
			put(&place, json_deep_copy(other.value));
		break;
	case 5:
		nest(mutator, &place);
		break;
	default:
		put(&place, changed_value(mutator, place.value));
	}
}

/* The memory of the trees that a mutation makes: taken from one block, which is used again by the
 * next one. To check it as that of the target is checked would take as long as the target. */
static char *arena;
static size_t arena_used;

static void *arena_take(size_t size)
{
	void *memory = arena + arena_used;

	size = (size + 15) & ~(size_t)15;
	if (size > ARENA_SIZE - arena_used)
		return NULL; /* jansson says that it failed */
	arena_used += size;
	return memory;
}

static void arena_leave(void *memory)
{
	(void)memory;
}

/* From here on jansson takes the arena's memory, until arena_end(). */
static void arena_begin(void)
{
	if (!arena)
		arena = xcalloc(ARENA_SIZE, 1);
	arena_used = 0;
	json_set_alloc_funcs(arena_take, arena_leave);
}

static void arena_end(void)
{
	json_set_alloc_funcs(malloc, free);
}

/* The line that begins at begin, changed, as text in the arena; NULL when it is no JSON, or
 * becomes too large. */
static char *changed_line(struct mutator *mutator, const char *line, size_t length)
{
	_cleanup_json_ json_t *root = json_loadb(line, length, JSON_DECODE_ANY, NULL);

	if (!root)
		return NULL;
	if (!json_is_object(root) && !json_is_array(root)) {
		json_t *value = changed_value(mutator, root);

		json_decref(root);
		root = value;
	}
	for (size_t i = 1 + below(mutator, 3); i > 0; i--)
		change_tree(mutator, root);
	return json_dumps(root, FLAGS);
}

struct lines {
	size_t count;
	size_t begin, end; /* of the chosen one, without its newline */
};

static struct lines choose_line(struct mutator *mutator, const uint8_t *data, size_t size)
{
	struct lines lines = {0};

	for (size_t begin = 0; begin < size;) {
		const uint8_t *newline = memchr(data + begin, '\n', size - begin);
		size_t end = newline ? (size_t)(newline - data) : size;

		if (below(mutator, ++lines.count) == 0) {
			lines.begin = begin;
			lines.end = end;
		}
		begin = end + 1;
	}
	return lines;
}

/* Put text in place of the bytes from begin to end. */
static size_t replace(
	uint8_t *data, size_t size, size_t max_size, size_t begin, size_t end, const char *text)
{
	size_t length = strlen(text);

	if (size - (end - begin) + length > max_size)
		return size;
	memmove(data + begin + length, data + end, size - end);
	memcpy(data + begin, text, length);
	return size - (end - begin) + length;
}

/* Whole lines come twice, go, or come earlier. */
static size_t change_lines(struct mutator *mutator, uint8_t *data, size_t size, size_t max_size)
{
	struct lines line = choose_line(mutator, data, size);
	struct lines other = choose_line(mutator, data, size);
	_cleanup_free_ char *text = fuzz_text(data + line.begin, line.end - line.begin);
	_cleanup_free_ char *copy = xasprintf("%s\n", text);

	if (below(mutator, 3) == 0)
		return replace(data, size, max_size, line.begin,
			line.end < size ? line.end + 1 : size, "");
	return replace(data, size, max_size, other.begin, other.begin, copy);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	struct mutator mutator;
	struct lines line;
	char *text;

	mutator_init(&mutator, seed, fuzz_words);
	if (below(&mutator, 8) == 0)
		return LLVMFuzzerMutate(data, size, max_size);
	if (below(&mutator, 12) == 0 && size > 0)
		return change_lines(&mutator, data, size, max_size);
	line = choose_line(&mutator, data, size);
	arena_begin();
	text = changed_line(&mutator, (const char *)data + line.begin, line.end - line.begin);
	if (text)
		size = replace(data, size, max_size, line.begin, line.end, text);
	arena_end();
	return text ? size : LLVMFuzzerMutate(data, size, max_size);
}
