/* bus_json.c: values of D-Bus messages as JSON, and the reverse. */
#include "systemd/bus_json.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#include "common/alloc.h"
#include "common/cleanup.h"

static int read_basic(sd_bus_message *message, char type, json_t **ret)
{
	union {
		uint8_t y;
		int16_t n;
		uint16_t q;
		int32_t i;
		uint32_t u;
		int64_t x;
		uint64_t t;
		double d;
		int b;
		const char *s;
	} value;
	int r = type == 'h' ? -EINVAL : sd_bus_message_read_basic(message, type, &value);

	if (r < 0)
		return r;
	switch (type) {
	case 'y':
		*ret = json_integer(value.y);
		break;
	case 'n':
		*ret = json_integer(value.n);
		break;
	case 'q':
		*ret = json_integer(value.q);
		break;
	case 'i':
		*ret = json_integer(value.i);
		break;
	case 'u':
		*ret = json_integer(value.u);
		break;
	case 'x':
		*ret = json_integer(value.x);
		break;
	case 't':
		*ret = value.t > INT64_MAX ? NULL : json_integer((json_int_t)value.t);
		break;
	case 'd':
		*ret = json_real(value.d);
		break;
	case 'b':
		*ret = json_boolean(value.b);
		break;
	default:
		*ret = json_string(value.s);
	}
	return *ret ? 0 : -ERANGE;
}

/* One entry of an array of {s...}; its contents are in the braces. */
static int read_entry(sd_bus_message *message, const char *contents, json_t *object)
{
	json_t *value = NULL;
	const char *name;
	int r = sd_bus_message_enter_container(message, 'e', contents);

	if (r >= 0)
		r = sd_bus_message_read_basic(message, 's', &name);
	if (r >= 0)
		r = bus_json_read(message, &value);
	if (r >= 0)
		r = json_object_set_new(object, name, value) < 0 ? -EINVAL : 0;
	return r < 0 ? r : sd_bus_message_exit_container(message);
}

static int read_items(sd_bus_message *message, json_t *array)
{
	int r = 0;

	while (r >= 0 && (r = sd_bus_message_at_end(message, 0)) == 0) {
		json_t *value = NULL;

		r = bus_json_read(message, &value);
		if (r >= 0)
			json_array_append_new(array, value);
	}
	return r < 0 ? r : 0;
}

static int read_entries(sd_bus_message *message, json_t *object)
{
	const char *contents;
	int r = 0;
	char type;

	while (r >= 0 && (r = sd_bus_message_at_end(message, 0)) == 0) {
		r = sd_bus_message_peek_type(message, &type, &contents);
		if (r >= 0)
			r = read_entry(message, contents, object);
	}
	return r < 0 ? r : 0;
}

int bus_json_read(struct sd_bus_message *message, json_t **ret)
{
	_cleanup_json_ json_t *value = NULL;
	const char *contents;
	bool dictionary;
	char type;
	int r = sd_bus_message_peek_type(message, &type, &contents);

	if (r <= 0)
		return r < 0 ? r : -ENODATA;
	if (type != 'a' && type != 'v' && type != 'r')
		return read_basic(message, type, ret);
	dictionary = type == 'a' && contents[0] == '{' && contents[1] == 's';
	if (type == 'a' && contents[0] == '{' && !dictionary)
		return -EINVAL; /* names must be strings */
	r = sd_bus_message_enter_container(message, type, contents);
	if (r < 0)
		return r;
	if (type == 'v') {
		r = bus_json_read(message, &value);
	} else {
		value = dictionary ? json_object() : json_array();
		r = dictionary ? read_entries(message, value) : read_items(message, value);
	}
	if (r >= 0)
		r = sd_bus_message_exit_container(message);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(value);
	return 0;
}

static int append_variant(sd_bus_message *message, const json_t *value);

static int append_array(sd_bus_message *message, const json_t *array)
{
	int r = sd_bus_message_open_container(message, 'a', "v");
	const json_t *value;
	size_t i;

	json_array_foreach (array, i, value)
		if (r >= 0 && !json_is_null(value))
			r = append_variant(message, value);
	return r < 0 ? r : sd_bus_message_close_container(message);
}

int bus_json_append(struct sd_bus_message *message, const json_t *object)
{
	int r = sd_bus_message_open_container(message, 'a', "{sv}");
	const char *name;
	json_t *value;

	json_object_foreach (UNCONST(object), name, value) {
		if (r < 0 || json_is_null(value))
			continue;
		r = sd_bus_message_open_container(message, 'e', "sv");
		if (r >= 0)
			r = sd_bus_message_append_basic(message, 's', name);
		if (r >= 0)
			r = append_variant(message, value);
		if (r >= 0)
			r = sd_bus_message_close_container(message);
	}
	return r < 0 ? r : sd_bus_message_close_container(message);
}

static int append_value(sd_bus_message *message, const json_t *value)
{
	int64_t integer = json_integer_value(value);
	double real = json_real_value(value);
	int boolean = json_is_true(value);

	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return bus_json_append(message, value);
	case JSON_ARRAY:
		return append_array(message, value);
	case JSON_STRING:
		return sd_bus_message_append_basic(message, 's', json_string_value(value));
	case JSON_INTEGER:
		return sd_bus_message_append_basic(message, 'x', &integer);
	case JSON_REAL:
		return sd_bus_message_append_basic(message, 'd', &real);
	default:
		return sd_bus_message_append_basic(message, 'b', &boolean);
	}
}

static int append_variant(sd_bus_message *message, const json_t *value)
{
	static const char *const signatures[] = {
		[JSON_OBJECT] = "a{sv}",
		[JSON_ARRAY] = "av",
		[JSON_STRING] = "s",
		[JSON_INTEGER] = "x",
		[JSON_REAL] = "d",
		[JSON_TRUE] = "b",
		[JSON_FALSE] = "b",
	};
	int r = sd_bus_message_open_container(message, 'v', signatures[json_typeof(value)]);

	if (r >= 0)
		r = append_value(message, value);
	return r < 0 ? r : sd_bus_message_close_container(message);
}
