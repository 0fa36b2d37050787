/* doc.h: makes manual pages, pages of the documentation and completions of shells from the tables
 * of commands, options and settings. Used only when draco is built. */
#ifndef DRACO_CLIENT_DOC_DOC_H
#define DRACO_CLIENT_DOC_DOC_H

#include <stdbool.h>
#include <stdio.h>

#include "client/ctl.h"
#include "common/settings.h"
#include "common/strv.h"

/* The replacement for "@NAME@" in a template: text, or whole lines that put() writes. */
struct doc_mark {
	const char *name; /* NULL ends a table */
	void (*put)(FILE *page);
	const char *text; /* NULL: use put() */
};

/* Copy the template with its marks replaced. put_text() writes a text in the format of the page. 0,
 * or -EINVAL, after a message: a mark is unknown. */
int doc_template(FILE *template, FILE *page, const struct doc_mark *marks,
	void (*put_text)(FILE *page, const char *text));

/* A manual page, or a page of the documentation in Markdown, from its template. Returns as
 * doc_template(). */
int doc_man(FILE *template, FILE *page);
int doc_markdown(FILE *template, FILE *page);

/* For the page about --json: the tables of keys, and the line about the version. */
void doc_json_keys(FILE *page);
void doc_json_version(FILE *page);

void doc_bash(FILE *file);
void doc_zsh(FILE *file);
void doc_fish(FILE *file);

/* The completions for an argument or a value. */
struct doc_values {
	struct strv words; /* these words themselves */
	bool commands, jobs, settings, profiles, names, partitions, files, directories;
};

void doc_values_finish(struct doc_values *values);

/* Read the text that --help has for arguments or a value, such as "[JOB|scheduler|daemon]". Words
 * in small letters stand for themselves, those in capitals for a kind of values. */
void doc_values_parse(struct doc_values *values, const char *text);

/* As doc_values_parse(), for an option or a setting. */
void doc_option_values(struct doc_values *values, const struct command_option *option);
void doc_setting_values(struct doc_values *values, enum setting_id id);

/* All options that take a value, as "--name" and "-n". */
void doc_value_options(struct strv *ret);

/* text with a backslash before each character of special. The caller frees. */
char *doc_escape(const char *text, const char *special);

/* text for single quotes in a shell whose single quotes allow no escapes. The caller frees. */
char *doc_shell_quote(const char *text);

#endif
