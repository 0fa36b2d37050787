/* fuzz_settings_yaml.c: common/settings_yaml.c with any bytes for a file. */
#include "fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/problems.h"
#include "common/settings.h"
#include "common/settings_yaml.h"
#include "common/slurp.h"

const char fuzz_name[] = "settings_yaml";
const char *const fuzz_words[] = {
	"cores: ", "memory: ", "walltime: ", "queues_to_try: ", "reservation: ", "\n", "- ",
	": ", "? ", "&a ", "*a", "!!str ", "|\n ", ">-\n ", "---\n", "...\n", "%YAML 1.1\n",
	"\"\\0\"", "\"\\u00e9\"", "{", "}", "[", "]", "~", "\t", "80 GiB", "01:30:00", "1-12",
	"99999999999999999999", "0.0000001 GiB", "\xff", "\xef\xbb\xbf", NULL};

/* What was read as a value is one, and is written so that it is read as the same one. */
static void check_entry(struct settings *settings, const struct settings_entry *entry)
{
	_cleanup_free_ char *text = NULL, *again = NULL;

	if (!entry->value || entry->section == SECTION_LIMIT)
		return;
	fuzz_require(settings_set_value(settings, entry->id, entry->value, "file", NULL) == 0);
	fuzz_require(settings->source[entry->id] != NULL);
	text = settings_format(settings, entry->id);
	fuzz_require(settings_set(settings, entry->id, text, "again", NULL) == 0);
	again = settings_format(settings, entry->id);
	fuzz_require(strcmp(text, again) == 0);
}

static const char path[] = "/etc/draco/draco.yaml";
static const uint8_t *content;
static size_t content_size;

int __wrap_slurp(const char *file, char **ret, size_t *ret_size, struct err *err);

/* In place of slurp(): the linker has the code call this. */
int __wrap_slurp(const char *file, char **ret, size_t *ret_size, struct err *err)
{
	(void)err;
	fuzz_require(strcmp(file, path) == 0);
	*ret = fuzz_text(content, content_size);
	*ret_size = content_size;
	return 0;
}

static void set_default(struct settings *settings, int id)
{
	fuzz_require(settings_set(settings, id, settings_table[id].default_value, "default",
			     NULL) == 0);
}

static void read_file(bool is_site)
{
	struct problems problems = {0};
	struct settings_file file;
	static struct settings settings; /* made once: it takes long */

	if (!settings.processes)
		settings_init(&settings);
	settings_file_read(&file, path, is_site, &problems);
	fuzz_require(file.exists);
	for (size_t i = 0; i < problems.count; i++)
		fuzz_require(problems.items[i].place &&
			strncmp(problems.items[i].place, path, strlen(path)) == 0);
	for (size_t i = 0; i < file.count; i++) {
		check_entry(&settings, &file.entries[i]);
		fuzz_took();
	}
	for (size_t i = 0; i < file.count; i++)
		set_default(&settings, file.entries[i].id);
	settings_file_finish(&file);
	problems_finish(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	content = data;
	content_size = size;
	read_file(true);
	/* Only there limits are refused. */
	if (memmem(data, size, "limits", 6))
		read_file(false);
	return 0;
}
