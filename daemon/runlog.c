/* runlog.c: the log directory of the present start.
 *
 * Several dracods, with other names or on other hosts, may have their directories beside each
 * other. A locked file in each names the dracod that uses it. */
#include "daemon/runlog.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/host.h"
#include "common/json.h"
#include "common/log.h"
#include "common/logdir.h"
#include "common/parse.h"
#include "common/paths.h"
#include "daemon/io/capture.h"
#include "daemon/io/child.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/io/writer.h"
#include "daemon/logclean.h"

#define CLEAN_DEADLINE_MS (10 * 60 * 1000)

/* The file that names the dracod which uses a directory. What touches it is done by a thread. */
struct holding {
	char *path, *text;
	int lock;	  /* -1: none */
	int error;	  /* an errno; 0: none */
	bool is_touching; /* the loop's */
};

struct runlog {
	struct loop *loop;
	struct children *children;
	const struct paths *paths;
	struct holding *holding; /* NULL: none */
	struct loop_timer *touch;
	struct capture *cleaning; /* NULL: none under way */
	char *retention;	  /* the retention of the cleaning, for a person */
};

static void do_release(void *arg)
{
	struct holding *holding = arg;

	if (holding->lock < 0)
		return;
	unlink(holding->path);
	close(TAKE_FD(holding->lock));
}

static void on_released(void *arg)
{
	struct holding *holding = arg;

	free(holding->path);
	free(holding->text);
	free(holding);
}

static void release(struct runlog *runlog)
{
	loop_timer_stop(runlog->touch);
	if (runlog->holding)
		writer_run(WRITER_LOGS, do_release, on_released, TAKE_PTR(runlog->holding));
}

static void do_touch(void *arg)
{
	struct holding *holding = arg;

	if (holding->lock >= 0)
		futimens(holding->lock, NULL);
}

static void on_touched(void *arg)
{
	struct holding *holding = arg;

	holding->is_touching = false;
}

static void on_touch(void *arg)
{
	struct runlog *runlog = arg;

	loop_timer_start(runlog->touch, (int64_t)LOGCLEAN_TOUCH_S * 1000);
	if (!runlog->holding || runlog->holding->is_touching)
		return;
	runlog->holding->is_touching = true;
	writer_run(WRITER_LOGS, do_touch, on_touched, runlog->holding);
}

static void do_take(void *arg)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct holding *holding = arg;

	/* The file may exist already, if this dracod took the directory over from one that
	 * crashed. */
	holding->lock = open(holding->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (holding->lock < 0 || ftruncate(holding->lock, 0) < 0) {
		holding->error = errno;
		return;
	}
	/* If locks do not work, the content and the time of the file must do. */
	fcntl(holding->lock, F_OFD_SETLK, &lock);
	if (write(holding->lock, holding->text, strlen(holding->text)) < 0)
		holding->error = errno;
}

static void on_taken(void *arg)
{
	const struct holding *holding = arg;

	if (holding->error)
		log_warning("cannot make %s: %s", holding->path, strerror(holding->error));
}

static void take(struct runlog *runlog, const char *directory)
{
	struct holding *holding = xcalloc(1, sizeof(*holding));
	_cleanup_json_ json_t *holder = NULL;
	struct host here;

	host_get(&here);
	holder = json_pack("{s:s, s:s, s:i, s:s}", "host", here.name, "boot", here.boot, "pid",
		(int)getpid(), "name", runlog->paths->name);
	holding->path = xasprintf("%s/" LOGDIR_LOCK, directory);
	holding->text = json_dumps(holder, JSON_COMPACT);
	holding->lock = -1;
	runlog->holding = holding;
	writer_run(WRITER_LOGS, do_take, on_taken, holding);
	loop_timer_start(runlog->touch, (int64_t)LOGCLEAN_TOUCH_S * 1000);
}

/* The link STATE/logs. */
struct link {
	char *path, *to;
	int error; /* an errno; 0: none */
};

/* Replace it in one step, so that it always exists. */
static void do_link(void *arg)
{
	struct link *link = arg;
	_cleanup_free_ char *temporary = xasprintf("%s.new", link->path);

	unlink(temporary);
	if (symlink(link->to, temporary) < 0 || rename(temporary, link->path) < 0)
		link->error = errno;
}

