/* check_events.c: tests of daemon/io/events.c: the ring, its bounds, and the JSON of events. */
#include "unit.h"

#include "common/alloc.h"
#include "common/json.h"
#include "daemon/io/events.h"

static struct events *events;

static void setup(void)
{
	events = events_create(4);
}

static void teardown(void)
{
	ck_assert_ptr_null(events_destroy(events));
}

static const struct event *add(const char *text)
{
	return events_add(events,
		&(struct event){
			.time_ms = 1764030000123,
			.kind = EVENT_NOTE,
			.subject = UNCONST("job"),
			.text = UNCONST(text),
			.after_ms = -1,
		});
}

/* The ids that a list holds, "3,4,5". */
static char *ids(json_t *answer)
{
	char *text = xstrdup("");
	const json_t *event;
	size_t i;

	json_array_foreach (json_object_get(answer, "events"), i, event) {
		char *longer = xasprintf("%s%s%" JSON_INTEGER_FORMAT, text, *text ? "," : "",
			json_get_integer(event, "id", -1));

		free(text);
		text = longer;
	}
	return text;
}

static void check_list(int64_t since, int64_t count, size_t max_bytes, const char *expected,
	int64_t next, int more, int64_t lost)
{
	json_t *answer = events_list(events, since, count, max_bytes);
	char *found = ids(answer);

	ck_assert_str_eq(found, expected);
	ck_assert_int_eq(json_get_integer(answer, "next", -1), next);
	ck_assert_int_eq(json_get_boolean(answer, "more", -1), more);
	ck_assert_int_eq(json_get_integer(answer, "lost", -1), lost);
	free(found);
	json_decref(answer);
}

START_TEST(empty)
{
	ck_assert_ptr_null(events_last(events));
	ck_assert_int_eq(events_next(events), 1);
	check_list(1, -1, 1000, "", 1, 0, 0);
	check_list(77, -1, 1000, "", 1, 0, 0);
	check_list(1, 5, 1000, "", 1, 0, 0);
}
END_TEST

START_TEST(ring)
{
	for (int i = 1; i <= 3; i++)
		ck_assert_int_eq(add("x")->id, i);
	check_list(1, -1, 100000, "1,2,3", 4, 0, 0);
	for (int i = 4; i <= 11; i++)
		ck_assert_int_eq(add("x")->id, i);
	ck_assert_int_eq(events_last(events)->id, 11);
	ck_assert_int_eq(events_next(events), 12);
	check_list(1, -1, 100000, "8,9,10,11", 12, 0, 7);
	check_list(9, -1, 100000, "9,10,11", 12, 0, 0);
	check_list(12, -1, 100000, "", 12, 0, 0);
	/* Behind the end: a client of another history. */
	check_list(13, -1, 100000, "8,9,10,11", 12, 0, 7);
	check_list(0, -1, 100000, "8,9,10,11", 12, 0, 7);
	check_list(-5, -1, 100000, "8,9,10,11", 12, 0, 7);
}
END_TEST

START_TEST(last_few)
{
	for (int i = 1; i <= 6; i++)
		add("x");
	check_list(1, 2, 100000, "5,6", 7, 0, 0);
	check_list(1, 0, 100000, "", 7, 0, 0);
	check_list(1, 100, 100000, "3,4,5,6", 7, 0, 0);
	check_list(6, 2, 100000, "6", 7, 0, 0);
}
END_TEST

START_TEST(pages)
{
	json_t *one;
	size_t size;

	for (int i = 1; i <= 4; i++)
		add("x");
	one = event_encode(events_last(events));
	size = json_dumpb(one, NULL, 0, JSON_COMPACT) + 1;
	json_decref(one);
	check_list(1, -1, 2 * size, "1,2", 3, 1, 0);
	check_list(3, -1, 2 * size, "3,4", 5, 0, 0);
	/* However little is asked for, it goes on. */
	check_list(1, -1, 0, "1", 2, 1, 0);
	check_list(4, -1, 0, "4", 5, 0, 0);
}
END_TEST

START_TEST(texts_are_cut_and_cleaned)
{
	char *text = xcalloc(3 * EVENT_TEXT_MAX + 1, 1);
	char tail[2 * EVENT_TEXT_MAX];
	const struct event *event;

	memset(text, 'a', 3 * EVENT_TEXT_MAX);
	ck_assert_uint_eq(strlen(add(text)->text), EVENT_TEXT_MAX);
	ck_assert_str_eq(add("a\nb\033[31m\tc\001")->text, "a\nb\\x1b[31m\tc\\x01");
	ck_assert_str_eq(add(NULL)->text, "");
	/* Of a log the end is kept, from the beginning of a line. */
	memset(tail, 'x', sizeof(tail));
	strcpy(tail + sizeof(tail) - 20, "\nlast\tbut one\nlast");
	event = events_add(events,
		&(struct event){.subject = text, .text = text, .after_ms = -1, .tail = tail});
	ck_assert_str_eq(event->tail, "last\tbut one\nlast");
	memset(tail, 'x', sizeof(tail));
	tail[sizeof(tail) - 1] = '\0';
	event = events_add(events,
		&(struct event){.subject = text, .text = text, .after_ms = -1, .tail = tail});
	ck_assert_uint_eq(strlen(event->tail), EVENT_TEXT_MAX);
	free(text);
}
END_TEST

static void assert_same(const char *a, const char *b)
{
	ck_assert((a == NULL) == (b == NULL));
	if (a)
		ck_assert_str_eq(a, b);
}

