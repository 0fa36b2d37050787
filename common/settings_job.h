/* settings_job.h: the settings for the resources of jobs, and for what runs in them. Pure. */
#ifndef DRACO_COMMON_SETTINGS_JOB_H
#define DRACO_COMMON_SETTINGS_JOB_H

#include "common/settings.h"

/* Check the value if it is one of these settings. 0: it is right, or another setting. -EINVAL with
 * err, which does not name the setting. */
int settings_check_job(const struct settings *settings, enum setting_id id, struct err *err)
	__attribute__((warn_unused_result));

/* Is it an option of sbatch with the same name? */
bool setting_is_directive(enum setting_id id);

/* Put the options of a place into list, the options of sbatch from settings. One with the value
 * "none" takes back that of the settings. */
void settings_directives_at(struct strv *list, const struct strv *place);

/* Add all options of sbatch from the settings, as directives (common/directives.h). */
void settings_directives(const struct settings *settings, struct strv *ret);

#endif
