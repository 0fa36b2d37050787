/* variables.c: checks the variables from dracod, and quotes values for each shell. */
#include "client/variables.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/tls_fix.h"
#include "common/visible.h"

#define PREFIX	"DASK_"
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

static bool is_of_dask(const char *name)
{
	size_t length = strlen(PREFIX);

	return strncmp(name, PREFIX, length) == 0 && name[length] &&
		strspn(name, LETTERS) == strlen(name);
}

int variables_check(const json_t *answer, struct err *err)
{
	const char *name;
	json_t *value;

	if (!json_is_object(answer))
		return err_set(err, -EPERM, "dracod's answer holds no variables");
	json_object_foreach (UNCONST(answer), name, value) {
		_cleanup_free_ char *shown = visible_text(name, "");

		if (!is_of_dask(name))
			return err_set(err, -EPERM,
				"dracod's answer sets the variable %s, which is none of Dask's: "
				"nothing is taken from it",
				shown);
		if (!json_is_string(value) || !visible_is_clean(json_string_value(value)))
			return err_set(err, -EPERM,
				"dracod's answer sets the variable %s to what is no text of one "
				"line: nothing is taken from it",
				shown);
	}
	return 0;
}

void variables_keep_preloads(json_t *answer)
{
	const char *here = getenv(TLS_FIX_VARIABLE);

	if (!here || !*here)
		return;
	if (!tls_fix_is_own(here))
		json_object_del(answer, TLS_FIX_VARIABLE);
	else if (!json_object_get(answer, TLS_FIX_VARIABLE))
		json_object_set_new(answer, TLS_FIX_VARIABLE, json_string("[]"));
}

/* text in single quotes, with replacements for one or two characters. */
static char *quote(const char *text, char first, const char *for_first, char second,
	const char *for_second)
{
	size_t longest =
		strlen(for_first) > strlen(for_second) ? strlen(for_first) : strlen(for_second);
	char *quoted = xcalloc(strlen(text) * longest + sizeof("''"), 1);
	char *end = stpcpy(quoted, "'");

	for (; *text; text++)
		if (*text == first)
			end = stpcpy(end, for_first);
		else if (*text == second)
			end = stpcpy(end, for_second);
		else
			*end++ = *text;
	stpcpy(end, "'");
	return quoted;
}

char *variables_quote_sh(const char *text)
{
	return quote(text, '\'', "'\\''", '\'', "");
}

/* csh replaces history references even between quotes. */
char *variables_quote_csh(const char *text)
{
	return quote(text, '\'', "'\\''", '!', "'\\!'");
}

char *variables_quote_fish(const char *text)
{
	return quote(text, '\'', "\\'", '\\', "\\\\");
}
