/* wrap.c: breaks text between words at the width of a terminal. */
#include "client/wrap.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"

#define LEAST 24 /* columns; a narrower terminal breaks lines itself */

int wrap_width(FILE *file)
{
	struct winsize size;

	if (!isatty(fileno(file)) || ioctl(fileno(file), TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}

static int columns_of(const char *text, size_t length)
{
	int columns = 0;

	for (size_t i = 0; i < length; i++)
		if (text[i] == '\033')
			i += strcspn(text + i, "m");
		else
			columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

int wrap_columns(const char *text)
{
	return columns_of(text, strlen(text));
}

char *wrap_text(const char *text, int width, int column, int indent)
{
	const char *word = text;
	bool begins = true; /* a break at the beginning of a line does not help */
	char *ret = NULL;
	size_t size;
	FILE *out;

	if (width < indent + LEAST)
		return xstrdup(text);
	out = open_memstream(&ret, &size);
	if (!out)
		abort();
	while (*word) {
		size_t blanks = strspn(word, " ");
		size_t length = strcspn(word + blanks, " \n");
		int columns = columns_of(word + blanks, length);

		if (!begins && column + (int)blanks + columns > width) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		} else {
			fprintf(out, "%*s", (int)blanks, "");
			column += (int)blanks;
		}
		fwrite(word + blanks, 1, length, out);
		column += columns;
		begins = false;
		word += blanks + length;
		if (*word == '\n') {
			fputc(*word++, out);
			column = 0;
			begins = true;
		}
	}
	if (fclose(out) != 0)
		abort();
	return ret;
}

void wrap_print(FILE *file, int column, int indent, const char *text)
{
	_cleanup_free_ char *wrapped = wrap_text(text, wrap_width(file), column, indent);

	fprintf(file, "%s\n", wrapped);
}
