/* doctor_files.c: checks of dracoctl doctor: the settings, and the directories that dracod
 * writes to. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "client/caller.h"
#include "client/ctl.h"
#include "client/doctor.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/expand.h"
#include "common/holder.h"
#include "common/home.h"
#include "common/json.h"
#include "common/lock_scope.h"
#include "common/parse.h"
#include "common/rendezvous.h"
#include "common/runtime_dir.h"

#define MIB		(1024 * 1024)
#define WRITTEN		65536
#define FREE_FAILED_MIB 20
#define FREE_WARN_MIB	1024

void check_settings(const struct doctor *doctor, struct report *report)
{
	struct settings_report found;
	struct settings settings;
	int r = caller_resolve(doctor->ctl, &settings, &found);

	report_fact(report, "settings", settings_to_json(&settings));
	settings_finish(&settings);
	for (size_t i = 0; i < found.problems.count; i++) {
		const struct problem *problem = &found.problems.items[i];
		_cleanup_free_ char *line = problem_line(problem);

		report_finding(report, problem->warning ? FINDING_WARNING : FINDING_FAILED,
			"settings",
			problem->warning
				? "dracoctl config check says the same"
				: "dracoctl start refuses that, too; the other checks go on",
			"%s", line);
	}
	if (r == 0 && found.problems.count == 0)
		report_finding(report, FINDING_OK, "settings", NULL, "%s%s",
			found.user_exists ? "" : "the defaults, there is no ",
			found.user_file ? found.user_file : "file of yours");
	settings_report_finish(&found);
}

static const char *filesystem_name(const char *path)
{
	static const struct {
		unsigned long magic;
		const char *name;
	} known[] = {
		{0x6969, "NFS"},
		{0x0bd00bd0, "Lustre"},
		{0x47504653, "GPFS"},
		{0x19830326, "BeeGFS"},
		{0x00c36400, "Ceph"},
		{0x517b, "SMB"},
		{0xff534d42, "CIFS"},
		{0x65735546, "FUSE"},
		{0xef53, "ext4"},
		{0x58465342, "XFS"},
		{0x9123683e, "btrfs"},
		{0x2fc12fc1, "ZFS"},
		{0x01021994, "tmpfs"},
		{0x794c7630, "overlay"},
	};
	struct statfs st;

	if (statfs(path, &st) == 0)
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (known[i].magic == ((unsigned long)st.f_type & 0xffffffffUL))
				return known[i].name;
	return "unknown file system";
}

/* Write some bytes and flush them to the disk, because an exceeded quota may show only then. Then
 * try a lock. */
