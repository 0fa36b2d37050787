/* helper_words.c: draco-slurm's standard error. */
#include "daemon/slurm/helper_words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/log.h"
#include "daemon/io/loop.h"

#define KEPT 1024

struct helper_words {
	struct loop *loop;
	int fd; /* -1: none */
	struct loop_watch *watch;
	char text[KEPT];
};

/* Read once. Returns false if there was nothing to read. */
static bool read_more(struct helper_words *words)
{
	char text[KEPT / 2];
	size_t used = strlen(words->text);
	ssize_t n = read(words->fd, text, sizeof(text) - 1);

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			words->watch = loop_watch_destroy(words->watch);
		return false;
	}
	text[n] = '\0';
	if (used + (size_t)n >= sizeof(words->text)) {
		used = sizeof(words->text) / 2 - 1;
		memmove(words->text, words->text + strlen(words->text) - used, used + 1);
	}
	strcpy(words->text + used, text);
	log_debug("draco-slurm: %s", text);
	return true;
}

static void on_readable(void *arg)
{
	read_more(arg);
}

int helper_words_begin(struct helper_words *words)
{
	int pair[2];

	helper_words_close(words);
	*words->text = '\0';
	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	words->fd = pair[0];
	words->watch = loop_watch_create(words->loop, words->fd, on_readable, words);
	return pair[1];
}

void helper_words_end(struct helper_words *words)
{
	while (words->watch && read_more(words))
		;
	helper_words_close(words);
}

void helper_words_close(struct helper_words *words)
{
	words->watch = loop_watch_destroy(words->watch);
	if (words->fd >= 0)
		close(TAKE_FD(words->fd));
}

char *helper_words_last(const struct helper_words *words)
{
	const char *end = words->text + strlen(words->text);
	const char *start;

	while (end > words->text && end[-1] == '\n')
		end--;
	for (start = end; start > words->text && start[-1] != '\n';)
		start--;
	return xstrndup(start, (size_t)(end - start));
}

struct helper_words *helper_words_create(struct loop *loop)
{
	struct helper_words *words = xcalloc(1, sizeof(*words));

	words->loop = loop;
	words->fd = -1;
	return words;
}

struct helper_words *helper_words_destroy(struct helper_words *words)
{
	if (words)
		helper_words_close(words);
	free(words);
	return NULL;
}
