/* stateclean.c: removes the state of clusters inside Slurm jobs that have ended long ago.
 *
 * It runs in the process of logclean.c. */
#include "daemon/io/stateclean.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/batch_job.h"
#include "common/cleanup.h"
#include "common/holder.h"
#include "common/strv.h"
#include "common/trust.h"

#define LOCK "lock"
#define TLS  "tls" /* holds a directory for each certificate, with one of Python's in it */
#define DEEP 3

/* "job-4711", or "job-4711@SLURM" */
static bool is_of_job(const char *name)
{
	size_t length = strlen(BATCH_JOB_PREFIX), digits;

	if (strncmp(name, BATCH_JOB_PREFIX, length) != 0)
		return false;
	digits = strspn(name + length, "0123456789_");
	name += length + digits;
	return digits > 0 && (!*name || *name == '@');
}

/* Is it a file that dracod writes into its state directory? */
static bool is_own(const char *name)
{
	static const char *const names[] = {LOCK, "logs", "dracod.log", "dracod.log.1",
		"events.jsonl", "events.jsonl.1", "state.json", "cluster.json",
		"cluster-basis.json", "daemon.json", "connect.json", "nodes.json",
		"pauses.json", "slurm.json"};
	size_t length = strcspn(name, "."), rest;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	/* NAME.json.new, NAME.json.bad */
	rest = strlen(name + length);
	return rest == strlen(".json.new") &&
		(strcmp(name + length, ".json.new") == 0 ||
			strcmp(name + length, ".json.bad") == 0);
}

/* The names in the directory. false: it cannot be read. */
static bool list(const char *path, struct strv *ret)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;

	if (!directory)
		return false;
	while ((entry = readdir(directory)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strv_add(ret, entry->d_name);
	closedir(directory);
	return true;
}

/* Is it a directory of this user on this file system, with nothing but draco's own files, the last
 * of which was written before that time? depth: 0 for a state directory. */
static bool is_old(const char *path, int depth, dev_t device, time_t before)
{
	struct strv names = STRV_INIT;
	struct stat st;
	bool old = lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
		st.st_dev == device && st.st_mtime < before && list(path, &names);

	for (size_t i = 0; old && i < names.count; i++) {
		_cleanup_free_ char *file = xasprintf("%s/%s", path, names.item[i]);

		if (lstat(file, &st) < 0)
			old = false;
		else if (S_ISDIR(st.st_mode))
			old = depth < DEEP && (depth > 0 || strcmp(names.item[i], TLS) == 0) &&
				is_old(file, depth + 1, device, before);
		else
			old = (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode)) &&
				st.st_mtime < before && (depth > 0 || is_own(names.item[i]));
	}
	strv_finish(&names);
	return old;
}

static bool is_in_use(const char *path)
{
	_cleanup_free_ char *lock = xasprintf("%s/" LOCK, path);
	_cleanup_free_ char *file = xasprintf("%s/daemon.json", path);
	_cleanup_json_ json_t *daemon = NULL;
	struct holder holder;

	if (trust_load(file, &daemon, NULL) < 0 && access(file, F_OK) == 0)
		return true; /* it cannot be read */
	holder_look(lock, daemon, &holder);
	return holder.state == HOLDER_ALIVE || holder.state == HOLDER_UNKNOWN;
}

/* The lock goes last: after an interrupted removal the same rules apply to the rest. */
static bool remove_all(const char *path)
{
	_cleanup_free_ char *lock = xasprintf("%s/" LOCK, path);
	struct strv names = STRV_INIT;

	list(path, &names);
	for (size_t i = 0; i < names.count; i++) {
		_cleanup_free_ char *file = xasprintf("%s/%s", path, names.item[i]);
		struct stat st;

		if (lstat(file, &st) == 0 && S_ISDIR(st.st_mode))
			remove_all(file);
		else if (strcmp(names.item[i], LOCK) != 0)
			unlink(file);
	}
	strv_finish(&names);
	unlink(lock);
	return rmdir(path) == 0;
}

int64_t stateclean(const char *root, time_t now, int64_t retention_s)
{
	struct strv names = STRV_INIT;
	int64_t removed = 0;
	struct stat st;

	if (stat(root, &st) < 0 || st.st_uid != geteuid() || !list(root, &names))
		return 0;
	for (size_t i = 0; i < names.count; i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", root, names.item[i]);

		if (is_of_job(names.item[i]) && is_old(path, 0, st.st_dev, now - retention_s) &&
			!is_in_use(path))
			removed += remove_all(path);
	}
	strv_finish(&names);
	return removed;
}
