/* describe.h: descriptions of the settings, from their table, for dracoctl config, --help and the
 * manual pages. */
#ifndef DRACO_CLIENT_DESCRIBE_H
#define DRACO_CLIENT_DESCRIBE_H

#include <stdbool.h>
#include <stdio.h>

#include "common/settings.h"

struct proposals;

/* Write a settings file with every setting and its meaning. Those with a proposal have its value,
 * the others are comments with their defaults. for_site: with the limits. */
void describe_file(FILE *file, bool for_site, const struct proposals *proposals);

/* Write text in lines of at most 92 characters, if its words allow that. first comes before the
 * first line, indent before the others. */
void describe_lines(FILE *file, const char *first, const char *indent, const char *text);

/* "--wait-timeout TIME", or with an optional value in brackets after "=". The caller frees. */
char *describe_option(enum setting_id id);

/* text as a YAML scalar, quoted if necessary. The caller frees. */
char *describe_yaml(const char *text);

/* The default in the form of a file. The caller frees. */
char *describe_default(enum setting_id id);

#endif
