/* describe.c: descriptions of the settings, from their table. */
#include "client/describe.h"

#include <ctype.h>
#include <string.h>

#include "client/propose.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/settings_describe.h"
#include "common/settings_limits.h"
#include "common/settings_resolve.h"
#include "common/settings_value.h"

#define LINE_WIDTH 92

char *describe_option(enum setting_id id)
{
	_cleanup_free_ char *name = settings_option_name(id);

	if (settings_table[id].type == SETTING_BOOLEAN)
		return xasprintf("--[no-]%s", name);
	return xasprintf("--%s %s", name, settings_table[id].placeholder);
}

/* Would YAML read the text without quotes as the same scalar? */
static bool is_plain(const char *text)
{
	size_t length = strlen(text);

	if (length == 0 || strchr("-?:,[]{}#&*!|>'\"%@` ", text[0]) ||
		text[length - 1] == ' ' || text[length - 1] == ':' || strcmp(text, "~") == 0)
		return false;
	for (const char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c) || (c[0] == ':' && c[1] == ' ') ||
			(c[0] == ' ' && c[1] == '#'))
			return false;
	return true;
}

char *describe_yaml(const char *text)
{
	char *quoted, *end;

	if (is_plain(text))
		return xstrdup(text);
	quoted = end = xcalloc(4 * strlen(text) + 3, 1);
	*end++ = '"';
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			end += sprintf(end, "\\%c", *text);
		else if (*text == '\n')
			end = stpcpy(end, "\\n");
		else if (iscntrl((unsigned char)*text))
			end += sprintf(end, "\\x%02x", (unsigned char)*text);
		else
			*end++ = *text;
	}
	*end = '"';
	return quoted;
}

char *describe_default(enum setting_id id)
{
	const struct setting *setting = &settings_table[id];
	struct settings defaults;
	char *text = NULL;

	if (setting->type != SETTING_LIST && setting->type != SETTING_PLACES)
		return describe_yaml(setting->default_value);
	settings_init(&defaults);
	if (!value_is_none(setting, settings_member(&defaults, id))) {
		_cleanup_free_ char *items = settings_format(&defaults, id);

		text = xasprintf("[%s]", items);
	}
	settings_finish(&defaults);
	return text ? text : xstrdup("none");
}

void describe_lines(FILE *file, const char *first, const char *indent, const char *text)
{
	size_t column = (size_t)fprintf(file, "%s", first);
	bool begins = true;

	while (*text) {
		int length = (int)strcspn(text, " ");

		if (!begins && column + 1 + (size_t)length > LINE_WIDTH) {
			column = (size_t)fprintf(file, "\n%s", indent) - 1;
			begins = true;
		}
		column += (size_t)fprintf(file, "%s%.*s", begins ? "" : " ", length, text);
		begins = false;
		text += length;
		text += *text == ' ';
	}
	fputc('\n', file);
}

static void print_setting(FILE *file, enum setting_id id, const struct proposal *proposal)
{
	const struct setting *setting = &settings_table[id];
	_cleanup_free_ char *range = value_range(setting), *form = value_describe(setting);
	_cleanup_free_ char *value = describe_default(id), *reason = NULL;
	_cleanup_free_ char *text =
		xasprintf("%c%s (%s%s%s).", toupper((unsigned char)setting->help[0]),
			setting->help + 1, form, range ? "; " : "", range ? range : "");

	fputc('\n', file);
	describe_lines(file, "# ", "# ", text);
	if (!proposal) {
		fprintf(file, "#%s: %s\n", setting->name, value);
		return;
	}
	reason = xasprintf("Default: %s. Here: %s.", value, proposal->reason);
	describe_lines(file, "# ", "# ", reason);
	fprintf(file, "%s: %s\n", setting->name, proposal->value);
}

static void print_limits(FILE *file)
{
	fprintf(file,
		"\n# What users cannot go beyond; they are told when a limit bites.\n#limits:\n");
	for (const struct settings_limit *limit = settings_limits; limit->name; limit++)
		fprintf(file, "#  %s: %s  # %s\n", limit->name, limit->example, limit->help);
}

void describe_file(FILE *file, bool for_site, const struct proposals *proposals)
{
	fprintf(file,
		"# Settings of draco%s, in YAML; draco.yaml(5) has the details.\n"
		"# Every setting is here with its default: remove the # to change one.%s\n"
		"# dracoctl config show shows the effective values and where each comes from.\n",
		for_site ? " for all users of this site" : "",
		proposals && proposals->count > 0
			? "\n# Those without # have values that fit this Slurm."
			: "");
	for (enum setting_group group = GROUP_NONE + 1; group < GROUP_COUNT; group++) {
		fprintf(file, "\n# == %s\n", setting_groups[group]);
		for (int id = settings_in_group(group, 0); id < SETTING_COUNT;
			id = settings_in_group(group, id + 1))
			print_setting(file, (enum setting_id)id,
				proposals_find(proposals, (enum setting_id)id));
	}
	fprintf(file,
		"\n# Sets of values, chosen by --profile NAME or DRACO_PROFILE; they win over "
		"those above.\n"
		"#profiles:\n"
		"#  small:\n"
		"#    processes: 4\n"
		"#    cores: 4\n"
		"#    memory: 16 GiB\n");
	if (for_site)
		print_limits(file);
}
