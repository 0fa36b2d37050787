/* caller.h: what the caller of dracoctl brings along: the environment, and the settings that
 * follow from it, from the files and from the options. */
#ifndef DRACO_CLIENT_CALLER_H
#define DRACO_CLIENT_CALLER_H

#include <jansson.h>

#include "common/settings_resolve.h"

struct ctl;

/* The environment as {NAME: value}; the caller frees. */
json_t *caller_environment(void);

/* What dracod needs to resolve the same settings: {environment, settings, profile}; the caller
 * frees. */
json_t *caller_params(const struct ctl *ctl);

/* Resolve the settings after all options were read. The caller finishes both in any case. 0 or
 * -EINVAL, as settings_resolve(). */
int caller_resolve(
	const struct ctl *ctl, struct settings *ret, struct settings_report *ret_report);

/* caller_resolve(), and say what is wrong. Returns an exit status. */
int caller_settings(
	const struct ctl *ctl, struct settings *ret, struct settings_report *ret_report);

#endif
