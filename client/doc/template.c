/* template.c: pages from their templates, with the marks replaced from the tables. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/doc/doc.h"
#include "common/alloc.h"
#include "common/cleanup.h"

/* Write the replacement for the mark with this name. Returns 1 if it is whole lines. */
static int put_mark(FILE *page, const struct doc_mark *mark, const char *name,
	void (*put_text)(FILE *page, const char *text))
{
	while (mark->name && strcmp(mark->name, name) != 0)
		mark++;
	if (!mark->name) {
		fprintf(stderr, "draco-doc: there is no mark @%s@\n", name);
		return -EINVAL;
	}
	if (mark->text) {
		put_text(page, mark->text);
		return 0;
	}
	mark->put(page);
	return 1;
}

/* Write a line of the template: "@MARK@" alone, or text with marks. */
static int put_line(FILE *page, const struct doc_mark *marks, const char *line,
	void (*put_text)(FILE *page, const char *text))
{
	while (*line) {
		const char *end = *line == '@' ? strchr(line + 1, '@') : NULL;

		if (end && isupper((unsigned char)line[1])) {
			_cleanup_free_ char *name =
				xstrndup(line + 1, (size_t)(end - line - 1));
			int r = put_mark(page, marks, name, put_text);

			if (r < 0)
				return r;
			line = end + 1;
			line += r && *line == '\n';
			continue;
		}
		fputc(*line++, page);
	}
	return 0;
}

int doc_template(FILE *template, FILE *page, const struct doc_mark *marks,
	void (*put_text)(FILE *page, const char *text))
{
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	int r = 0;

	while (r == 0 && getline(&line, &size, template) > 0)
		r = put_line(page, marks, line, put_text);
	return r;
}
