/* lines.h: lines that are appended to a file (common/append.h) by a thread (writer.h).
 *
 * What waits is bounded. When a file server does not answer for long, the lines of that time are
 * kept up to LINES_ROOM, and the newest ones are lost and counted. */
#ifndef DRACO_DAEMON_IO_LINES_H
#define DRACO_DAEMON_IO_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/io/writer.h"

struct append;
struct lines;

#define LINES_ROOM (256 * 1024)

/* Lines were written, or lost: error is a negative errno then. None is lost: the file cannot be
 * opened again, and they go on to where they went. Called from the loop, or from
 * lines_put() where there are no threads. */
typedef void (*lines_fn)(void *arg, int error, int lost);

/* Takes the file over. fn may be NULL. */
struct lines *lines_create(struct append *file, enum writer_lane lane, lines_fn fn, void *arg);

/* Append whole lines. false: there is no room for them. */
bool lines_put(struct lines *lines, const char *text, size_t length);

/* Open the file again by its name. */
void lines_reopen(struct lines *lines);

/* Write what waits, and close the file. fn is not called any more. Returns NULL. */
struct lines *lines_close(struct lines *lines);

/* Have the log of this process written by lines from here on. */
void lines_take_log(void);

#endif
