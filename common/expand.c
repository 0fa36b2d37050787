/* expand.c: $NAME and ${NAME} in paths of settings. Pure. */
#include "common/expand.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/alloc.h"
#include "common/argv.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/strv.h"

static size_t name_length(const char *text)
{
	size_t length = 0;

	if (isdigit((unsigned char)*text))
		return 0;
	while (isalnum((unsigned char)text[length]) || text[length] == '_')
		length++;
	return length;
}

/* Read the part of the text that begins here: a variable, with its name in *ret, or text up to the
 * next one, and *ret is NULL. Returns its length; 0: a "$" that begins no variable. */
static size_t take(const char *at, char **ret)
{
	bool braces = at[0] == '$' && at[1] == '{';
	const char *name = at + (braces ? 2 : 1);
	size_t length;

	*ret = NULL;
	if (*at != '$')
		return strcspn(at, "$");
	length = name_length(name);
	if (length == 0 || (braces && name[length] != '}'))
		return 0;
	*ret = xstrndup(name, length);
	return length + (braces ? 3 : 1);
}

int expand_check(const char *text, struct err *err)
{
	for (const char *at = text; *at;) {
		_cleanup_free_ char *name = NULL;
		size_t length = take(at, &name);

		if (length == 0)
			return err_set(err, -EINVAL,
				"\"%s\": a \"$\" must begin a variable, as in $USER or ${USER}",
				text);
		at += length;
	}
	return 0;
}

void expand_names(const char *text, struct strv *ret)
{
	size_t length;

	for (const char *at = text; *at; at += length) {
		_cleanup_free_ char *name = NULL;

		length = take(at, &name);
		if (length == 0)
			return;
		if (name && !strv_has(ret, name))
			strv_add(ret, name);
	}
}

char *expand_shell(const char *text)
{
	struct strv parts = STRV_INIT;
	const char *at = text;
	char *word;

	while (*at) {
		_cleanup_free_ char *name = NULL, *plain = NULL;
		size_t length = take(at, &name);

		if (length == 0) /* expand_check() refuses this */
			length = strlen(at);
		plain = xstrndup(at, length);
		if (name && strcmp(name, "USER") == 0)
			strv_add(&parts, "\"${USER:-$(id -un)}\"");
		else if (name)
			strv_addf(&parts, "\"${%s}\"", name);
		else
			strv_take(&parts, shell_quote(plain));
		at += length;
	}
	word = parts.count ? strv_join(&parts, "") : xstrdup("''");
	strv_finish(&parts);
	return word;
}

int expand(const char *text, expand_fn *get, const void *arg, char **ret, struct err *err)
{
	struct strv parts = STRV_INIT;
	size_t length;
	int r = expand_check(text, err);

	for (const char *at = text; r == 0 && *at; at += length) {
		_cleanup_free_ char *name = NULL;
		const char *value;

		length = take(at, &name);
		value = name ? get(arg, name) : NULL;
		if (!name)
			strv_take(&parts, xstrndup(at, length));
		else if (value && *value)
			strv_add(&parts, value);
		else
			r = err_set(err, -EINVAL, "%s: the variable %s is not set", text, name);
	}
	if (r == 0)
		*ret = strv_join(&parts, "");
	strv_finish(&parts);
	return r;
}
