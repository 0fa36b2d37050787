/* doctor.c: runs the checks of dracoctl doctor, so that none can delay the others. */
#include "client/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/err.h"
#include "common/json.h"
#include "common/line.h"
#include "common/parse.h"
#include "common/visible.h"

#define CHECKS_MAX 32
#define TICK_MS	   100
#define END_S	   45 /* for a check to clean up when it is asked to end: two calls of Slurm */
#define OUTPUT_MAX 65536

struct report {
	int fd;
};

struct running {
	const struct check *check;
	pid_t pid; /* 0: it has ended */
	int fd;	   /* -1: its report is complete */
	struct line_reader reader;
	int64_t until_ms;
	bool late;	  /* it did not end in time */
	json_t *findings; /* array */
};

struct run {
	struct doctor *doctor;
	struct running all[CHECKS_MAX];
	int count, told; /* number of all, and of those whose findings were reported */
	const struct doctor_ops *ops;
	void *arg;
	int worst;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

const char *finding_name(enum finding finding)
{
	static const char *const names[] = {
		[FINDING_OK] = "ok",
		[FINDING_WARNING] = "warning",
		[FINDING_FAILED] = "failed",
	};

	return names[finding];
}

/* In the process of a check. */

static void send_line(struct report *report, json_t *object)
{
	_cleanup_free_ char *line = json_dumps(object, JSON_COMPACT);
	size_t length = line ? strlen(line) : 0;

	json_decref(object);
	if (!line)
		return;
	line[length] = '\n';
	for (size_t done = 0; done <= length;) {
		ssize_t n = write(report->fd, line + done, length + 1 - done);

		if (n < 0 && errno != EINTR)
			_exit(1); /* dracoctl has ended */
		if (n > 0)
			done += (size_t)n;
	}
}

static json_t *make_finding(
	enum finding finding, const char *name, const char *remedy, const char *text)
{
	_cleanup_free_ char *visible = visible_text(text, "\n\t");
	json_t *object = json_pack("{s:o, s:s, s:o}", "name", json_text(name), "status",
		finding_name(finding), "text", json_text(visible));

