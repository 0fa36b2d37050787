/* small_job.c: what the small jobs of dracoctl doctor and config init ask for. */
#include "client/small_job.h"

#include <string.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/place.h"
#include "common/settings_job.h"
#include "common/settings_places.h"
#include "common/strv.h"

json_t *small_job_directives(const struct settings *settings, const char *partition)
{
	struct strv directives = STRV_INIT, places = STRV_INIT;
	json_t *list;

	settings_directives(settings, &directives);
	settings_places(settings, &places);
	for (size_t i = 0; i < places.count; i++) {
		_cleanup_free_ char *name = NULL;
		struct strv options = STRV_INIT;

		place_split(places.item[i], &name, &options);
		if (strcmp(name, partition) == 0) {
			settings_directives_at(&directives, &options);
			strv_finish(&options);
			break;
		}
		strv_finish(&options);
	}
	list = json_texts(&directives);
	strv_finish(&places);
	strv_finish(&directives);
	return list;
}

json_t *small_job_inspect(const struct settings *settings, json_t *partitions)
{
	json_t *directives = json_object();
	const json_t *item;
	size_t i;

	json_array_foreach (partitions, i, item)
		json_object_set_new(directives, json_string_value(item),
			small_job_directives(settings, json_string_value(item)));
	return json_pack("{s:o, s:o, s:b}", "partitions", partitions, "directives", directives,
		"no_memory", settings->memory_mib <= 0);
}
