/* describe.h: the settings in words, from their table: for dracoctl config, --help and the
 * manual pages. */
#ifndef DRACO_CLIENT_DESCRIBE_H
#define DRACO_CLIENT_DESCRIBE_H

#include <stdbool.h>
#include <stdio.h>

#include "common/settings.h"

/* A settings file in which every setting stands as a comment, with its meaning and default;
 * for_site: with the limits, too. */
void describe_file(FILE *file, bool for_site);

/* Write text in lines of at most 92 characters, where words allow it: before the first line
 * stands first, before the others indent. */
void describe_lines(FILE *file, const char *first, const char *indent, const char *text);

/* "--wait-timeout TIME", with "=" and brackets where the value may be left out; the caller
 * frees. */
char *describe_option(enum setting_id id);

/* A scalar as YAML has it, quoted where it must be; the caller frees. */
char *describe_yaml(const char *text);

/* The default as a file has it; the caller frees. */
char *describe_default(enum setting_id id);

#endif