	if (remedy && finding != FINDING_OK)
		json_object_set_new(object, "remedy", json_text(remedy));
	return object;
}

void report_finding(struct report *report, enum finding finding, const char *name,
	const char *remedy, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	send_line(report,
		json_pack("{s:o}", "finding", make_finding(finding, name, remedy, text)));
}

void report_fact(struct report *report, const char *name, json_t *value)
{
	send_line(report, json_pack("{s:{s:o}}", "facts", name, value));
}

void report_progress(struct report *report, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	send_line(report, json_pack("{s:o}", "progress", json_text(text)));
}

int doctor_capture(char *const *argv, char **ret_text)
{
	_cleanup_free_ char *text = xcalloc(OUTPUT_MAX + 1, 1);
	int out[2], status = 0;
	size_t used = 0;
	char rest[4096];
	ssize_t n;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		dup2(out[1], STDERR_FILENO);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(out[1]);
	while (pid > 0 &&
		(n = used < OUTPUT_MAX ? read(out[0], text + used, OUTPUT_MAX - used)
				       : read(out[0], rest, sizeof(rest))) > 0)
		used += used < OUTPUT_MAX ? (size_t)n : 0;
	close(out[0]);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return -errno;
	*ret_text = TAKE_PTR(text);
	return status;
}

char *doctor_size(int64_t mib, char *buffer)
{
	return format_size(mib >= 10240 ? mib / 1024 * 1024 : mib, buffer);
}

static void become(const struct doctor *doctor, const struct check *check, int fd)
{
	struct report report = {.fd = fd};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* A process group of its own, so that the check ends with all its children. */
	setpgid(0, 0);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(null, STDERR_FILENO);
	check->run(doctor, &report);
}

/* In the process of dracoctl. */

static void begin(struct run *run, const struct check *check)
{
	struct running *running = &run->all[run->count++];
	int pipe_fds[2];

	*running = (struct running){.check = check, .fd = -1, .findings = json_array()};
	running->until_ms = clock_now_ms() + (int64_t)check->deadline_s * 1000 +
		(check->phase == PHASE_NODES ? run->doctor->wait_ms : 0);
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return;
	fflush(stdout);
	fflush(stderr);
	running->pid = fork();
	if (running->pid == 0) {
		become(run->doctor, check, pipe_fds[1]);
		_exit(0);
	}
	close(pipe_fds[1]);
	running->fd = pipe_fds[0];
	if (running->pid < 0)
		running->pid = 0;
	/* As in the child: one of the two is first. */
	else
		setpgid(running->pid, running->pid);
}

static void take_line(struct run *run, struct running *running, const char *line)
{
	_cleanup_json_ json_t *object = json_loads(line, 0, NULL);
	json_t *finding = json_object_get(object, "finding");
	const char *progress = json_get_text(object, "progress", NULL);

	if (finding)
		json_array_append(running->findings, finding);
	if (json_object_get(object, "facts"))
		json_object_update(run->doctor->facts, json_object_get(object, "facts"));
	if (progress)
		run->ops->progress(run->arg, progress);
}

static void read_report(struct run *run, struct running *running)
{
	long n = line_reader_fill(&running->reader, running->fd);
	char *line;

	while (n > 0 && (line = line_reader_next(&running->reader, NULL)))
		take_line(run, running, line);
	if (n <= 0)
		close(TAKE_FD(running->fd));
}

static void add_finding(struct running *running, const char *remedy, const char *text)
{
	json_array_append_new(running->findings,
		make_finding(FINDING_FAILED, running->check->name, remedy, text));
}

/* The check has ended, or dracoctl gives it up. */
static void finish(struct running *running)
{
	int status = 0;
	pid_t ended = 0;

	if (running->fd >= 0)
		close(TAKE_FD(running->fd));
	/* A process that is blocked in the kernel cannot be awaited. */
	for (int tries = 0; running->pid && ended == 0 && tries < 20; tries++) {
		ended = waitpid(running->pid, &status, WNOHANG);
		if (ended == 0)
			usleep(10000);
	}
	if (running->late) {
		_cleanup_free_ char *text =
			xasprintf("not answered within %d s", running->check->deadline_s);

		add_finding(running, running->check->remedy, text);
	} else if (!interrupted && status != 0) {
		_cleanup_free_ char *text = xasprintf(
			"the check itself failed (status %#x): this is a bug of draco", status);

		add_finding(running, NULL, text);
	}
	running->pid = 0;
}

static void check_time(struct running *running, int64_t now)
{
	if (running->fd < 0 || now < running->until_ms)
		return;
	running->late = true;
	kill(-running->pid, SIGKILL);
	close(TAKE_FD(running->fd));
}

/* Report the findings of checks that have ended, in the order of the table. */
static void tell(struct run *run)
{
	for (; run->told < run->count && run->all[run->told].fd < 0; run->told++) {
		struct running *running = &run->all[run->told];
		json_t *finding;
		size_t i;

		finish(running);
		json_array_foreach (running->findings, i, finding) {
			const char *status = json_get_text(finding, "status", "");

			json_object_set_new(
				finding, "check", json_string(running->check->name));
			for (int f = FINDING_OK; f <= FINDING_FAILED; f++)
				if (strcmp(status, finding_name(f)) == 0 && f > run->worst)
					run->worst = f;
			run->ops->found(run->arg, finding);
		}
		json_decref(running->findings);
		line_reader_finish(&running->reader);
	}
}

static void wait_a_moment(struct run *run)
{
	struct pollfd ready[CHECKS_MAX];

	for (int i = 0; i < run->count; i++)
		ready[i] = (struct pollfd){.fd = run->all[i].fd, .events = POLLIN};
	if (poll(ready, (nfds_t)run->count, TICK_MS) > 0)
		for (int i = 0; i < run->count; i++)
			if (run->all[i].fd >= 0 && ready[i].revents)
				read_report(run, &run->all[i]);
	for (int i = 0; i < run->count; i++)
		check_time(&run->all[i], clock_now_ms());
}

static void end_all(struct run *run)
{
	for (int i = 0; i < run->count; i++)
		if (run->all[i].fd >= 0) {
			kill(run->all[i].pid, SIGTERM);
			run->all[i].until_ms = clock_now_ms() + (int64_t)END_S * 1000;
		}
}

int doctor_run(struct doctor *doctor, const struct check *checks, enum check_phase phase,
	const struct doctor_ops *ops, void *arg)
{
	struct sigaction action = {.sa_handler = on_interrupt};
	struct run run = {.doctor = doctor, .ops = ops, .arg = arg};
	bool ending = false;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	for (const struct check *check = checks; check->name && run.count < CHECKS_MAX; check++)
		if (check->phase == phase)
			begin(&run, check);
	while (run.told < run.count) {
		if (interrupted && !ending) {
			end_all(&run);
			ending = true;
		}
		wait_a_moment(&run);
		tell(&run);
	}
	ops->progress(arg, NULL);
	return interrupted ? -EINTR : run.worst;
}
