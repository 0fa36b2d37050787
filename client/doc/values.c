/* values.c: the completions for the arguments and options of dracoctl. */
#include <ctype.h>
#include <string.h>

#include "client/doc/doc.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/settings_resolve.h"

void doc_values_finish(struct doc_values *values)
{
	strv_finish(&values->words);
	*values = (struct doc_values){0};
}

static void add_word(struct doc_values *values, const char *word)
{
	const struct {
		const char *word;
		bool *flag;
	} kinds[] = {
		{"COMMAND", &values->commands},
		{"JOB", &values->jobs},
		{"SETTING", &values->settings},
		{"PATH", &values->files},
		{"FILE", &values->files},
		{"DIR", &values->directories},
	};

	if (islower((unsigned char)*word) && !strv_has(&values->words, word))
		strv_add(&values->words, word);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].word, word) == 0)
			*kinds[i].flag = true;
}

void doc_values_parse(struct doc_values *values, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "|[] .,:=");
		_cleanup_free_ char *word = xstrndup(text, length);

		if (length)
			add_word(values, word);
		text += length + (text[length] != '\0');
	}
}

void doc_option_values(struct doc_values *values, const struct command_option *option)
{
	if (!option->placeholder)
		return;
	doc_values_parse(values, option->placeholder);
	values->profiles = strcmp(option->name, "profile") == 0;
	values->names = strcmp(option->name, "name") == 0;
}

void doc_setting_values(struct doc_values *values, enum setting_id id)
{
	if (settings_table[id].type != SETTING_BOOLEAN)
		doc_values_parse(values, settings_table[id].placeholder);
	values->partitions = id == SETTING_QUEUES_TO_TRY;
}

static void add_options(struct strv *ret, const struct command_option *option)
{
	for (; option && option->name; option++) {
		_cleanup_free_ char *name = xasprintf("--%s", option->name);

		if (option->placeholder && !strv_has(ret, name))
			strv_take(ret, TAKE_PTR(name));
		if (option->placeholder && option->letter)
			strv_addf(ret, "-%c", option->letter);
	}
}

void doc_value_options(struct strv *ret)
{
	add_options(ret, global_options);
	add_options(ret, settings_options);
	for (const struct command *command = commands; command->name; command++)
		add_options(ret, command->options);
	for (int id = 0; id < SETTING_COUNT; id++) {
		_cleanup_free_ char *name = settings_option_name(id);

		if (settings_table[id].type != SETTING_BOOLEAN)
			strv_addf(ret, "--%s", name);
	}
}

char *doc_escape(const char *text, const char *special)
{
	char *copy = xcalloc(2 * strlen(text) + 1, 1), *end = copy;

	for (; *text; text++) {
		if (strchr(special, *text))
			*end++ = '\\';
		*end++ = *text;
	}
	return copy;
}

char *doc_shell_quote(const char *text)
{
	char *copy = xcalloc(4 * strlen(text) + 1, 1), *end = copy;

	for (; *text; text++) {
		if (*text == '\'')
			end = stpcpy(end, "'\\''");
		else
			*end++ = *text;
	}
	return copy;
}
