/* settings_job.h: the settings about what the jobs ask for and what runs in them. Pure. */
#ifndef DRACO_COMMON_SETTINGS_JOB_H
#define DRACO_COMMON_SETTINGS_JOB_H

#include "common/settings.h"

/* Check one of them: 0 for a right value, and for all other settings; -EINVAL with err, which
 * does not name the setting. */
int settings_check_job(const struct settings *settings, enum setting_id id, struct err *err)
	__attribute__((warn_unused_result));

/* All options of sbatch that the settings ask for, as directives (common/directives.h). */
void settings_directives(const struct settings *settings, struct strv *ret);

#endif
