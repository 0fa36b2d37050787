/* wrap.h: breaks text between words at the width of a terminal. */
#ifndef DRACO_CLIENT_WRAP_H
#define DRACO_CLIENT_WRAP_H

#include <stdio.h>

/* The columns of the terminal at file; 0: it is no terminal, or the width is not known, and lines
 * stay whole. */
int wrap_width(FILE *file);

/* The columns that a text takes: its UTF-8 characters, without colour sequences. */
int wrap_columns(const char *text);

/* text with line breaks for a terminal of this width. The first line begins at column, further
 * lines with indent blanks. A word that is longer than a line stays whole. Nothing is broken if
 * width is 0, or too small for the indent. The caller frees. */
char *wrap_text(const char *text, int width, int column, int indent);

/* Print wrap_text() for file's terminal, and a newline. */
void wrap_print(FILE *file, int column, int indent, const char *text);

#endif
