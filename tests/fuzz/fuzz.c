/* fuzz.c: what all fuzz targets share. */
#include "fuzz.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/log.h"

unsigned long fuzz_taken;

int LLVMFuzzerInitialize(int *argc, char ***argv);

void fuzz_took(void)
{
	fuzz_taken++;
}

void fuzz_broken(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

char *fuzz_tight(const uint8_t *data, size_t size)
{
	char *copy = xcalloc(size, 1);

	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}

char *fuzz_text(const uint8_t *data, size_t size)
{
	char *copy = xcalloc(size + 1, 1);

	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}

char *fuzz_file(const uint8_t *data, size_t size)
{
	static int fd = -1; /* one for all: to make one takes long */

	if (fd < 0)
		fd = memfd_create("fuzz", MFD_CLOEXEC);
	fuzz_require(fd >= 0 && ftruncate(fd, 0) == 0);
	fuzz_require(pwrite(fd, data, size, 0) == (ssize_t)size);
	return xasprintf("/proc/self/fd/%d", fd);
}

bool fuzz_is_harmless(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
			return false;
		/* U+0080 to U+009F: some terminals take U+009B for ESC [. */
		if (c == 0xc2 && i + 1 < size && (unsigned char)text[i + 1] < 0xa0)
			return false;
	}
	return true;
}

/* The words as a dictionary of libFuzzer. */
static void print_dictionary(void)
{
	for (const char *const *word = fuzz_words; *word; word++) {
		putchar('"');
		for (const char *c = *word; *c; c++)
			if (isalnum((unsigned char)*c))
				putchar(*c);
			else
				printf("\\x%02x", (unsigned char)*c);
		puts("\"");
	}
}

/* Called by libFuzzer before anything else; the name is its. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	if (*argc == 2 && strcmp((*argv)[1], "-dictionary") == 0) {
		print_dictionary();
		exit(EXIT_SUCCESS);
	}
	log_open("/dev/null", LOG_LEVEL_ERROR, NULL);
	return 0;
}
