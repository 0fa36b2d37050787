/* markdown.c: pages of the documentation from their templates and the tables, in Markdown. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "client/describe.h"
#include "client/doc/doc.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/paths.h"
#include "common/settings_describe.h"
#include "common/settings_limits.h"
#include "common/settings_resolve.h"

/* Write text for a cell of a table. */
static void put_cell(FILE *page, const char *text)
{
	for (; *text; text++) {
		if (strchr("|\\<>*_`", *text))
			fputc('\\', page);
		fputc(*text == '\n' ? ' ' : *text, page);
	}
}

/* Write text as code in a cell; only the bar needs an escape. */
static void put_code(FILE *page, const char *text)
{
	fputc('`', page);
	for (; *text; text++) {
		if (*text == '|')
			fputc('\\', page);
		fputc(*text, page);
	}
	fputc('`', page);
}

static void put_setting(FILE *page, enum setting_id id)
{
	const struct setting *setting = &settings_table[id];
	_cleanup_free_ char *form = value_describe(setting);
	_cleanup_free_ char *range = value_range(setting);
	_cleanup_free_ char *fallback = describe_default(id);

	fputs("| ", page);
	put_code(page, setting->name);
	fputs(" | ", page);
	put_code(page, fallback);
	fputs(" | ", page);
	put_cell(page, setting->help);
	fputs(" | ", page);
	put_cell(page, form);
	if (range) {
		fputs("; ", page);
		put_cell(page, range);
	}
	fputs(" |\n", page);
}

static void put_settings(FILE *page)
{
	for (enum setting_group group = GROUP_NONE + 1; group < GROUP_COUNT; group++) {
		fprintf(page,
			"### %s\n\n| setting | default | meaning | value |\n|---|---|---|---|\n",
			setting_groups[group]);
		for (int id = settings_in_group(group, 0); id < SETTING_COUNT;
			id = settings_in_group(group, id + 1))
			put_setting(page, (enum setting_id)id);
		if (group + 1 < GROUP_COUNT)
			fputc('\n', page);
	}
}

static void put_limits(FILE *page)
{
	fputs("| limit | meaning |\n|---|---|\n", page);
	for (const struct settings_limit *limit = settings_limits; limit->name; limit++) {
		fputs("| ", page);
		put_code(page, limit->name);
		fputs(" | ", page);
		put_cell(page, limit->help);
		fputs(" |\n", page);
	}
}

static void put_variables(FILE *page)
{
	fputs("| variable | meaning |\n|---|---|\n", page);
	for (const struct settings_variable *v = settings_variables; v->name; v++) {
		if (!v->help)
			continue;
		fputs("| ", page);
		put_code(page, v->name);
		fputs(" | ", page);
		put_cell(page, v->help);
		fputs(" |\n", page);
	}
}

static const struct doc_mark marks[] = {
	{"SETTINGS", put_settings, NULL},
	{"LIMITS", put_limits, NULL},
	{"VARIABLES", put_variables, NULL},
	{"JSON_KEYS", doc_json_keys, NULL},
	{"JSON_VERSION", doc_json_version, NULL},
	{0},
};

int doc_markdown(FILE *template, FILE *page)
{
	fputs("<!-- Made by make docs: change the template in client/doc, or the tables. -->\n\n",
		page);
	return doc_template(template, page, marks, put_cell);
}
