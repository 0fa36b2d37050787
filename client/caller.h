/* caller.h: the input of dracoctl's caller: the environment, and the settings that follow from it,
 * from the files and from the options. */
#ifndef DRACO_CLIENT_CALLER_H
#define DRACO_CLIENT_CALLER_H

#include <jansson.h>

#include "common/settings_resolve.h"

struct ctl;

/* The environment as {NAME: value}. The caller owns it. */
json_t *caller_environment(void);

/* The parameters from which dracod resolves the same settings: {environment, settings, profile}.
 * The caller owns them. */
json_t *caller_params(const struct ctl *ctl);

/* Resolve the settings; only after all options were read. 0 or -EINVAL, as settings_resolve(). The
 * caller frees *ret and *ret_report in all cases. */
int caller_resolve(
	const struct ctl *ctl, struct settings *ret, struct settings_report *ret_report);

/* As caller_resolve(), and print the errors. Returns an exit status. */
int caller_settings(
	const struct ctl *ctl, struct settings *ret, struct settings_report *ret_report);

#endif
