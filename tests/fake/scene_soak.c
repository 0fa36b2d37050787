/* scene_soak.c: scenarios: hours of work that comes and goes, and of quiet. What dracod uses does
 * not grow. */
#include "world.h"

#include <dirent.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>

#include "events.h"

#define WARM	   9 /* hours until dracod's memory of events is full */
#define HOURS	   3 /* after these */
#define SPARE_KIB  32
#define SPARE_PART 10 /* wake-ups may differ by this part of them */

static int ended; /* jobs that Slurm has forgotten */

/* What this process uses at the end of an hour: dracod, and the fakes around it. */
struct use {
	int64_t memory_kib, descriptors, wakeups;
};

static int64_t count_descriptors(void)
{
	DIR *directory = opendir("/proc/self/fd");
	int64_t count = 0;

	ck_assert_ptr_nonnull(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

/* Bytes that are allocated. 0 where the allocator is another, as with sanitizers. */
static int64_t count_memory_kib(void)
{
#ifdef __SANITIZE_ADDRESS__
	return 0;
#else
	struct mallinfo2 info = mallinfo2();

	return (int64_t)((info.uordblks + info.hblkhd) / 1024);
#endif
}

/* What the world itself remembers does not count. And Slurm forgets jobs that have ended. */
static void clear(void)
{
	for (int i = jobs_submitted() - 1; i >= 0; i--)
		if (slurm_state_is_end(job(i)->said.state)) {
			job_forget(job(i));
			ended++;
		}
	events_clear();
	forget_answers(me());
}

/* Each minute tasks come and are done: jobs are asked for, and given back. */
static void busy_hour(void)
{
	for (int minute = 0; minute < 60; minute++) {
		tasks_come(2 + minute % 5);
		pass(20);
		tasks_done();
		pass(40);
		check(cluster_is("running"));
		clear();
	}
}

static void quiet_hour(void)
{
	pass(3600);
	check(cluster_is("running"));
	clear();
}

static void measure(void (*hour)(void), struct use *ret)
{
	int64_t before = clock_waits();

	hour();
	*ret = (struct use){count_memory_kib(), count_descriptors(), clock_waits() - before};
}

static void soak(const char *name, void (*hour)(void))
{
	struct use first, last;

	ended = 0;
	for (int i = 0; i < WARM; i++)
		hour();
	measure(hour, &first);
	for (int i = 0; i < HOURS - 1; i++)
		hour();
	measure(hour, &last);
	printf("%s hours, first and last: memory %" PRId64 " and %" PRId64
	       " KiB, descriptors %" PRId64 " and %" PRId64 ", wake-ups %" PRId64
	       " and %" PRId64 "; %d jobs so far\n",
		name, first.memory_kib, last.memory_kib, first.descriptors, last.descriptors,
		first.wakeups, last.wakeups, ended + jobs_submitted());
	fflush(stdout);
	check(last.memory_kib <= first.memory_kib + SPARE_KIB);
	check(last.descriptors <= first.descriptors);
	check(last.wakeups <= first.wakeups + first.wakeups / SPARE_PART);
}

START_TEST(busy_hours)
{
	start_running("{'minimum': 1, 'idle_hold': '10 s'}");
	soak("busy", busy_hour);
	check(ended > 60);
}
END_TEST

START_TEST(quiet_hours)
{
	start_running("{'minimum': 2, 'walltime': '24:00:00'}");
	soak("quiet", quiet_hour);
	check(jobs_submitted() == 1);
}
END_TEST

Suite *unit_suite(void)
{
	return scenarios("soak", quiet_hours, busy_hours);
}
