/* logclean.c: removes old log directories of earlier starts. */
#include "daemon/logclean.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "common/host.h"
#include "common/json.h"
#include "common/logdir.h"
#include "common/strv.h"
#include "daemon/io/stateclean.h"

/* If locks tell nothing, a dracod of another host counts as dead after so long without a touch of
 * its lock. */
#define ALIVE_S (8 * LOGCLEAN_TOUCH_S)

static inline void closedirp(DIR **directory)
{
	if (*directory)
		closedir(*directory);
}

/* A directory that may be removed. */
struct candidate {
	int base; /* descriptor */
	const char *name;
	int fd;
	time_t newest; /* the last modification of anything in it */
	bool foreign;  /* it holds a file that is not draco's */
	struct strv names;
};

static void problem(struct logclean *ret, const char *name, const char *what)
{
	ret->failed++;
	if (!*ret->problem)
		snprintf(ret->problem, sizeof(ret->problem), "%s: %s", name, what);
}

/* List the names in a directory before any of it is removed. 0 or -errno. */
static int list(int fd, struct strv *ret)
{
	_cleanup_(closedirp) DIR *directory = NULL;
	_cleanup_close_ int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;

	directory = own < 0 ? NULL : fdopendir(own);
	if (!directory)
		return -errno;
	own = -1; /* the directory stream owns it now */
	while ((entry = readdir(directory)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strv_add(ret, entry->d_name);
	return 0;
}

static bool inspect(struct candidate *candidate, dev_t device)
{
	const struct strv *names = &candidate->names;
	struct stat st;

	if (fstat(candidate->fd, &st) < 0 || st.st_uid != geteuid() || st.st_dev != device)
		return false;
	candidate->newest = st.st_mtime;
	if (list(candidate->fd, &candidate->names) < 0)
		return false;
	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->item[i];

		if (fstatat(candidate->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!S_ISREG(st.st_mode) || st.st_uid != geteuid() || !logdir_is_own(name))
			candidate->foreign = true;
		else if (st.st_mtime > candidate->newest)
			candidate->newest = st.st_mtime;
	}
	return true;
}

/* May the holder that the lock names still live? Needed on file systems whose locks do not work, or
 * are invisible to other hosts. */
static bool holder_may_live(int fd, time_t now)
{
	_cleanup_json_ json_t *holder = NULL;
	struct host here;
	struct stat st;
	char text[1024];
	ssize_t n = pread(fd, text, sizeof(text), 0);

	if (n <= 0 || fstat(fd, &st) < 0)
		return false;
	holder = json_loadb(text, (size_t)n, 0, NULL);
	host_get(&here);
	if (strcmp(json_get_text(holder, "host", here.name), here.name) != 0)
		return now - st.st_mtime < ALIVE_S;
	return host_runs_process(&here, json_get_text(holder, "boot", ""),
		(int)json_get_integer(holder, "pid", 0));
}

/* Lock the directory. Returns the descriptor of the lock. -ENOENT: there is no lock file. -EBUSY:
 * the directory is in use. */
static int take_lock(const struct candidate *candidate, time_t now)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	_cleanup_close_ int fd = -1;

	fd = openat(candidate->fd, LOGDIR_LOCK, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? -ENOENT : -EBUSY;
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0 && (errno == EAGAIN || errno == EACCES))
		return -EBUSY;
	return holder_may_live(fd, now) ? -EBUSY : TAKE_FD(fd);
}

static void remove_all(const struct candidate *candidate, struct logclean *ret)
{
	struct stat st;

	for (size_t i = 0; i < candidate->names.count; i++) {
		const char *name = candidate->names.item[i];

		/* Remove the lock file last. After an interrupted removal the same rules apply to
		 * the rest. */
		if (strcmp(name, LOGDIR_LOCK) == 0 ||
			fstatat(candidate->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			!S_ISREG(st.st_mode) || unlinkat(candidate->fd, name, 0) < 0)
			continue;
		ret->files++;
		ret->bytes += st.st_size;
	}
	unlinkat(candidate->fd, LOGDIR_LOCK, 0);
	if (unlinkat(candidate->base, candidate->name, AT_REMOVEDIR) == 0)
		ret->directories++;
	else
		problem(ret, candidate->name, strerror(errno));
}

static void judge(struct candidate *candidate, dev_t device, time_t now, int64_t retention_s,
	struct logclean *ret)
{
	_cleanup_close_ int lock = -1;

	if (!inspect(candidate, device) || candidate->newest > now - retention_s)
		return;
	if (candidate->foreign) {
		ret->foreign++;
		return;
	}
	lock = take_lock(candidate, now);
	if (lock == -EBUSY)
		ret->in_use++;
	else
		remove_all(candidate, ret);
}

static void consider(int base, const char *name, dev_t device, time_t now, int64_t retention_s,
	struct logclean *ret)
{
	struct candidate candidate = {.base = base, .name = name};

	candidate.fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (candidate.fd < 0) {
		if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP)
			problem(ret, name, strerror(errno));
		return;
	}
	judge(&candidate, device, now, retention_s, ret);
	strv_finish(&candidate.names);
	close(candidate.fd);
}

int logclean(const char *base, time_t now, int64_t retention_s, struct logclean *ret,
	struct err *err)
{
	_cleanup_close_ int fd = -1;
	struct strv names = STRV_INIT;
	struct stat st;
	int r;

	*ret = (struct logclean){0};
	fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, -errno, "cannot open %s: %s", base, strerror(errno));
	if (st.st_uid != geteuid())
		return err_set(err, -EPERM, "%s belongs to another user (uid %u)", base,
			(unsigned)st.st_uid);
	r = list(fd, &names);
	if (r < 0)
		return err_set(err, r, "cannot read %s: %s", base, strerror(-r));
	for (size_t i = 0; i < names.count; i++)
		if (logdir_is_stamp(names.item[i]))
			consider(fd, names.item[i], st.st_dev, now, retention_s, ret);
	strv_finish(&names);
	return 0;
}

int logclean_main(const char *base, const char *state, int64_t retention_s)
{
	_cleanup_json_ json_t *report = NULL;
	struct err err = ERR_INIT;
	struct logclean done;

	setpriority(PRIO_PROCESS, 0, 10);
	if (logclean(base, time(NULL), retention_s, &done, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	if (state)
		done.clusters = stateclean(state, time(NULL), retention_s);
	report = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "clusters",
		(json_int_t)done.clusters, "directories", (json_int_t)done.directories, "files",
		(json_int_t)done.files, "bytes", (json_int_t)done.bytes, "in_use",
		(json_int_t)done.in_use, "foreign", (json_int_t)done.foreign, "failed",
		(json_int_t)done.failed, "problem", json_text(done.problem));
	json_dumpf(report, stdout, JSON_COMPACT);
	putchar('\n');
	return 0;
}

int logclean_read(const char *text, struct logclean *ret)
{
	_cleanup_json_ json_t *report = json_loads(text, 0, NULL);

	if (!json_is_object(report) || !json_is_integer(json_object_get(report, "directories")))
		return -EPROTO;
	*ret = (struct logclean){
		.clusters = json_get_integer(report, "clusters", 0),
		.directories = json_get_integer(report, "directories", 0),
		.files = json_get_integer(report, "files", 0),
		.bytes = json_get_integer(report, "bytes", 0),
		.in_use = json_get_integer(report, "in_use", 0),
		.foreign = json_get_integer(report, "foreign", 0),
		.failed = json_get_integer(report, "failed", 0),
	};
	snprintf(
		ret->problem, sizeof(ret->problem), "%s", json_get_text(report, "problem", ""));
	return 0;
}
