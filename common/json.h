/* json.h: small additions to jansson. */
#ifndef DRACO_COMMON_JSON_H
#define DRACO_COMMON_JSON_H

#include <jansson.h>
#include <stdint.h>

struct strv;

/* text as a JSON string, with bytes that are not UTF-8 replaced by '?'; null for NULL. */
json_t *json_text(const char *text);

/* The texts as a JSON array. */
json_t *json_texts(const struct strv *list);

/* Add the strings of an array to ret. What is no string, or no array, adds nothing. */
void json_add_texts(const json_t *array, struct strv *ret);

/* A member of an object, or the fallback when it is absent or of another type. */
const char *json_get_text(const json_t *object, const char *name, const char *fallback);
json_int_t json_get_integer(const json_t *object, const char *name, json_int_t fallback);
int json_get_boolean(const json_t *object, const char *name, int fallback);

/* The text of a string, number, boolean or null ("none"); NULL: it is an array or object. The
 * caller frees. */
char *json_scalar_text(const json_t *value);

#define JSON_TIME_MAX INT64_C(253402300799) /* 9999-12-31T23:59:59 */

/* A time in seconds since the epoch, small enough for arithmetic. 0: it is absent, of another type,
 * negative, or beyond JSON_TIME_MAX. */
int64_t json_get_time(const json_t *object, const char *name);

/* A number of seconds, as milliseconds, at most a thousand years. 0: it is absent, of another type,
 * or negative. */
int64_t json_get_ms(const json_t *object, const char *name);

#endif