static void on_linked(void *arg)
{
	struct link *link = arg;

	if (link->error)
		log_warning("cannot make the link %s: %s", link->path, strerror(link->error));
	free(link->path);
	free(link->to);
	free(link);
}

static void make_link(const struct runlog *runlog, const char *directory)
{
	struct link *link = xcalloc(1, sizeof(*link));

	link->path = xstrdup(runlog->paths->logs_link);
	link->to = xstrdup(directory);
	writer_run(WRITER_STATE, do_link, on_linked, link);
}

static void on_cleaned(void *arg, int status, int timed_out, const char *text)
{
	struct runlog *runlog = arg;
	struct logclean done;

	runlog->cleaning = NULL;
	if (timed_out) {
		log_warning("logs: removing old logs took too long; the next start continues");
	} else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 ||
		logclean_read(text, &done) < 0) {
		log_warning("logs: old logs are not removed: %.*s", (int)strcspn(text, "\n"),
			*text ? text : "dracod --clean-logs does not run");
	} else {
		if (done.clusters > 0)
			history_note(EVENT_DECISION, "logs", NULL,
				"removed the state of %" PRId64
				" cluster%s inside Slurm jobs, older than %s",
				done.clusters, done.clusters == 1 ? "" : "s",
				runlog->retention);
		if (done.directories > 0)
			history_note(EVENT_DECISION, "logs", NULL,
				"removed %" PRId64 " director%s of starts older than %s: "
				"%" PRId64 " files, %" PRId64 " KiB",
				done.directories, done.directories == 1 ? "y" : "ies",
				runlog->retention, done.files, done.bytes / 1024);
		if (done.failed > 0)
			log_warning("logs: %" PRId64 " could not be removed: %s", done.failed,
				done.problem);
	}
}

static void clean(struct runlog *runlog, const char *directory, int64_t retention_ms)
{
	_cleanup_free_ char *base = xstrdup(directory);
	_cleanup_free_ char *state = xstrdup(runlog->paths->state_dir);
	_cleanup_free_ char *seconds = xasprintf("%" PRId64, (retention_ms + 999) / 1000);
	struct err err = ERR_INIT;
	char self[4096], text[FORMAT_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *argv[] = {self, UNCONST("--clean-logs"), base, UNCONST("--clean-state"), state,
		UNCONST("--retention"), seconds, NULL};

	if (n < 0)
		return;
	self[n] = '\0';
	*strrchr(base, '/') = *strrchr(state, '/') = '\0';
	xreplace(&runlog->retention, format_duration(retention_ms, text));
	runlog->cleaning = capture_start(runlog->loop, runlog->children,
		&(struct child_spec){.argv = argv, .directory = "/"}, CLEAN_DEADLINE_MS,
		on_cleaned, runlog, &err);
	if (!runlog->cleaning)
		log_warning("logs: old logs are not removed: %s", err.text);
}

void runlog_begin(struct runlog *runlog, const char *directory, int64_t retention_ms)
{
	_cleanup_free_ char *daemon_log = xasprintf("%s/" LOGDIR_DAEMON, directory);
	struct err err = ERR_INIT;

	release(runlog);
	take(runlog, directory);
	if (log_also(daemon_log, &err) < 0)
		log_warning("%s", err.text);
	make_link(runlog, directory);
	if (retention_ms > 0 && !runlog->cleaning)
		clean(runlog, directory, retention_ms);
}

struct runlog *runlog_create(
	struct loop *loop, struct children *children, const struct paths *paths)
{
	struct runlog *runlog = xcalloc(1, sizeof(*runlog));

	runlog->loop = loop;
	runlog->children = children;
	runlog->paths = paths;
	runlog->touch = loop_timer_create(loop, on_touch, runlog);
	return runlog;
}

struct runlog *runlog_destroy(struct runlog *runlog)
{
	if (!runlog)
		return NULL;
	capture_cancel(runlog->cleaning);
	release(runlog);
	loop_timer_destroy(runlog->touch);
	free(runlog->retention);
	free(runlog);
	return NULL;
}
