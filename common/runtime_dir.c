/* runtime_dir.c: chooses the directory of dracod's sockets. */
#include "common/runtime_dir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/sock.h"
#include "common/strv.h"
#include "common/trust.h"

#define LONGEST_SOCKET "control.sock"
#define RANDOM_SUFFIX  "-XXXXXX" /* for mkdtemp(3) */

static int check_own(const char *path, struct err *err)
{
	int r = trust_directory(path, err);

	if (r == -ENOENT)
		return err_set(err, r, "%s is not there", path);
	if (r == 0 && access(path, W_OK | X_OK) < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	return r;
}

static int make_own(const char *path, struct err *err)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	return check_own(path, err);
}

static int check_length(const char *base, const char *name, struct err *err)
{
	size_t limit = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
	size_t length = strlen(base) + strlen(name) + strlen("//" LONGEST_SOCKET);

	if (length > limit)
		return err_set(err, -ENAMETOOLONG,
			"%s/%s/" LONGEST_SOCKET
			" has %zu characters, and a socket may have %zu",
			base, name, length, limit);
	return 0;
}

int runtime_dir_make(const char *base, const char *name, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", base, name);
	int r = check_length(base, name, err);

	if (r == 0)
		r = make_own(base, err);
	return r < 0 ? r : make_own(path, err);
}

/* Can another user rename or remove entries of this directory for temporary files? */
static int check_temporary(const char *path, struct err *err)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return err_set(err, -ENOTDIR, "%s is not a directory", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return err_set(err, -EPERM, "%s belongs to another user (uid %u)", path,
			(unsigned)st.st_uid);
	if ((st.st_mode & 022) && !(st.st_mode & S_ISVTX))
		return err_set(err, -EPERM,
			"%s is open to other users (mode %04o, without the sticky bit)", path,
			(unsigned)st.st_mode & 07777);
	return 0;
}

/* An absolute path without slashes at its end; NULL: it is not absolute. The caller frees. */
static char *absolute(const char *path)
{
	char *copy;

	if (!path || path[0] != '/')
		return NULL;
	copy = xstrdup(path);
	for (size_t length = strlen(copy); length > 1 && copy[length - 1] == '/';)
		copy[--length] = '\0';
	return copy;
}

struct search {
	const char *name, *former;
	struct strv reasons;
	struct runtime_dir *found;
};

/* Make the directory for the name, unless a dracod of the same name serves there: one with another
 * home may. */
static int make_unserved(const char *base, const char *name, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/%s/" LONGEST_SOCKET, base, name);
	int r = runtime_dir_make(base, name, err);

	if (r == 0 && sock_is_served(path))
		return err_set(err, -EADDRINUSE, "%s is served by another dracod", path);
	return r;
}

static bool take(struct search *search, const char *base, bool private)
{
	*search->found = (struct runtime_dir){
		.base = xstrdup(base),
		.private = private,
		.why = strv_join(&search->reasons, ", "),
	};
	return true;
}

static bool pass(struct search *search, const struct err *err)
{
	strv_add(&search->reasons, err->text);
	return false;
}

static bool try_runtime(struct search *search)
{
	const char *variable = getenv("XDG_RUNTIME_DIR");
	_cleanup_free_ char *directory = absolute(variable);
	_cleanup_free_ char *base = directory ? xasprintf("%s/draco", directory) : NULL;
	struct err err = ERR_INIT;

	if (!directory) {
		strv_addf(&search->reasons, "XDG_RUNTIME_DIR is %s",
			variable && *variable ? "not an absolute path" : "not set");
		return false;
	}
	if (check_own(directory, &err) < 0 || make_unserved(base, search->name, &err) < 0) {
		err_prefix(&err, "XDG_RUNTIME_DIR");
		return pass(search, &err);
	}
	return take(search, base, false);
}

/* The unguessable directory of an earlier dracod, PREFIX-XXXXXX/NAME/SOCKET; NULL: it had none. The
 * caller frees. */
static char *former_base(const struct search *search, const char *prefix)
{
	_cleanup_free_ char *base = absolute(search->former);
	size_t length = strlen(prefix);

	for (int i = 0; base && i < 2; i++) /* at least "" remains, which matches no prefix */
		base[strrchr(base, '/') ? (size_t)(strrchr(base, '/') - base) : 0] = '\0';
	if (!base || strncmp(base, prefix, length) != 0 || strchr(base + length, '/') ||
		strlen(base + length) != strlen(RANDOM_SUFFIX) || base[length] != '-')
		return NULL;
	return TAKE_PTR(base);
}

static bool try_private(struct search *search, const char *prefix)
{
	_cleanup_free_ char *former = former_base(search, prefix);
	_cleanup_free_ char *base = xasprintf("%s" RANDOM_SUFFIX, prefix);
	struct err err = ERR_INIT;

	if (former && make_unserved(former, search->name, &err) == 0)
		return take(search, former, true);
	if (check_length(base, search->name, &err) < 0)
		return pass(search, &err);
	if (!mkdtemp(base)) {
		err_set(&err, -errno, "%s: %s", base, strerror(errno));
		return pass(search, &err);
	}
	if (runtime_dir_make(base, search->name, &err) < 0) {
		rmdir(base);
		return pass(search, &err);
	}
	return take(search, base, true);
}

static bool try_temporary(struct search *search, const char *directory)
{
	_cleanup_free_ char *base = xasprintf("%s/draco-%u",
		strcmp(directory, "/") == 0 ? "" : directory, (unsigned)geteuid());
	struct err err = ERR_INIT;

	if (make_unserved(base, search->name, &err) == 0)
		return take(search, base, false);
	pass(search, &err);
	return try_private(search, base);
}

int runtime_dir_choose(
	const char *name, const char *former, struct runtime_dir *ret, struct err *err)
{
	_cleanup_free_ char *temporary = absolute(getenv("TMPDIR"));
	struct search search = {.name = name, .former = former, .found = ret};
	bool other = temporary && strcmp(temporary, "/tmp") != 0;
	struct err why = ERR_INIT;
	bool found = try_runtime(&search);

	if (!found && other && check_temporary(temporary, &why) < 0) {
		err_prefix(&why, "TMPDIR");
		pass(&search, &why);
		other = false;
	}
	found = found || (other && try_temporary(&search, temporary));
	found = found || try_temporary(&search, "/tmp");
	if (!found) {
		_cleanup_free_ char *reasons = strv_join(&search.reasons, "; ");

		err_set(err, -EACCES, "no directory can hold dracod's sockets: %s", reasons);
	}
	strv_finish(&search.reasons);
	return found ? 0 : -EACCES;
}

void runtime_dir_finish(struct runtime_dir *directory)
{
	free(directory->base);
	free(directory->why);
	*directory = (struct runtime_dir){0};
}

void runtime_dir_remove(const struct runtime_dir *directory, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", directory->base, name);

	rmdir(path);
	if (directory->private)
		rmdir(directory->base);
}
