/* tail.c: the end of a log, for a person, read by a thread. */
#include "daemon/io/tail.h"

#include <stdlib.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/logdir.h"
#include "daemon/io/writer.h"

struct tail {
	char *path, *text;
	int max_lines;
};

static void look(void *arg)
{
	struct tail *tail = arg;

	tail->text = logdir_tail(tail->path, tail->max_lines);
}

static void release(void *arg)
{
	struct tail *tail = arg;

	free(tail->path);
	free(tail->text);
	free(tail);
}

char *tail_read(const char *path, int max_lines)
{
	struct tail *tail = xcalloc(1, sizeof(*tail));
	char *text;

	tail->path = xstrdup(path);
	tail->max_lines = max_lines;
	if (!writer_look(look, release, tail, WRITER_WAIT_MS))
		return NULL; /* a text without it is better than a loop that waits */
	text = TAKE_PTR(tail->text);
	release(tail);
	return text;
}
