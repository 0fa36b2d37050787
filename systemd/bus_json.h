/* bus_json.h: values of D-Bus messages as JSON, and the reverse.
 *
 *	D-Bus				JSON		back
 *	a{sv}, a{s...}			object		a{sv}, without members that are null
 *	other arrays, structs		array		av, without items that are null
 *	s, o, g				string		s
 *	y, n, q, i, u, x, t		integer		x
 *	d				real		d
 *	b				true, false	b
 *	v				what is in it
 */
#ifndef DRACO_SYSTEMD_BUS_JSON_H
#define DRACO_SYSTEMD_BUS_JSON_H

#include <jansson.h>

struct sd_bus_message;

/* Read the next value. 0 with *ret, which the caller frees. -errno: it has no form in JSON, such as
 * a descriptor, an infinity or an integer beyond 63 bits. */
int bus_json_read(struct sd_bus_message *message, json_t **ret)
	__attribute__((warn_unused_result));

/* Append an object as a{sv}. 0 or -errno. */
int bus_json_append(struct sd_bus_message *message, const json_t *object)
	__attribute__((warn_unused_result));

#endif
