/* main.c of draco-doc: writes a manual page, a page of the documentation or a completion, when
 * draco is built. */
#include <stdio.h>
#include <string.h>

#include "client/doc/doc.h"

static int usage(void)
{
	fprintf(stderr,
		"Usage: draco-doc man|markdown <TEMPLATE >PAGE\n"
		"       draco-doc bash|zsh|fish >FILE\n");
	return 2;
}

int main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (strcmp(what, "man") == 0) {
		if (doc_man(stdin, stdout) < 0)
			return 1;
	} else if (strcmp(what, "markdown") == 0) {
		if (doc_markdown(stdin, stdout) < 0)
			return 1;
	} else if (strcmp(what, "bash") == 0) {
		doc_bash(stdout);
	} else if (strcmp(what, "zsh") == 0) {
		doc_zsh(stdout);
	} else if (strcmp(what, "fish") == 0) {
		doc_fish(stdout);
	} else {
		return usage();
	}
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
