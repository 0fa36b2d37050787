/* fuzz_settings_yaml.c: common/settings_yaml.c with any bytes for a file. */
#include "fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/problems.h"
#include "common/settings.h"
#include "common/settings_yaml.h"

const char fuzz_name[] = "settings_yaml";
const char *const fuzz_words[] = {
	"cores: ", "memory: ", "walltime: ", "queues_to_try: ", "reservation: ", "\n", "- ",
	": ", "? ", "&a ", "*a", "!!str ", "|\n ", ">-\n ", "---\n", "...\n", "%YAML 1.1\n",
	"\"\\0\"", "\"\\u00e9\"", "{", "}", "[", "]", "~", "\t", "80 GiB", "01:30:00", "1-12",
	"99999999999999999999", "0.0000001 GiB", "\xff", "\xef\xbb\xbf", NULL};

/* Each value is written so that it is read as the same one. */
static void check_values(const struct settings *settings)
{
	struct settings other;

	settings_init(&other);
	for (int id = 0; id < SETTING_COUNT; id++) {
		char *text = settings_format(settings, id), *again;

		fuzz_require(settings_set(&other, id, text, "again", NULL) == 0);
		again = settings_format(&other, id);
		fuzz_require(strcmp(text, again) == 0);
		fuzz_require(settings->source[id] != NULL);
		free(text);
		free(again);
	}
	settings_finish(&other);
}

/* What was read as a value is one. */
static void check_entry(struct settings *settings, const struct settings_entry *entry)
{
	if (entry->value && entry->section != SECTION_LIMIT)
		fuzz_require(settings_set_value(
				     settings, entry->id, entry->value, "file", NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("draco.yaml", MFD_CLOEXEC);
	struct problems problems = {0};
	struct settings_file file;
	struct settings settings;
	char path[32];

	fuzz_require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	settings_init(&settings);
	settings_file_read(&file, path, true, &problems);
	close(fd);
	for (size_t i = 0; i < problems.count; i++)
		fuzz_require(problems.items[i].place &&
			strncmp(problems.items[i].place, path, strlen(path)) == 0);
	for (size_t i = 0; i < file.count; i++)
		check_entry(&settings, &file.entries[i]);
	check_values(&settings);
	settings_file_finish(&file);
	problems_finish(&problems);
	settings_finish(&settings);
	return 0;
}
