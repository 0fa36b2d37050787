/* trust.c: checks that a directory, a socket or a file is this user's own. */
#include "common/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/home.h"
#include "common/sock.h"
#include "common/visible.h"

#define LINKS_MAX 40 /* as many as Linux follows */
/* user_namespaces(7): the number of an owner without a number here. */
#define OVERFLOW_UID 65534

/* The state of a walk down a path. */
struct walk {
	int fd;	    /* the present directory */
	char *done; /* its path, for a person */
	char *rest; /* the rest of the path */
	int links;
};

static void walk_finish(struct walk *walk)
{
	if (walk->fd >= 0)
		close(walk->fd);
	free(walk->done);
	free(walk->rest);
}

/* In an ordinary user's container root may have no number, and files of root show no owner. */
static bool root_has_no_number(void)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/self/uid_map", "re");
	unsigned long inside, outside, count;

	return file && fscanf(file, "%lu %lu %lu", &inside, &outside, &count) == 3 &&
		!(inside == 0 && count == UINT_MAX);
}

static bool is_trusted(uid_t uid)
{
	return uid == 0 || uid == geteuid() || (uid == OVERFLOW_UID && root_has_no_number());
}

static int foreign(const char *path, const struct stat *st, struct err *err)
{
	return err_set(
		err, -EPERM, "%s belongs to another user (uid %u)", path, (unsigned)st->st_uid);
}

/* Is path the home directory, or above it? The site decides who owns those directories, as for
 * sshd: a project's home may belong to its leader. Links are followed, because path has none. */
static bool leads_home(const char *path)
{
	_cleanup_free_ char *named = home_expand("~");
	_cleanup_free_ char *home = realpath(named, NULL);
	size_t length = strlen(path);

	return home && strncmp(home, path, length) == 0 &&
		(home[length] == '/' || home[length] == '\0');
}

/* Check a directory above the last one. */
static int check_passage(const char *path, const struct stat *st, struct err *err)
{
	if (!is_trusted(st->st_uid) && !leads_home(path))
		return foreign(path, st, err);
	if ((st->st_mode & S_IWOTH) && !(st->st_mode & S_ISVTX))
		return err_set(err, -EPERM,
			"every user can write to %s (mode %04o), which is not sticky as /tmp is",
			path, st->st_mode & 07777);
	return 0;
}

static int check_private(const char *path, const struct stat *st, struct err *err)
{
	if (st->st_uid != geteuid())
		return foreign(path, st, err);
	if (st->st_mode & 077)
		return err_set(err, -EPERM,
			"%s is open to other users (mode %04o): chmod 700 %s", path,
			st->st_mode & 07777, path);
	return 0;
}

/* Take the next part off the rest of the path; NULL: the end. */
static char *take_part(struct walk *walk)
{
	char *begin = walk->rest + strspn(walk->rest, "/");
	size_t length = strcspn(begin, "/");
	char *part;

	if (!length)
		return NULL;
	part = xstrndup(begin, length);
	begin += length + strspn(begin + length, "/");
	memmove(walk->rest, begin, strlen(begin) + 1);
	return part;
}

static int open_root(struct walk *walk, struct err *err)
{
	struct stat st;

	if (walk->fd >= 0)
		close(walk->fd);
	xreplace(&walk->done, "");
	walk->fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (walk->fd < 0 || fstat(walk->fd, &st) < 0)
		return err_set(err, -errno, "cannot look at /: %s", strerror(errno));
	return check_passage("/", &st, err);
}

/* Go on with the target of the link at fd. */
static int follow(
	struct walk *walk, const char *path, int fd, const struct stat *st, struct err *err)
{
	_cleanup_free_ char *rest = NULL;
	char target[PATH_MAX];
	ssize_t n;

	if (!is_trusted(st->st_uid))
		return err_set(err, -EPERM,
			"%s is a link that belongs to another user (uid %u)", path,
			(unsigned)st->st_uid);
	n = ++walk->links > LINKS_MAX ? -1 : readlinkat(fd, "", target, sizeof(target) - 1);
	if (n < 0)
		return err_set(err, -ELOOP, "cannot follow the link %s", path);
	target[n] = '\0';
	rest = xasprintf("%s/%s", target, walk->rest);
	xreplace(&walk->rest, rest);
	return target[0] == '/' ? open_root(walk, err) : 0;
}

/* Open it as a directory first, which makes an automounter mount it. */
static int open_part(int directory, const char *part)
{
	int fd = openat(directory, part, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOTDIR)
		fd = openat(directory, part, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd;
}

static int enter(struct walk *walk, const char *part, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", walk->done, part);
	_cleanup_close_ int fd = open_part(walk->fd, part);
	struct stat st;
	int r;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return -ENOENT;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, -errno, "cannot look at %s: %s", path, strerror(errno));
	if (S_ISLNK(st.st_mode) && *walk->rest)
		return follow(walk, path, fd, &st, err);
	if (!S_ISDIR(st.st_mode) && *walk->rest)
		return -ENOENT;
	if (!S_ISDIR(st.st_mode))
		return err_set(err, -ENOTDIR, "%s is %s", path,
			S_ISLNK(st.st_mode) ? "a link, not a directory" : "not a directory");
	r = *walk->rest ? check_passage(path, &st, err) : check_private(path, &st, err);
	if (r < 0)
		return r;
	close(walk->fd);
	walk->fd = TAKE_FD(fd);
	free(walk->done);
	walk->done = TAKE_PTR(path);
	return 0;
}

