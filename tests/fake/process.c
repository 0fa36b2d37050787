/* process.c: the programs that dracod starts in the fake world. It replaces the functions of
 * child.c that start, signal and name a process (by the linker's option --wrap). Other functions
 * stay. */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "daemon/io/loop.h"
#include "fake_dask.h"
#include "fake_slurm.h"
#include "unit.h"
#include "world.h"

#define FIRST_PID 4000000 /* higher than on most hosts: no process has one of these */

static TAILQ_HEAD(, process) all = TAILQ_HEAD_INITIALIZER(all);
static struct loop *loop;
static pid_t last_pid;
static int started[4];
static const char *const names[] = {"draco-slurm", "dask_scheduler", "python", "dracod"};

struct child *__wrap_child_start(struct children *children, const struct child_spec *spec,
	child_exit_fn fn, void *arg, struct err *err);
pid_t __wrap_child_pid(const struct child *child);
void __wrap_child_signal(struct child *child, int signal_number);
void __wrap_child_forget(struct child *child);
struct child *__wrap_child_adopt(
	struct children *children, pid_t pid, child_exit_fn fn, void *arg);
int64_t __wrap_host_process_start(int pid);
int __wrap_memory_look(pid_t pid, struct memory_use *ret);
char *__wrap_memory_kills_file(pid_t pid);
int64_t __wrap_memory_kills(const char *file);
int64_t __real_host_process_start(int pid);

int process_count(const char *name)
{
	for (size_t i = 0; i < LENGTH(names); i++)
		if (strcmp(names[i], name) == 0)
			return started[i];
	ck_abort_msg("there is no program %s", name);
}

static void close_all(struct process *process)
{
	int *const fds[] = {&process->stdout_fd, &process->stderr_fd, &process->extra_fd};

	for (size_t i = 0; i < LENGTH(fds); i++)
		if (*fds[i] >= 0)
			close(TAKE_FD(*fds[i]));
}

static void process_free(struct process *process)
{
	TAILQ_REMOVE(&all, process, link);
	strv_finish(&process->arguments);
	strv_finish(&process->environment);
	free(process);
}

static void tell(void *arg)
{
	struct process *process = arg;

	process->tell = loop_timer_destroy(process->tell);
	if (process->fn)
		process->fn(process->arg, process->status);
	process_free(process);
}

void process_end(struct process *process, int status)
{
	if (process->ended)
		return;
	process->ended = true;
	process->status = status;
	if (process->ops && process->ops->ended)
		process->ops->ended(process);
	close_all(process);
	process->tell = loop_timer_create(loop, tell, process);
	loop_timer_start(process->tell, 0);
}

const char *process_variable(const struct process *process, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < process->environment.count; i++) {
		const char *item = process->environment.item[i];

		if (strncmp(item, name, length) == 0 && item[length] == '=')
			return item + length + 1;
	}
	return NULL;
}

const char *process_argument(const struct process *process, const char *before)
{
	for (size_t i = 0; i + 1 < process->arguments.count; i++)
		if (strcmp(process->arguments.item[i], before) == 0)
			return process->arguments.item[i + 1];
	return NULL;
}

void process_say(int fd, const char *text)
{
	if (fd >= 0 && write(fd, text, strlen(text)) < 0)
		ck_abort_msg("a fake program cannot say \"%s\": %s", text, strerror(errno));
}

/* A Python with distributed, which dracod asks for its version. */
static void be_python(struct process *process)
{
	_cleanup_free_ char *answer = xasprintf(
		"{\"path\": \"%s\", \"version\": \"3.11.2\", \"distributed\": \"2026.8.0\"}\n",
		process->arguments.item[0]);

	process_say(process->stdout_fd, answer);
	process_end(process, EXITED(0));
}

/* dracod --clean-logs: there are no logs to remove. */
static void be_dracod(struct process *process)
{
	process_say(process->stdout_fd, "{\"directories\": 0}\n");
	process_end(process, EXITED(0));
}

