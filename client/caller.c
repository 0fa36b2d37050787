/* caller.c: the input of dracoctl's caller. */
#include "client/caller.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/ctl.h"
#include "client/output.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/inheritance.h"
#include "common/json.h"

static void set_variable(void *arg, const char *name, const char *value)
{
	json_object_set_new(arg, name, json_text(value));
}

json_t *caller_environment(void)
{
	json_t *object = json_object();

	for (char **variable = environ; *variable; variable++) {
		const char *equals = strchr(*variable, '=');
		_cleanup_free_ char *name = NULL;

		if (!equals)
			continue;
		name = xstrndup(*variable, (size_t)(equals - *variable));
		json_object_set_new(object, name, json_text(equals + 1));
	}
	inheritance_collect(set_variable, object);
	return object;
}

int caller_resolve(
	const struct ctl *ctl, struct settings *ret, struct settings_report *ret_report)
{
	_cleanup_json_ json_t *environment = caller_environment();
	struct settings_inputs inputs = {
		.environment = environment,
		.options = ctl->settings,
		.profile = ctl->profile,
		.command_line = true,
		.is_check = ctl->checks,
		.site_only = ctl->site_only,
	};

	if (ctl->site_only) {
		json_t *named = json_incref(json_object_get(environment, "DRACO_SITE_CONFIG"));

		json_object_clear(environment);
		if (named)
			json_object_set_new(environment, "DRACO_SITE_CONFIG", named);
	}
	return settings_resolve(&inputs, ret, ret_report);
}

int caller_settings(
	const struct ctl *ctl, struct settings *ret, struct settings_report *ret_report)
{
	int r = caller_resolve(ctl, ret, ret_report);

	output_problems(ctl, &ret_report->problems);
	return r < 0 ? CTL_USAGE : CTL_DONE;
}

json_t *caller_params(const struct ctl *ctl)
{
	json_t *params = json_pack("{s:o}", "environment", caller_environment());

	if (ctl->settings)
		json_object_set(params, "settings", ctl->settings);
	if (ctl->profile)
		json_object_set_new(params, "profile", json_text(ctl->profile));
	return params;
}
