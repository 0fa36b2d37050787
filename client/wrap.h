/* wrap.h: text broken between words where a terminal's line ends. */
#ifndef DRACO_CLIENT_WRAP_H
#define DRACO_CLIENT_WRAP_H

#include <stdio.h>

/* The columns of the terminal that file is; 0: it is none, or does not tell, and lines stay
 * whole. */
int wrap_width(FILE *file);

/* How many columns a text takes: its UTF-8 characters, without the sequences that change
 * colours. */
int wrap_columns(const char *text);

/* text with line breaks for a terminal of that width: the first line begins at column, each one
 * that is broken off with indent blanks. A word that is too long for a line stays whole. Where
 * width is 0, or too small for the indent, nothing is broken. The caller frees. */
char *wrap_text(const char *text, int width, int column, int indent);

/* Print text as wrap_text() has it on file's terminal, and a newline. */
void wrap_print(FILE *file, int column, int indent, const char *text);

#endif
