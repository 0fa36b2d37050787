/* settings_places.h: the settings for the places of jobs: queues_to_try and queue_options. Pure. */
#ifndef DRACO_COMMON_SETTINGS_PLACES_H
#define DRACO_COMMON_SETTINGS_PLACES_H

#include "common/settings.h"

/* Check the value if it is one of these settings. 0: it is right, or another setting. -EINVAL with
 * err, which does not name the setting: an option cannot differ between places. */
int settings_check_places(const struct settings *settings, enum setting_id id, struct err *err)
	__attribute__((warn_unused_result));

/* Add all places of queues_to_try (common/place.h), in order, each with its own options and those
 * of queue_options. */
void settings_places(const struct settings *settings, struct strv *ret);

/* Add the names of the partitions in queues_to_try, each once. */
void settings_partitions(const struct settings *settings, struct strv *ret);

#endif
