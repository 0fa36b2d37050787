/* settings_yaml.h: settings from a YAML file. */
#ifndef DRACO_COMMON_SETTINGS_YAML_H
#define DRACO_COMMON_SETTINGS_YAML_H

struct err;
struct settings;

/* Read path into settings: a mapping of setting names to values. A missing file changes nothing
 * and is no error. Otherwise -EINVAL, or the errno of reading, with "file:line:column: what" in
 * err. The source of each value is "file:line". */
int settings_load_file(struct settings *settings, const char *path, struct err *err)
	__attribute__((warn_unused_result));

#endif
