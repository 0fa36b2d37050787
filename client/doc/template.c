/* template.c: pages from their templates: what the tables have in place of the marks. */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/doc/doc.h"
#include "common/alloc.h"
#include "common/cleanup.h"

/* Put what stands for the mark of this name; returns 1 where that is whole lines. */
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

/* A line of the template: "@MARK@" alone, or with marks inside of it. */
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
