/* settings_limits.h: what a site allows its users, in "limits:" of its file. */
#ifndef DRACO_COMMON_SETTINGS_LIMITS_H
#define DRACO_COMMON_SETTINGS_LIMITS_H

#include <jansson.h>
#include <stdbool.h>

#include "common/settings.h"

/* The settings that can be limited, and to which side. */
struct settings_limit {
	const char *name; /* of the setting */
	enum setting_id id;
	bool is_floor; /* the value is the least, else the most */
	const char *help;
	const char *example;
};

extern const struct settings_limit settings_limits[]; /* ended by a NULL name */

const struct settings_limit *settings_limit_find(enum setting_id id); /* NULL: none */

/* Bring the values within settings->limit. For each that changes an object is added to told:
 * {setting, asked, given, limit, source, message}. Idempotent; the caller does it again after
 * it has changed such a value. */
void settings_limits_apply(struct settings *settings, json_t *told);

#endif
