/* follow.c: prints the last lines of a file, and lines that are added to it. */
#include "client/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/utf8.h"
#include "common/visible.h"

#define FOLLOW_MS 200 /* inotify does not report what another host writes */

/* The offset of the last lines. */
static off_t find_start(FILE *file, int64_t lines)
{
	char block[4096];
	off_t end, at;
	int64_t seen = 0;

	fseeko(file, 0, SEEK_END);
	end = at = ftello(file);
	while (at > 0) {
		size_t size = at > (off_t)sizeof(block) ? sizeof(block) : (size_t)at;

		at -= (off_t)size;
		fseeko(file, at, SEEK_SET);
		if (fread(block, 1, size, file) != size)
			return 0;
		for (size_t i = size; i > 0; i--)
			if (block[i - 1] == '\n' && at + (off_t)i < end && ++seen == lines)
				return at + (off_t)i;
	}
	return 0;
}

/* The number of bytes at the end of the block that begin an incomplete UTF-8 sequence. */
static size_t count_torn(const char *block, size_t n)
{
	for (size_t back = 1; back < 4 && back <= n; back++) {
		unsigned char c = (unsigned char)block[n - back];

		if (c >= 0xc0)
			return utf8_length(block + n - back) ? 0 : back;
		if (c < 0x80)
			return 0;
	}
	return 0;
}

/* Print a block of a log, which may hold any bytes, without control characters. NUL does not end
 * the text; block has a NUL after its end. */
static void print_visible(const char *block, size_t n)
{
	for (const char *part = block; part <= block + n; part += strlen(part) + 1) {
		_cleanup_free_ char *text = visible_text(part, "\n\t");

		fputs(part > block ? "\\x00" : "", stdout);
		fputs(text, stdout);
	}
}

/* Copy the rest of the file unchanged; to a terminal, without control characters. An incomplete
 * UTF-8 sequence at the end waits for the next call, unless this is the last one. */
static void copy_rest(FILE *file, bool last)
{
	bool visible = isatty(STDOUT_FILENO);
	char block[8192 + 1];
	size_t n, torn;

	clearerr(file);
	while ((n = fread(block, 1, sizeof(block) - 1, file)) > 0) {
		if (!visible) {
			fwrite(block, 1, n, stdout);
			continue;
		}
		block[n] = '\0';
		torn = last && n < sizeof(block) - 1 ? 0 : count_torn(block, n);
		fseeko(file, -(off_t)torn, SEEK_CUR);
		if (n == torn)
			break;
		block[n - torn] = '\0';
		print_visible(block, n - torn);
	}
	fflush(stdout);
}

/* Open the file at its last lines. NULL with err. */
static FILE *open_at(const char *path, int64_t lines, struct err *err)
{
	/* O_NONBLOCK: a pipe must not block. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	struct stat st;

	if (!file) {
		err_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
		return NULL;
	}
	if (fstat(fileno(file), &st) < 0 || !S_ISREG(st.st_mode)) {
		err_set(err, -EINVAL, "%s is not a file", path);
		fclose(file);
		return NULL;
	}
	fseeko(file, lines > 0 ? find_start(file, lines) : 0, lines > 0 ? SEEK_SET : SEEK_END);
	return file;
}

bool output_is_read(int wait_ms)
{
	struct pollfd output = {.fd = STDOUT_FILENO};

	return poll(&output, 1, wait_ms) <= 0 || !(output.revents & (POLLERR | POLLHUP));
}

int follow_show(const char *path, int64_t lines, struct err *err)
{
	_cleanup_fclose_ FILE *file = open_at(path, lines, err);

	if (!file)
		return err->code;
	copy_rest(file, true);
	return 0;
}

/* Does path now name another file, or is the file shorter than the part that was read? */
static bool is_replaced(FILE *file, const char *path)
{
	struct stat open_file, named;

	return stat(path, &named) == 0 && fstat(fileno(file), &open_file) == 0 &&
		(named.st_ino != open_file.st_ino || named.st_dev != open_file.st_dev ||
			named.st_size < ftello(file));
}

static FILE *switch_over(FILE *file, const char *path, bool tell)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	struct err ignored = ERR_INIT;
	FILE *next = open_at(path, INT64_MAX, &ignored);

	if (!next)
		return file;
	copy_rest(file, true);
	fclose(file);
	if (tell)
		fprintf(stderr, "dracoctl: a new log, %s:\n", real ? real : path);
	return next;
}

static FILE *wait_for_file(const char *path, int64_t lines, bool tell, struct err *err)
{
	FILE *file = open_at(path, lines, err);

	if (!file && err->code == -ENOENT && tell)
		fprintf(stderr, "dracoctl: waiting for %s\n", path);
	/* The new file is printed from its beginning. */
	while (!file && err->code == -ENOENT && output_is_read(FOLLOW_MS))
		file = open_at(path, INT64_MAX, err);
	return file;
}

int follow_on(const char *path, int64_t lines, bool tell, struct err *err)
{
	FILE *file = wait_for_file(path, lines, tell, err);

	if (!file)
		return err->code;
	do {
		if (is_replaced(file, path))
			file = switch_over(file, path, tell);
		copy_rest(file, false);
	} while (!ferror(stdout) && output_is_read(FOLLOW_MS));
	fclose(file);
	return 0;
}

json_t *follow_read(const char *path, int64_t lines, struct err *err)
{
	_cleanup_fclose_ FILE *file = open_at(path, lines, err);
	_cleanup_free_ char *line = NULL;
	json_t *list;
	size_t size = 0;
	ssize_t n;

	if (!file)
		return NULL;
	list = json_array();
	while ((n = getline(&line, &size, file)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		json_array_append_new(list, json_text(line));
	}
	return list;
}
