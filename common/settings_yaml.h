/* settings_yaml.h: settings from a YAML file:
 *
 *	SETTING: VALUE
 *	profiles:
 *	  NAME:
 *	    SETTING: VALUE
 *	limits:			(only in the file of the site)
 *	  SETTING: VALUE
 */
#ifndef DRACO_COMMON_SETTINGS_YAML_H
#define DRACO_COMMON_SETTINGS_YAML_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/settings.h"

struct problems;

enum settings_section { SECTION_PLAIN, SECTION_PROFILE, SECTION_LIMIT };

struct settings_entry {
	enum settings_section section;
	size_t profile; /* with SECTION_PROFILE: index of the profile */
	enum setting_id id;
	json_t *value; /* for settings_set_value(); NULL: the value was wrong */
	unsigned line, column;
};

struct settings_profile {
	char *name;
	unsigned line;
};

struct settings_file {
	char *path;
	bool exists;
	struct settings_entry *entries; /* in the order of the file */
	size_t count;
	struct settings_profile *profiles;
	size_t profile_count;
};

/* Read a file and note all its errors, each at "FILE:LINE:COLUMN": invalid YAML, unknown and
 * repeated settings, and values that are wrong by themselves, in all profiles. A missing file
 * counts as empty. settings_file_finish() frees. */
void settings_file_read(
	struct settings_file *ret, const char *path, bool is_site, struct problems *problems);
void settings_file_finish(struct settings_file *file);

#endif
