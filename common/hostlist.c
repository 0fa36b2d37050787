/* hostlist.c: expands Slurm's lists of hosts. Pure. */
#include "common/hostlist.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/strv.h"

#define DIGITS_MAX 9
/* Brackets of one name, as in "rack[1-2]n[1-40]". */
#define BRACKETS_MAX 4

/* Read a number of at most DIGITS_MAX digits. */
static int read_number(const char **at, int64_t *ret)
{
	int digits = 0;

	for (*ret = 0; isdigit((unsigned char)**at); (*at)++, digits++) {
		if (digits == DIGITS_MAX)
			return -EINVAL;
		*ret = *ret * 10 + (**at - '0');
	}
	return digits > 0 ? digits : -EINVAL;
}

/* The end of the word that begins at text: a comma outside of brackets, or the end. */
static const char *end_of_word(const char *text)
{
	for (bool inside = false; *text && (inside || *text != ','); text++)
		inside = (inside || *text == '[') && *text != ']';
	return text;
}

static int expand(
	const char *before, const char *rest, int depth, size_t limit, struct strv *ret);

/* One part of a bracket, "7" or "01-40", between before and after. Leading zeros are kept. */
static int expand_range(const char *before, const char **at, const char *after, int depth,
	size_t limit, struct strv *ret)
{
	int64_t first, last;
	int r, width = read_number(at, &first);

	if (width < 0)
		return width;
	last = first;
	if (**at == '-') {
		(*at)++;
		r = read_number(at, &last);
		if (r < 0 || last < first)
			return -EINVAL;
	}
	for (int64_t i = first; i <= last; i++) {
		_cleanup_free_ char *with = xasprintf("%s%0*lld", before, width, (long long)i);

		r = expand(with, after, depth + 1, limit, ret);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Add before with all forms of rest, which is one word. */
static int expand(
	const char *before, const char *rest, int depth, size_t limit, struct strv *ret)
{
	const char *open = strchr(rest, '['), *close = open ? strchr(open, ']') : NULL;
	_cleanup_free_ char *front = NULL;
	int r;

	if (!open) {
		if (strchr(rest, ']'))
			return -EINVAL;
		if (ret->count >= limit)
			return -E2BIG;
		strv_addf(ret, "%s%s", before, rest);
		return 0;
	}
	if (!close || depth >= BRACKETS_MAX)
		return -EINVAL;
	front = xasprintf("%s%.*s", before, (int)(open - rest), rest);
	for (const char *at = open + 1;; at++) {
		r = expand_range(front, &at, close + 1, depth, limit, ret);
		if (r < 0 || at == close)
			return r;
		if (*at != ',')
			return -EINVAL;
	}
}

int hostlist_expand(const char *text, size_t limit, struct strv *ret)
{
	while (*text) {
		const char *end = end_of_word(text);
		_cleanup_free_ char *word = xstrndup(text, (size_t)(end - text));
		int r = *word ? expand("", word, 0, limit, ret) : 0;

		if (r < 0)
			return r;
		text = *end ? end + 1 : end;
	}
	return 0;
}
