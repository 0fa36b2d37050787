/* statefile.c: small JSON files that are complete at every moment. */
#include "daemon/io/statefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/log.h"

static bool handed_over; /* also read by the thread of statequeue.c */

void statefile_hand_over(void)
{
	__atomic_store_n(&handed_over, true, __ATOMIC_SEQ_CST);
}

static bool is_handed_over(void)
{
	return __atomic_load_n(&handed_over, __ATOMIC_SEQ_CST);
}

void statefile_remove(const char *path)
{
	if (!is_handed_over())
		unlink(path);
}

char *statefile_text(const json_t *object)
{
	/* jansson would write each of its words by a call of its own. */
	char *text = json_dumps(object, JSON_INDENT(1));

	return text ? text : xstrdup("");
}

static int write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	if (left == 0)
		return -EIO; /* the object could not be encoded */
	while (left > 0) {
		ssize_t n = write(fd, text, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		text += n;
		left -= (size_t)n;
	}
	return 0;
}

int statefile_write_text(const char *path, const char *text, bool lasting, struct err *err)
{
	_cleanup_free_ char *temporary = xasprintf("%s.new", path);
	_cleanup_close_ int fd = -1;
	int r;

	if (is_handed_over())
		return 0;
	/* The file may hold a secret: no other user may read it, and it must not follow an old
	 * link. */
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	r = fd < 0 ? -errno : write_all(fd, text);
	/* Otherwise a crash of the host may leave an empty file under the new name. */
	if (r == 0 && lasting && fsync(fd) < 0)
		r = -errno;
	if (r == 0 && close(TAKE_FD(fd)) < 0)
		r = -errno;
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0) {
		unlink(temporary);
		return err_set(err, r, "cannot write %s: %s", path, strerror(-r));
	}
	return 0;
}

static int write_file(const char *path, json_t *object, bool lasting, struct err *err)
{
	_cleanup_free_ char *text = statefile_text(object);

	json_decref(object);
	return statefile_write_text(path, text, lasting, err);
}

int statefile_write(const char *path, json_t *object, struct err *err)
{
	return write_file(path, object, true, err);
}

int statefile_write_passing(const char *path, json_t *object, struct err *err)
{
	return write_file(path, object, false, err);
}

void statefile_set_aside(const char *path, const struct err *why)
{
	_cleanup_free_ char *bad = xasprintf("%s.bad", path);

	log_warning("%s: moved to %s", why->text, bad);
	rename(path, bad);
}

int statefile_load(const char *path, json_t **ret, struct err *err)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	json_error_t error;
	json_t *object;

	if (!file && errno == ENOENT)
		return 0;
	if (!file)
		return err_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	object = json_loadf(file, 0, &error);
	if (json_is_object(object)) {
		*ret = object;
		return 1;
	}
	json_decref(object);
	if (ferror(file)) /* the content may be good, and readable next time */
		return err_set(err, -EIO, "cannot read %s", path);
	err_set(err, -EBADMSG, "%s is damaged (%s)", path,
		error.text[0] ? error.text : "no object");
	statefile_set_aside(path, err);
	return 0;
}

json_t *statefile_read(const char *path)
{
	struct err err = ERR_INIT;
	json_t *object = NULL;

	if (statefile_load(path, &object, &err) < 0)
		log_error("%s", err.text);
	return object;
}