static int try_writing(const char *directory, bool *ret_locks, struct err *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	_cleanup_free_ char *path = xasprintf("%s/.draco-doctor-XXXXXX", directory);
	_cleanup_free_ char *text = xcalloc(WRITTEN, 1);
	_cleanup_close_ int fd = mkostemp(path, O_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return err_set(
			err, -errno, "cannot write to %s: %s", directory, strerror(errno));
	unlink(path);
	if (write(fd, text, WRITTEN) != WRITTEN || fsync(fd) < 0)
		r = err_set(err, -errno, "cannot write %d KiB to %s: %s", WRITTEN / 1024,
			directory, strerror(errno));
	*ret_locks = fcntl(fd, F_OFD_SETLK, &lock) == 0;
	return r;
}

static void report_space(
	struct report *report, const char *name, const char *directory, const char *what)
{
	struct statvfs st;
	uint64_t mib;
	enum finding finding = FINDING_OK;
	char text[FORMAT_MAX];

	if (statvfs(directory, &st) < 0) {
		report_finding(report, FINDING_FAILED, name, NULL, "cannot look at %s: %s",
			directory, strerror(errno));
		return;
	}
	mib = (uint64_t)st.f_bavail * st.f_frsize / MIB;
	if (mib < FREE_FAILED_MIB)
		finding = FINDING_FAILED;
	else if (mib < FREE_WARN_MIB || (st.f_files > 0 && st.f_favail < 1000))
		finding = FINDING_WARNING;
	report_finding(report, finding, name, "make room there, or move it elsewhere",
		"%s: %s, %s free%s", what, filesystem_name(directory),
		doctor_size((int64_t)mib, text),
		st.f_files > 0 && st.f_favail < 1000 ? ", hardly any room for more files" : "");
}

/* The directory of the sockets of a dracod on this host; NULL: none runs here. */
static char *running_socket(const struct paths *paths)
{
	_cleanup_json_ json_t *daemon = NULL;
	const char *socket;
	struct holder holder;

	if (rendezvous_daemon(paths, &daemon, NULL) < 0)
		return NULL;
	socket = json_get_text(daemon, "socket", NULL);
	holder_look(paths->lock_file, daemon, &holder);
	return socket && holder.here && holder.state == HOLDER_ALIVE ? xstrdup(socket) : NULL;
}

/* Make the directory of the sockets as dracod does, and remove it. */
void check_sockets(const struct doctor *doctor, struct report *report)
{
	static const char remedy[] = "see the text; XDG_RUNTIME_DIR, TMPDIR and HOME decide";
	const struct paths *paths = &doctor->ctl->paths;
	const char *error = json_get_text(doctor->facts, "paths_error", NULL);
	_cleanup_free_ char *socket = error ? NULL : running_socket(paths);
	struct runtime_dir directory = {0};
	struct err err = ERR_INIT;
	bool locks;

	if (error) {
		report_finding(report, FINDING_FAILED, "socket path", remedy, "%s", error);
	} else if (socket) {
		report_finding(report, FINDING_OK, "socket path", NULL, "%s", socket);
	} else if (runtime_dir_choose(paths->name, NULL, &directory, &err) < 0) {
		report_finding(report, FINDING_FAILED, "socket path", remedy, "%s", err.text);
	} else {
		bool full = try_writing(directory.base, &locks, &err) < 0;

		report_finding(report, full ? FINDING_WARNING : FINDING_OK, "socket path",
			full ? "make room there" : NULL, "%s/%s/control.sock%s%s%s%s",
			directory.base, paths->name, *directory.why ? ", because " : "",
			directory.why, full ? "; " : "", err.text);
		runtime_dir_remove(&directory, paths->name);
		rmdir(directory.base); /* fails if others use it */
	}
	runtime_dir_finish(&directory);
}

/* The number of missing directories at the end of the path. */
static int count_missing(const char *path)
{
	_cleanup_free_ char *parent = xstrdup(path);

	*strrchr(parent, '/') = '\0';
	return (access(path, F_OK) < 0) + (access(parent, F_OK) < 0);
}

/* Remove count directories from the end of the path. */
static void remove_made(const char *path, int count)
{
	_cleanup_free_ char *part = xstrdup(path);

	for (; count > 0 && rmdir(part) == 0; count--)
		*strrchr(part, '/') = '\0';
}

static void report_locks(struct report *report, const char *directory, bool locks)
{
	static const char remedy[] =
		"set XDG_STATE_HOME to a file system whose locks all hosts see; without, use one "
		"host only, and dracoctl takeover when it is gone for good";
	_cleanup_close_ int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char type[LOCK_SCOPE_TYPE_MAX];
	bool shared = lock_scope_of(fd, type) == LOCK_SCOPE_ALL;

	if (!locks)
		report_finding(report, FINDING_WARNING, "locks", remedy,
			"%s (%s) has no locks: a second dracod on another host would not be "
			"noticed",
			directory, type);
	else if (!shared)
		report_finding(report, FINDING_WARNING, "locks", remedy,
			"%s (%s) has locks that other hosts may not see: whether a dracod lives "
			"cannot be told there",
			directory, type);
	else
		report_finding(report, FINDING_OK, "locks", NULL,
			"%s (%s) has them, and every host sees them", directory, type);
}

/* Make the directory as dracod does, and then remove the directories that were missing. */
void check_state(const struct doctor *doctor, struct report *report)
{
	const struct paths *paths = &doctor->ctl->paths;
	struct err err = ERR_INIT;
	bool locks = true;
	int made;

	if (!paths->name)
		return;
	made = count_missing(paths->state_dir);
	if (paths_make(paths, &err) < 0) {
		report_finding(report, FINDING_FAILED, "directories",
			"dracod needs a directory for its state that is only yours", "%s",
			err.text);
	} else if (try_writing(paths->state_dir, &locks, &err) < 0) {
		report_finding(report, FINDING_FAILED, "directories",
			"make room there (quota -s shows your quota), or set XDG_STATE_HOME to "
			"another place",
			"%s", err.text);
	} else {
		report_finding(report, FINDING_OK, "directories", NULL, "%s", paths->state_dir);
		report_locks(report, paths->state_dir, locks);
		report_space(report, "disk", paths->state_dir, paths->state_dir);
	}
	remove_made(paths->state_dir, made);
}

/* The longest existing beginning of the path. The caller frees. */
static char *existing_part(const char *path)
{
	char *part = xstrdup(path);

	while (access(part, F_OK) < 0 && strrchr(part, '/') > part)
		*strrchr(part, '/') = '\0';
	if (access(part, F_OK) < 0)
		part[1] = '\0';
	return part;
}

static const char *variable(const void *arg, const char *name)
{
	(void)arg;
	return getenv(name);
}

char *doctor_log_base(const struct doctor *doctor, struct err *err)
{
	const char *set = doctor->settings.log_directory;
	_cleanup_free_ char *text = NULL;

	if (expand(set ? set : "~/.draco_logs", variable, NULL, &text, err) < 0)
		return NULL;
	return home_expand(text);
}

void check_logs(const struct doctor *doctor, struct report *report)
{
	struct err err = ERR_INIT;
	_cleanup_free_ char *base = doctor_log_base(doctor, &err);
	_cleanup_free_ char *part = NULL;
	bool locks;

	if (!base) {
		report_finding(report, FINDING_FAILED, "logs",
			"set the variable, or log_directory to another path",
			"log_directory %s", err.text);
		return;
	}
	if (base[0] != '/' || strchr(base, '%') || strchr(base, '\\')) {
		report_finding(report, FINDING_FAILED, "logs",
			"set log_directory to a path that begins with / or ~/, without % and \\",
			"log_directory is %s", base);
		return;
	}
	part = existing_part(base);
	if (try_writing(part, &locks, &err) < 0)
		report_finding(report, FINDING_FAILED, "logs",
			"set log_directory to a directory of yours that the nodes have, too",
			"%s", err.text);
	else
		report_space(report, "logs", part, base);
}