/* Open a private directory. Returns its descriptor (O_PATH), or -errno with err. */
static int open_private(const char *path, struct err *err)
{
	struct walk walk = {.fd = -1, .rest = xstrdup(path)};
	char *part;
	int r;

	if (path[0] != '/')
		r = err_set(err, -EINVAL, "\"%s\" is not an absolute path", path);
	else
		r = open_root(&walk, err);
	while (r == 0 && (part = take_part(&walk))) {
		r = enter(&walk, part, err);
		free(part);
	}
	if (r == 0 && !*walk.done)
		r = err_set(err, -EPERM, "/ is open to other users");
	if (r == 0)
		r = TAKE_FD(walk.fd);
	walk_finish(&walk);
	return r;
}

int trust_directory(const char *path, struct err *err)
{
	_cleanup_close_ int fd = open_private(path, err);

	return fd < 0 ? fd : 0;
}

/* Open the parent directory of path. *ret_name is the last part, within path. */
static int open_parent(const char *path, const char **ret_name, struct err *err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *directory =
		xstrndup(path, slash && slash > path ? (size_t)(slash - path) : 1);

	*ret_name = slash ? slash + 1 : path;
	return open_private(directory, err);
}

int trust_socket(const char *path, struct err *err)
{
	const char *name;
	_cleanup_close_ int directory = open_parent(path, &name, err);
	struct stat st;

	if (directory < 0)
		return directory;
	if (fstatat(directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT
			? -ENOENT
			: err_set(err, -errno, "cannot look at %s: %s", path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, -ENOTSOCK, "%s is not a socket", path);
	return st.st_uid == geteuid() ? 0 : foreign(path, &st, err);
}

int trust_connect(const char *path, struct err *err)
{
	_cleanup_close_ int fd = -1;
	uid_t uid = 0;
	pid_t pid = 0;
	int r = trust_socket(path, err);

	if (r < 0)
		return r;
	fd = sock_connect(path, err);
	if (fd == -ENOENT || fd == -ECONNREFUSED || fd == -ENOTDIR)
		return -ENOENT;
	if (fd < 0)
		return fd;
	r = sock_peer(fd, &uid, &pid);
	if (r < 0)
		return err_set(
			err, -EPERM, "cannot tell who serves %s: %s", path, strerror(-r));
	if (uid != geteuid())
		return err_set(err, -EPERM, "%s is served by another user (uid %u, process %d)",
			path, (unsigned)uid, (int)pid);
	return TAKE_FD(fd);
}

/* Open a file of this user for reading. Returns the descriptor, or -errno with err. */
static int open_file(const char *path, struct stat *ret_st, struct err *err)
{
	const char *name;
	_cleanup_close_ int directory = open_parent(path, &name, err);
	_cleanup_close_ int fd = -1;

	if (directory < 0)
		return directory;
	fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 && errno == ELOOP)
		return err_set(err, -EPERM, "%s is a link, not a file", path);
	if (fd < 0 || fstat(fd, ret_st) < 0)
		return err_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	if (!S_ISREG(ret_st->st_mode))
		return err_set(err, -EPERM, "%s is not a regular file", path);
	if (ret_st->st_uid != geteuid())
		return foreign(path, ret_st, err);
	if (ret_st->st_mode & (S_IWGRP | S_IWOTH))
		return err_set(err, -EPERM,
			"other users can write %s (mode %04o): chmod 600 %s", path,
			ret_st->st_mode & 07777, path);
	return TAKE_FD(fd);
}

int trust_file(const char *path, struct err *err)
{
	struct stat st;
	_cleanup_close_ int fd = open_file(path, &st, err);

	return fd < 0 ? fd : 0;
}

int trust_load(const char *path, json_t **ret, struct err *err)
{
	_cleanup_free_ char *text = xcalloc(TRUST_FILE_MAX + 1, 1);
	_cleanup_json_ json_t *object = NULL;
	struct stat st;
	_cleanup_close_ int fd = open_file(path, &st, err);
	char why[2 * sizeof(((json_error_t *)NULL)->text)];
	json_error_t error;
	size_t used = 0;
	ssize_t n = 0;

	if (fd < 0)
		return fd;
	while (used <= TRUST_FILE_MAX &&
		(n = read(fd, text + used, TRUST_FILE_MAX + 1 - used)) > 0)
		used += (size_t)n;
	if (n < 0)
		return err_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	if (used > TRUST_FILE_MAX)
		return err_set(err, -EBADMSG,
			"%s is not as dracod writes it: larger than %d KiB", path,
			TRUST_FILE_MAX / 1024);
	object = json_loadb(text, used, JSON_REJECT_DUPLICATES, &error);
	if (!object) {
		/* The text of jansson quotes the file. */
		visible_copy(why, sizeof(why), error.text, "");
		return err_set(err, -EBADMSG, "%s is not as dracod writes it: line %d: %s",
			path, error.line, why);
	}
	if (!json_is_object(object))
		return err_set(err, -EBADMSG, "%s is not as dracod writes it: no object", path);
	*ret = json_incref(object);
	return 0;
}
