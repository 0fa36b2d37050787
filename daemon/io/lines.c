/* lines.c: lines that a thread appends to a file, and the log of this process among them. */
#include "daemon/io/lines.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/append.h"
#include "common/cleanup.h"
#include "common/log.h"

struct lines {
	struct append *file; /* the thread's; NULL: closed */
	struct writer_job job;
	lines_fn fn; /* NULL: nobody listens */
	void *arg;
	/* Under the lock: */
	bool closing;
	char *text; /* what waits */
	size_t used, size;
	bool reopen;
	bool told; /* there is something to tell */
	int error; /* of the last write */
	int lost;  /* lines, since it was told */
};

static void work(void *arg)
{
	struct lines *lines = arg;
	_cleanup_free_ char *text = NULL;
	int error = 0, lost = 0, again = 0;
	size_t used;
	bool reopen, closing;

	writer_lock();
	text = TAKE_PTR(lines->text);
	used = lines->used;
	reopen = lines->reopen;
	closing = lines->closing;
	lines->used = lines->size = 0;
	lines->reopen = false;
	writer_unlock();
	if (reopen)
		again = append_open(lines->file, true, NULL);
	if (used > 0)
		error = append_write(lines->file, text, used, &lost);
	error = error < 0 ? error : again;
	if (closing) /* close(2) may wait, too */
		lines->file = append_destroy(lines->file);
	writer_lock();
	lines->told |= used > 0 || again < 0;
	lines->error = used > 0 || again < 0 ? error : lines->error;
	lines->lost += lost;
	writer_unlock();
}

static void lines_free(struct lines *lines)
{
	append_destroy(lines->file);
	free(lines->text);
	free(lines);
}

static void done(void *arg)
{
	struct lines *lines = arg;
	int error, lost;
	bool told, closing;

	writer_lock();
	closing = lines->closing;
	error = lines->error;
	lost = lines->lost;
	told = lines->told;
	lines->lost = 0;
	lines->told = false;
	writer_unlock();
	if (!closing && told && lines->fn)
		lines->fn(lines->arg, error, lost);
	else if (closing && writer_is_idle(&lines->job))
		lines_free(lines);
}

struct lines *lines_create(struct append *file, enum writer_lane lane, lines_fn fn, void *arg)
{
	struct lines *lines = xcalloc(1, sizeof(*lines));

	lines->file = file;
	lines->job =
		(struct writer_job){.lane = lane, .work = work, .done = done, .arg = lines};
	lines->fn = fn;
	lines->arg = arg;
	return lines;
}

bool lines_put(struct lines *lines, const char *text, size_t length)
{
	bool room;

	writer_lock();
	room = lines->used + length <= LINES_ROOM;
	if (room && lines->used + length > lines->size) {
		lines->size = 2 * (lines->used + length);
		lines->text = xrealloc(lines->text, lines->size);
	}
	if (room) {
		memcpy(lines->text + lines->used, text, length);
		lines->used += length;
	}
	writer_unlock();
	if (room)
		writer_add(&lines->job);
	return room;
}

void lines_reopen(struct lines *lines)
{
	writer_lock();
	lines->reopen = true;
	writer_unlock();
	writer_add(&lines->job);
}

struct lines *lines_close(struct lines *lines)
{
	if (!lines)
		return NULL;
	writer_lock();
	lines->closing = true;
	writer_unlock();
	writer_add(&lines->job); /* done() frees it */
	return NULL;
}

/* The log */

static struct kept_log {
	struct append *file; /* NULL: none */
	struct lines *lines;
	int lost;    /* lines without room, since there was room */
	bool failed; /* the log says so */
} logs[2];

static void on_log_written(void *arg, int error, int lost)
{
	struct kept_log *log = arg;
	bool failed = log->failed;

	if (error < 0 && lost == 0) {
		log_warning("cannot open %s again: %s: its lines go on to where they went",
			append_path(log->file), strerror(-error));
		return;
	}
	log->failed = error < 0;
	/* One file of the log may tell of the other. */
	if (log->failed && !failed)
		log_warning("cannot write %s: %s: lines of this log are lost",
			append_path(log->file), strerror(-error));
}

static struct kept_log *find_log(const struct append *file)
{
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++)
		if (logs[i].file == file)
			return &logs[i];
	return NULL;
}

static struct kept_log *keep_log(struct append *file, bool also)
{
	struct kept_log *log = &logs[also];

	if (log->file != file)
		*log = (struct kept_log){.file = file,
			.lines = lines_create(
				file, also ? WRITER_LOGS : WRITER_LOG, on_log_written, log)};
	return log;
}

static void put_log(struct append *file, bool also, const char *line, size_t length)
{
	struct kept_log *log = keep_log(file, also);
	char text[128];
	int size;

	if (log->lost > 0) {
		size = snprintf(text, sizeof(text),
			"%d lines of the log are missing here: its file system did not answer\n",
			log->lost);
		if (!lines_put(log->lines, text, (size_t)size)) {
			log->lost++;
			return;
		}
		log->lost = 0;
	}
	log->lost += !lines_put(log->lines, line, length);
}

static void reopen_log(struct append *file, bool also)
{
	lines_reopen(keep_log(file, also)->lines);
}

static void close_log(struct append *file)
{
	struct kept_log *log = find_log(file);

	if (!log) {
		append_destroy(file);
		return;
	}
	lines_close(log->lines);
	*log = (struct kept_log){0};
}

static const struct log_output output = {put_log, reopen_log, close_log};

void lines_take_log(void)
{
	log_set_output(&output);
}
