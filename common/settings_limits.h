/* settings_limits.h: the site's limits on settings, from "limits:" in its file. */
#ifndef DRACO_COMMON_SETTINGS_LIMITS_H
#define DRACO_COMMON_SETTINGS_LIMITS_H

#include <jansson.h>
#include <stdbool.h>

#include "common/settings.h"

/* The settings that can be limited, and the direction. */
struct settings_limit {
	const char *name; /* of the setting */
	enum setting_id id;
	bool is_floor; /* the limit is the smallest value, otherwise the largest */
	const char *help;
	const char *example;
};

extern const struct settings_limit settings_limits[]; /* ends with a NULL name */

const struct settings_limit *settings_limit_find(enum setting_id id); /* NULL: none */

/* Bring the values within settings->limit. For each changed value an object is added to told:
 * {setting, asked, given, limit, source, message}. Idempotent. Call it again after changing such a
 * value. */
void settings_limits_apply(struct settings *settings, json_t *told);

#endif
