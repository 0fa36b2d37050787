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

static bool handed_over;

void statefile_hand_over(void)
{
	handed_over = true;
}

void statefile_remove(const char *path)
{
	if (!handed_over)
		unlink(path);
}

int statefile_write(const char *path, json_t *object, struct err *err)
{
	_cleanup_free_ char *temporary = xasprintf("%s.new", path);
	_cleanup_close_ int fd = -1;
	int r = 0;

	if (handed_over) {
		json_decref(object);
		return 0;
	}
	/* The file may hold a secret: no other user may read it, and it must not follow an old
	 * link. */
	unlink(temporary);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		r = -errno;
	else if (json_dumpfd(object, fd, JSON_INDENT(1)) < 0)
		r = errno ? -errno : -EIO;
	/* Otherwise a crash of the host may leave an empty file under the new name. */
	else if (fsync(fd) < 0)
		r = -errno;
	json_decref(object);
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

json_t *statefile_read(const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	_cleanup_free_ char *bad = xasprintf("%s.bad", path);
	json_error_t error;
	json_t *object;

	if (!file) {
		if (errno != ENOENT)
			log_error("cannot read %s: %s", path, strerror(errno));
		return NULL;
	}
	object = json_loadf(file, 0, &error);
	if (json_is_object(object))
		return object;
	json_decref(object);
	if (ferror(file)) { /* the content may be good, and readable next time */
		log_error("cannot read %s", path);
		return NULL;
	}
	log_warning("%s is not as dracod writes it (%s): moved to %s", path,
		error.text[0] ? error.text : "no object", bad);
	rename(path, bad);
	return NULL;
}
