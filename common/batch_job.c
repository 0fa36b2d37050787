/* batch_job.c: the Slurm job in which this program runs, and the name of its cluster. */
#include "common/batch_job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/paths.h"

#define DIGITS_MAX  20
#define PARENTS_MAX 100
#define STEP	    "slurmstepd"

static struct {
	bool sought, inside;
	char name[sizeof(BATCH_JOB_PREFIX) + DIGITS_MAX];
	int step; /* the process of Slurm that runs the step around this one; 0: not known */
	unsigned long long start; /* of it */
} job;

/* The beginning of a file of /proc; "" when it cannot be read. */
static void read_file(const char *path, char *text, size_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, size - 1) : 0;

	text[n > 0 ? n : 0] = '\0';
}

bool batch_job_in_cgroup(const char *text, const char *id)
{
	_cleanup_free_ char *part = xasprintf("/job_%s", id);
	size_t length = strlen(part);

	for (const char *at = text; (at = strstr(at, part)); at += length)
		if (strchr("/\n", at[length])) /* or the end */
			return true;
	return false;
}

/* Its parent, and since when it runs, in ticks; *ret_is_step: it is Slurm's of a step. */
static bool read_process(
	int pid, int *ret_parent, unsigned long long *ret_start, bool *ret_is_step)
{
	char path[64], text[1024], *name, *end;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	read_file(path, text, sizeof(text));
	name = strchr(text, '(');
	end = strrchr(text, ')');
	if (!name || !end ||
		sscanf(end + 1,
			" %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
			"%*d %llu",
			ret_parent, ret_start) != 2)
		return false;
	*end = '\0';
	*ret_is_step = strcmp(name + 1, STEP) == 0;
	return true;
}

/* slurmstepd calls itself "slurmstepd: [12.batch]". In a shell of salloc that was started in
 * another job, the one above this program is the other job's. */
static bool is_step_of(int pid, const char *id)
{
	_cleanup_free_ char *title = xasprintf("slurmstepd: [%s.", id);
	char path[64], text[256];

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	read_file(path, text, sizeof(text));
	return strncmp(text, title, strcspn(title, "[") + 1) != 0 ||
		strncmp(text, title, strlen(title)) == 0;
}

static void find_step(const char *id)
{
	int pid = (int)getppid(), parent;
	unsigned long long start;
	bool is_step;

	for (int i = 0; pid > 1 && i < PARENTS_MAX; i++, pid = parent) {
		if (!read_process(pid, &parent, &start, &is_step))
			return;
		if (is_step && is_step_of(pid, id)) {
			job.step = pid;
			job.start = start;
			return;
		}
	}
}

static void seek(void)
{
	const char *id = getenv("SLURM_JOB_ID");
	char cgroup[4096];

	job.sought = true;
	if (!id || !*id || strlen(id) > DIGITS_MAX || strspn(id, "0123456789") != strlen(id))
		return;
	read_file("/proc/self/cgroup", cgroup, sizeof(cgroup));
	find_step(id);
	job.inside = job.step > 0 || batch_job_in_cgroup(cgroup, id);
	snprintf(job.name, sizeof(job.name), BATCH_JOB_PREFIX "%s", id);
}

const char *batch_job_id(void)
{
	if (!job.sought)
		seek();
	return job.inside ? job.name + strlen(BATCH_JOB_PREFIX) : NULL;
}

bool batch_job_lives(void)
{
	unsigned long long start;
	bool is_step;
	int parent;

	if (!batch_job_id() || job.step <= 0 || (kill(job.step, 0) < 0 && errno == ESRCH))
		return false;
	/* A file that cannot be read at this moment proves no end. */
	return !read_process(job.step, &parent, &start, &is_step) ||
		(is_step && start == job.start);
}

const char *batch_job_default_name(void)
{
	const char *name = getenv("DRACO_NAME");

	if (name && *name)
		return name;
	return batch_job_id() ? job.name : PATHS_NAME_DEFAULT;
}
