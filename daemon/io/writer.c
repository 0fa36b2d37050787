/* writer.c: threads that do what may wait for a file server, so that the event loop does not.
 *
 * What a thread has done is told to the loop by an eventfd. The threads block all signals, which
 * are the loop's. dracod's fork() is safe with them: between it and execve() a child calls only
 * what a signal handler may call. */
#include "daemon/io/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "daemon/io/loop.h"

struct lane {
	TAILQ_HEAD(, writer_job) waiting;
	pthread_t thread;
	pthread_cond_t more; /* there is work, or the end has come */
	bool begun;	     /* the thread exists */
	bool works;	     /* on a job */
	int64_t since_ms;    /* that job's beginning, by now_ms() */
};

static struct {
	pthread_mutex_t mutex; /* of all below, and of what writer_lock() guards */
	pthread_cond_t rest;   /* a job is done */
	struct lane lane[WRITER_LANES];
	TAILQ_HEAD(, writer_job) done;
	bool on, ending, stuck;
	int event;
	struct loop_watch *watch;
} writer = {.mutex = PTHREAD_MUTEX_INITIALIZER, .event = -1};

static void add_ms(struct timespec *time, int64_t ms)
{
	time->tv_sec += (time_t)(ms / 1000);
	time->tv_nsec += (long)(ms % 1000 * 1000000);
	if (time->tv_nsec >= 1000000000) {
		time->tv_sec++;
		time->tv_nsec -= 1000000000;
	}
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void writer_lock(void)
{
	pthread_mutex_lock(&writer.mutex);
}

void writer_unlock(void)
{
	pthread_mutex_unlock(&writer.mutex);
}

/* The thread */

static void finish(struct lane *lane, struct writer_job *job)
{
	uint64_t one = 1;

	lane->works = job->works = false;
	if (!job->is_done) {
		job->is_done = true;
		TAILQ_INSERT_TAIL(&writer.done, job, done_link);
	}
	pthread_cond_broadcast(&writer.rest);
	if (write(writer.event, &one, sizeof(one)) < 0)
		return; /* the counter is full: the loop is told already */
}

static void *run_lane(void *arg)
{
	struct lane *lane = arg;

	writer_lock();
	for (;;) {
		struct writer_job *job = TAILQ_FIRST(&lane->waiting);

		if (!job && writer.ending)
			break;
		if (!job) {
			pthread_cond_wait(&lane->more, &writer.mutex);
			continue;
		}
		TAILQ_REMOVE(&lane->waiting, job, link);
		job->waits = false;
		lane->works = job->works = true;
		lane->since_ms = now_ms();
		writer_unlock();
		job->work(job->arg);
		writer_lock();
		finish(lane, job);
	}
	writer_unlock();
	return NULL;
}

/* Begin the thread of the lane. Without one the work is done by the caller. */
static bool begin_lane(struct lane *lane)
{
	sigset_t all, before;

	if (lane->begun)
		return true;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	lane->begun = pthread_create(&lane->thread, NULL, run_lane, lane) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return lane->begun;
}

/* The loop */

/* Call what is done for the jobs that are done. */
static void tell(void)
{
	struct writer_job *job;

	writer_lock();
	while ((job = TAILQ_FIRST(&writer.done))) {
		TAILQ_REMOVE(&writer.done, job, done_link);
		job->is_done = false;
		writer_unlock();
		if (job->done)
			job->done(job->arg);
		writer_lock();
	}
	writer_unlock();
}

static void on_done(void *arg)
{
	uint64_t count;

	(void)arg;
	if (read(writer.event, &count, sizeof(count)) < 0)
		return;
	tell();
}

int writer_begin(struct loop *loop, struct err *err)
{
	pthread_condattr_t attributes;

	writer.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (writer.event < 0)
		return err_set(err, -errno, "cannot make an eventfd: %s", strerror(errno));
	TAILQ_INIT(&writer.done);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&writer.rest, &attributes);
	for (int i = 0; i < WRITER_LANES; i++) {
		writer.lane[i] = (struct lane){0};
		TAILQ_INIT(&writer.lane[i].waiting);
		pthread_cond_init(&writer.lane[i].more, &attributes);
	}
	pthread_condattr_destroy(&attributes);
	writer.watch = loop_watch_create(loop, writer.event, on_done, NULL);
	writer.ending = false;
	writer.on = true;
	return 0;
}

/* With the lock. */
static bool is_at_rest(const struct lane *lane)
{
	return !lane->works && TAILQ_EMPTY(&lane->waiting);
}

/* With the lock: wait until all the lanes, from the first to the last, are at rest. */
static bool await_rest(int first, int last, int64_t limit_ms)
{
	struct timespec end;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC, &end);
	add_ms(&end, limit_ms);
	for (int i = first; i <= last; i++)
		while (!is_at_rest(&writer.lane[i]) && r == 0)
			r = pthread_cond_timedwait(&writer.rest, &writer.mutex, &end);
	return r == 0;
}

