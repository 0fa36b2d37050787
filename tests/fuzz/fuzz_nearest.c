/* fuzz_nearest.c: common/nearest.c with any word: what it finds is of the table, and of the words
 * that are there it finds each. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "common/nearest.h"
#include "common/settings.h"

#define FOUND_MAX 4
#define COUNT	  8 /* words of the table: all would take long */

const char fuzz_name[] = "nearest";
const char *const fuzz_words[] = {"cores", "memory", "walltime", "wait_timeout",
	"use_scratch_dir", "queues_to_try", "minimum_walltime", "dashboard_address", "_", "-",
	NULL};

static bool is_setting(const char *word)
{
	for (int id = 0; id < COUNT; id++)
		if (settings_table[id].name == word)
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *word = fuzz_text(data, size);
	const char *found[FOUND_MAX];
	const char *one = nearest(word, settings_table, COUNT, sizeof(settings_table[0]));
	size_t count = nearest_some(
		word, settings_table, COUNT, sizeof(settings_table[0]), found, FOUND_MAX);

	fuzz_require(count <= FOUND_MAX && !one == (count == 0));
	fuzz_require(!one || one == found[0]);
	for (size_t i = 0; i < count; i++)
		fuzz_require(is_setting(found[i]));
	if (one)
		fuzz_took();
	for (int id = 0; id < COUNT; id++)
		if (strcmp(settings_table[id].name, word) == 0)
			fuzz_require(one == settings_table[id].name);
	free(word);
	return 0;
}