START_TEST(encode_and_decode)
{
	const struct event all[] = {
		{.id = 1,
			.time_ms = 0,
			.kind = EVENT_NOTE,
			.subject = (char[]){"dracod"},
			.text = (char[]){""},
			.after_ms = -1},
		{.id = 17,
			.time_ms = 1764030000123,
			.kind = EVENT_PHASE,
			.subject = (char[]){"job"},
			.name = (char[]){"42_0"},
			.text = (char[]){"a -> b"},
			.from = (char[]){"a"},
			.to = (char[]){"b"},
			.after_ms = 3217},
		{.id = INT64_MAX / 2,
			.time_ms = 1,
			.kind = EVENT_FAILURE,
			.subject = (char[]){"job"},
			.text = (char[]){"\303\244"},
			.after_ms = 0,
			.log = (char[]){"/x"},
			.tail = (char[]){"1\n2"}},
	};

	for (size_t i = 0; i < LENGTH(all); i++) {
		const struct event *event = &all[i];
		json_t *object = event_encode(event);
		char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(15));
		json_t *again = json_loads(text, 0, NULL);
		struct event read;

		ck_assert_int_eq(event_decode(again, &read), 0);
		ck_assert_int_eq(read.id, event->id);
		ck_assert_int_eq(read.time_ms, event->time_ms);
		ck_assert_int_eq(read.kind, event->kind);
		ck_assert_int_eq(read.after_ms, event->after_ms);
		assert_same(read.subject, event->subject);
		assert_same(read.name, event->name);
		assert_same(read.text, event->text);
		assert_same(read.from, event->from);
		assert_same(read.to, event->to);
		assert_same(read.log, event->log);
		assert_same(read.tail, event->tail);
		event_finish(&read);
		ck_assert_ptr_null(read.text);
		free(text);
		json_decref(again);
		json_decref(object);
	}
}
END_TEST

static const char *const no_events[] = {
	"{}",
	"[]",
	"null",
	"{\"id\":1,\"time\":1,\"kind\":\"note\",\"subject\":\"x\"}",
	"{\"id\":1,\"time\":1,\"kind\":\"note\",\"text\":\"x\"}",
	"{\"id\":1,\"time\":1,\"kind\":\"nothing\",\"subject\":\"x\",\"text\":\"x\"}",
	"{\"id\":0,\"time\":1,\"kind\":\"note\",\"subject\":\"x\",\"text\":\"x\"}",
	"{\"id\":-1,\"time\":1,\"kind\":\"note\",\"subject\":\"x\",\"text\":\"x\"}",
	("{\"id\":9223372036854775807,\"time\":1,\"kind\":\"note\",\"subject\":\"x\","
	 "\"text\":\"x\"}"),
	"{\"id\":\"1\",\"time\":1,\"kind\":\"note\",\"subject\":\"x\",\"text\":\"x\"}",
	"{\"id\":1,\"time\":-1,\"kind\":\"note\",\"subject\":\"x\",\"text\":\"x\"}",
	"{\"id\":1,\"time\":1e300,\"kind\":\"note\",\"subject\":\"x\",\"text\":\"x\"}",
	"{\"id\":1,\"time\":\"now\",\"kind\":\"note\",\"subject\":\"x\",\"text\":\"x\"}",
};

START_TEST(decode_refuses)
{
	json_t *object = json_loads(no_events[_i], JSON_DECODE_ANY, NULL);
	struct event event;

	ck_assert_ptr_nonnull(object);
	ck_assert_int_eq(event_decode(object, &event), -EPROTO);
	ck_assert_ptr_null(event.subject);
	ck_assert_ptr_null(event.text);
	json_decref(object);
	ck_assert_int_eq(event_decode(NULL, &event), -EPROTO);
}
END_TEST

static int restore(int64_t id)
{
	struct event event = {.id = id, .subject = xstrdup("job"), .text = xstrdup("old")};
	int taken = events_restore(events, &event);

	ck_assert_ptr_null(event.text);
	return taken;
}

START_TEST(goes_on_from_an_earlier_history)
{
	for (int64_t id = 90; id <= 99; id++)
		ck_assert_int_eq(restore(id), 1);
	/* Not twice, and not backwards. */
	ck_assert_int_eq(restore(99), 0);
	ck_assert_int_eq(restore(3), 0);
	ck_assert_int_eq(restore(105), 1);
	ck_assert_int_eq(add("new")->id, 106);
	check_list(1, -1, 100000, "98,99,105,106", 107, 0, 97);
}
END_TEST

START_TEST(kinds)
{
	for (int kind = 0; kind < EVENT_KINDS; kind++)
		ck_assert_int_eq(event_kind_find(event_kind_name((enum event_kind)kind)), kind);
	ck_assert_int_eq(event_kind_find("phases"), -ENOENT);
	ck_assert_int_eq(event_kind_find(""), -ENOENT);
	ck_assert_int_eq(event_kind_find(NULL), -ENOENT);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("events");
	TCase *with_ring = tcase_create("ring");
	TCase *codec = tcase_create("codec");

	tcase_add_checked_fixture(with_ring, setup, teardown);
	tcase_add_test(with_ring, empty);
	tcase_add_test(with_ring, ring);
	tcase_add_test(with_ring, last_few);
	tcase_add_test(with_ring, pages);
	tcase_add_test(with_ring, texts_are_cut_and_cleaned);
	tcase_add_test(with_ring, goes_on_from_an_earlier_history);
	suite_add_tcase(suite, with_ring);
	tcase_add_test(codec, encode_and_decode);
	tcase_add_loop_test(codec, decode_refuses, 0, LENGTH(no_events));
	tcase_add_test(codec, kinds);
	suite_add_tcase(suite, codec);
	return suite;
}
