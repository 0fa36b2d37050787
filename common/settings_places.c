/* settings_places.c: the settings for the places of jobs: queues_to_try and queue_options. Pure. */
#include "common/settings_places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/argv.h"
#include "common/cleanup.h"
#include "common/directives.h"
#include "common/err.h"
#include "common/place.h"
#include "common/settings.h"
#include "common/settings_job.h"
#include "common/strv.h"

/* Is this the name of a setting that has one value for all places? */
static bool is_common(const char *option)
{
	_cleanup_free_ char *name = xstrndup(option, strcspn(option, "="));
	int id = settings_find(name, NULL);

	return id >= 0 && !setting_is_directive((enum setting_id)id);
}

static int check_options(const char *place, struct err *err)
{
	_cleanup_free_ char *partition = NULL;
	struct strv options = STRV_INIT;
	int r = 0;

	place_split(place, &partition, &options);
	for (size_t i = 0; r == 0 && i < options.count; i++)
		if (is_common(options.item[i]))
			r = err_set(err, -EINVAL,
				"%s: %.*s is the same in all places: a place can have options of "
				"sbatch of its own, such as account, qos, constraint and gpus",
				partition, (int)strcspn(options.item[i], "="), options.item[i]);
	strv_finish(&options);
	return r;
}

int settings_check_places(const struct settings *settings, enum setting_id id, struct err *err)
{
	const struct strv *places = settings_member(settings, id);
	int r = 0;

	if (settings_table[id].type != SETTING_PLACES)
		return 0;
	for (size_t i = 0; r == 0 && i < places->count; i++)
		r = check_options(places->item[i], err);
	return r;
}

void settings_places(const struct settings *settings, struct strv *ret)
{
	for (size_t i = 0; i < settings->queues_to_try.count; i++) {
		struct strv words = STRV_INIT, options = STRV_INIT, own = STRV_INIT;
		_cleanup_free_ char *partition = NULL;
		char **general;

		place_split(settings->queues_to_try.item[i], &partition, &own);
		general = places_find(&settings->queue_options, partition);
		if (general)
			place_split(*general, NULL, &options);
		directives_merge(&options, &own);
		strv_add(&words, partition);
		for (size_t k = 0; k < options.count; k++)
			strv_add(&words, options.item[k]);
		strv_take(ret, argv_format(&words));
		strv_finish(&words);
		strv_finish(&options);
		strv_finish(&own);
	}
}

void settings_partitions(const struct settings *settings, struct strv *ret)
{
	for (size_t i = 0; i < settings->queues_to_try.count; i++) {
		_cleanup_free_ char *name = place_partition(settings->queues_to_try.item[i]);

		if (!strv_has(ret, name))
			strv_add(ret, name);
	}
}