bool writer_end(int64_t limit_ms)
{
	bool all;

	if (!writer.on)
		return !writer.stuck;
	do { /* what is told may lead to more work */
		tell();
		writer_lock();
		writer.stuck = !await_rest(0, WRITER_LANES - 1, limit_ms);
		all = TAILQ_EMPTY(&writer.done);
		writer_unlock();
	} while (!writer.stuck && !all);
	writer.on = false;
	writer.watch = loop_watch_destroy(writer.watch);
	if (writer.stuck)
		return false;
	writer_lock();
	writer.ending = true;
	for (int i = 0; i < WRITER_LANES; i++)
		pthread_cond_broadcast(&writer.lane[i].more);
	writer_unlock();
	for (int i = 0; i < WRITER_LANES; i++) {
		if (writer.lane[i].begun)
			pthread_join(writer.lane[i].thread, NULL);
		pthread_cond_destroy(&writer.lane[i].more);
	}
	pthread_cond_destroy(&writer.rest);
	close(TAKE_FD(writer.event));
	return true;
}

void writer_outlast(enum writer_lane lane)
{
	if (!writer.stuck)
		return;
	writer_lock();
	while (!is_at_rest(&writer.lane[lane]))
		pthread_cond_wait(&writer.rest, &writer.mutex);
	writer_unlock();
}

bool writer_is_on(void)
{
	return writer.on || writer.stuck;
}

static void do_at_once(const struct writer_job *job)
{
	writer_fn done = job->done;
	void *arg = job->arg;

	job->work(arg);
	if (done)
		done(arg);
}

void writer_add(struct writer_job *job)
{
	struct lane *lane = &writer.lane[job->lane];

	if (writer.stuck)
		return;
	if (!writer.on || !begin_lane(lane)) {
		do_at_once(job);
		return;
	}
	writer_lock();
	if (!job->waits) { /* even if it is being done: the order counts */
		job->waits = true;
		TAILQ_INSERT_TAIL(&lane->waiting, job, link);
		pthread_cond_broadcast(&lane->more);
	}
	writer_unlock();
}

bool writer_is_idle(const struct writer_job *job)
{
	bool idle;

	writer_lock();
	idle = !job->waits && !job->works && !job->is_done;
	writer_unlock();
	return idle;
}

bool writer_settle(enum writer_lane lane, int64_t limit_ms)
{
	bool rests = true;

	if (!writer.on)
		return !writer.stuck;
	writer_lock();
	if (!is_at_rest(&writer.lane[lane]))
		rests = !(writer.lane[lane].works &&
				now_ms() - writer.lane[lane].since_ms > limit_ms) &&
			await_rest(lane, lane, limit_ms);
	writer_unlock();
	return rests;
}

int64_t writer_age_ms(enum writer_lane lane)
{
	int64_t age = 0;

	if (!writer.on)
		return 0;
	writer_lock();
	if (writer.lane[lane].works)
		age = now_ms() - writer.lane[lane].since_ms + 1;
	writer_unlock();
	return age;
}

/* Work that is done once */

struct once {
	struct writer_job job;
	writer_fn work, done;
	void *arg;
	bool is_done;	/* under the lock */
	bool abandoned; /* nobody waits for it */
};

static void do_once(void *arg)
{
	struct once *once = arg;

	once->work(once->arg);
	writer_lock();
	once->is_done = true;
	writer_unlock();
}

static void once_done(void *arg)
{
	struct once *once = arg;

	if (once->abandoned && once->done)
		once->done(once->arg);
	free(once);
}

static struct once *once_create(
	enum writer_lane lane, writer_fn work, writer_fn done, void *arg)
{
	struct once *once = xcalloc(1, sizeof(*once));

	once->job = (struct writer_job){
		.lane = lane, .work = do_once, .done = once_done, .arg = once};
	once->work = work;
	once->done = done;
	once->arg = arg;
	return once;
}

void writer_run(enum writer_lane lane, writer_fn work, writer_fn done, void *arg)
{
	struct once *once = once_create(lane, work, done, arg);

	once->abandoned = true;
	writer_add(&once->job);
}

bool writer_look(writer_fn work, writer_fn release, void *arg, int64_t limit_ms)
{
	struct once *once;
	bool is_done;

	if (!writer.stuck && (!writer.on || !begin_lane(&writer.lane[WRITER_LOOK]))) {
		work(arg);
		return true;
	}
	if (writer.stuck || writer_age_ms(WRITER_LOOK) > limit_ms) {
		release(arg);
		return false;
	}
	once = once_create(WRITER_LOOK, work, release, arg);
	writer_add(&once->job); /* it cannot be told before the loop's next turn */
	writer_settle(WRITER_LOOK, limit_ms);
	writer_lock();
	is_done = once->is_done;
	writer_unlock();
	once->abandoned = !is_done;
	return is_done;
}