static void be(struct process *process)
{
	const char *slash = strrchr(process->arguments.item[0], '/');
	int which = 2;

	if (slash && strcmp(slash + 1, "draco-slurm") == 0)
		which = 0;
	else if (process_argument(process, "distributed.cli.dask_scheduler"))
		which = 1;
	else if (process_argument(process, "--clean-logs"))
		which = 3;
	started[which]++;
	world_note("%s starts, process %d", names[which], (int)process->pid);
	((void (*const[])(struct process *)){
		slurm_helper_begin, dask_begin, be_python, be_dracod})[which](process);
}

static int own_copy(int fd)
{
	return fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

struct child *__wrap_child_start(struct children *children, const struct child_spec *spec,
	child_exit_fn fn, void *arg, struct err *err)
{
	struct process *process = xcalloc(1, sizeof(*process));

	(void)children;
	(void)err;
	process->pid = FIRST_PID + ++last_pid;
	for (size_t i = 0; spec->argv[i]; i++)
		strv_add(&process->arguments, spec->argv[i]);
	for (size_t i = 0; spec->envp && spec->envp[i]; i++)
		strv_add(&process->environment, spec->envp[i]);
	process->stdout_fd = own_copy(spec->stdout_fd);
	process->stderr_fd = spec->log
		? open(spec->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)
		: own_copy(spec->stderr_fd);
	process->extra_fd = own_copy(spec->extra_fd);
	process->fn = fn;
	process->arg = arg;
	TAILQ_INSERT_TAIL(&all, process, link);
	be(process);
	return (struct child *)process;
}

pid_t __wrap_child_pid(const struct child *child)
{
	return ((const struct process *)child)->pid;
}

void __wrap_child_signal(struct child *child, int signal_number)
{
	struct process *process = (struct process *)child;

	if (process->ended || world_is_killing())
		return;
	world_note("signal %d to process %d", signal_number, (int)process->pid);
	if (signal_number != SIGKILL && process->ops && process->ops->signalled)
		process->ops->signalled(process, signal_number);
	else
		process_end(process, signal_number);
}

void __wrap_child_forget(struct child *child)
{
	((struct process *)child)->fn = NULL;
}

struct memory_use process_memory;
int64_t process_kills;

static struct process *find(int pid)
{
	struct process *process;

	TAILQ_FOREACH (process, &all, link)
		if (process->pid == pid && !process->ended)
			return process;
	return NULL;
}

struct child *__wrap_child_adopt(
	struct children *children, pid_t pid, child_exit_fn fn, void *arg)
{
	struct process *process = find(pid);

	(void)children;
	if (process) {
		process->fn = fn;
		process->arg = arg;
	}
	return (struct child *)process;
}

int64_t __wrap_host_process_start(int pid)
{
	return pid < FIRST_PID ? __real_host_process_start(pid) : find(pid) ? pid : 0;
}

int __wrap_memory_look(pid_t pid, struct memory_use *ret)
{
	*ret = process_memory;
	return find(pid) && process_memory.used ? 0 : -ENOENT;
}

char *__wrap_memory_kills_file(pid_t pid)
{
	return find(pid) ? xstrdup("the kernel's count") : NULL;
}

int64_t __wrap_memory_kills(const char *file)
{
	return file ? process_kills : -1;
}

void processes_leave(void)
{
	struct process *process;

	TAILQ_FOREACH (process, &all, link)
		process->fn = NULL;
}

void processes_begin(struct loop *in)
{
	loop = in;
	last_pid = 0;
	memset(started, 0, sizeof(started));
}

void processes_end(void)
{
	struct process *process;

	TAILQ_FOREACH (process, &all, link) {
		if (!process->ended && process->ops && process->ops->ended)
			process->ops->ended(process);
		process->ended = true;
		close_all(process);
		process->tell = loop_timer_destroy(process->tell);
	}
}

void processes_free(void)
{
	while (!TAILQ_EMPTY(&all))
		process_free(TAILQ_FIRST(&all));
}
