/* explore.c: goes through all orders of events around a real dracod, to a depth, and checks after
 * each of them that the rules of env.h hold. With --help it says how to use it.
 *
 * A state is a process: before each event the process forks, and the child goes on. States that
 * were seen before with at least as many events to come are left out: their fingerprints are in
 * memory that all processes share. */
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "breaks.h"
#include "common/alloc.h"
#include "env.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/world.h"

#define TABLE_SIZE (UINT64_C(1) << 22) /* fingerprints */
#define DEPTH_MAX  64
#ifdef __SANITIZE_ADDRESS__
#define SHORT 2 /* a state takes long */
#else
#define SHORT 3
#endif
#define CHOICES 8 /* jobs, or sizes, that an event may concern */

const char fuzz_name[] = "explore";
const char *const fuzz_words[] = {NULL};

struct step {
	enum event event;
	int number;
};

/* Where an exploration begins: after these steps. */
static const struct scene {
	const char *name, *what;
	bool adaptive;
	int depth; /* of the short exploration */
	struct env_budget budget;
	struct step steps[16];
} scenes[] = {
	{"submit", "two jobs are about to be submitted", false, SHORT,
		{.kills = 2, .losses = 1, .refusals = 1, .deaths = 1, .wishes = 1}, {{0}}},
	{"run", "two jobs run", false, SHORT,
		{.kills = 2,
			.losses = 1,
			.deaths = 1,
			.node_fails = 1,
			.requeues = 1,
			.wishes = 1,
			.hang_ups = 1},
		{{EVENT_ANSWER, 0}, {EVENT_HELLO, 0}, {EVENT_JOB_STARTS, 0},
			{EVENT_JOB_STARTS, 1}, {EVENT_WORKER_COMES, 0}, {EVENT_WORKER_COMES, 1},
			{EVENT_WAIT, 0}, {EVENT_ANSWER, 0}}},
	{"shrink", "one of two jobs is to go", false, SHORT,
		{.kills = 2, .losses = 1, .deaths = 1, .wishes = 1, .tasks = 2, .hang_ups = 1},
		{{EVENT_ANSWER, 0}, {EVENT_HELLO, 0}, {EVENT_JOB_STARTS, 0},
			{EVENT_JOB_STARTS, 1}, {EVENT_WORKER_COMES, 0}, {EVENT_WORKER_COMES, 1},
			{EVENT_WAIT, 0}, {EVENT_ANSWER, 0}, {EVENT_SCALE, 1}}},
	{"stop", "two jobs are to end", false, SHORT,
		{.kills = 2, .losses = 2, .deaths = 1, .wishes = 2},
		{{EVENT_ANSWER, 0}, {EVENT_HELLO, 0}, {EVENT_JOB_STARTS, 0},
			{EVENT_WORKER_COMES, 0}, {EVENT_WAIT, 0}, {EVENT_ANSWER, 0},
			{EVENT_STOP, 0}}},
	{"adaptive", "one job, and tasks that come", true, SHORT + 1,
		{.kills = 1, .losses = 1, .tasks = 3},
		{{EVENT_ANSWER, 0}, {EVENT_HELLO, 0}, {EVENT_JOB_STARTS, 0},
			{EVENT_WORKER_COMES, 0}, {EVENT_WAIT, 0}, {EVENT_ANSWER, 0}}},
};

static struct shared {
	atomic_uint_fast64_t fingerprint[TABLE_SIZE];
	atomic_uchar left[TABLE_SIZE]; /* events that were to come there, and one more */
	atomic_ulong states, events, ends;
} * shared;

static const struct scene *scene;
static struct step path[DEPTH_MAX];
static int length;
static bool quiet;

static void print_step(const struct step *step)
{
	printf("  %2d.%-2d %s", (int)step->event, step->number, event_name(step->event));
	if (event_is_of_job(step->event))
		printf(" %d", step->number);
	putchar('\n');
}

void env_broken(const char *format, ...)
{
	va_list args;

	if (!quiet) {
		va_start(args, format);
		printf("%s: ", scene->name);
		vprintf(format, args);
		printf("\nafter these events (see them again: --scene %s --trace ",
			scene->name);
		for (int i = 0; i < length; i++)
			printf("%s%d.%d", i ? "," : "", (int)path[i].event, path[i].number);
		printf("):\n");
		va_end(args);
		for (int i = 0; i < length; i++)
			print_step(&path[i]);
		fflush(stdout);
	}
	_exit(EXIT_FAILURE);
}

/* Note the state. False: it was seen with at least so many events to come. */
static bool is_new(uint64_t fingerprint, int left)
{
	uint64_t slot = fingerprint % TABLE_SIZE;

	for (uint64_t tries = 0; tries < 64; tries++, slot = (slot + 1) % TABLE_SIZE) {
		uint_fast64_t there = 0;

		if (!atomic_compare_exchange_strong(
			    &shared->fingerprint[slot], &there, fingerprint) &&
			there != fingerprint)
			continue;
		if (atomic_load(&shared->left[slot]) >= left + 1)
			return false;
		if (atomic_load(&shared->left[slot]) == 0)
			atomic_fetch_add(&shared->states, 1);
		atomic_store(&shared->left[slot], (unsigned char)(left + 1));
		return true;
	}
	return true; /* the table is full: go on without */
}

/* Run fn in a process of its own, and end when that has found something. */
static void apart(void (*fn)(int argument), int argument)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		fn(argument);
		_exit(EXIT_SUCCESS);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0) {
		perror("fork");
		_exit(2);
	}
	if (WIFSIGNALED(status))
		env_broken("dracod ends by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status))
		_exit(WEXITSTATUS(status));
}

static void end_well(int unused)
{
	(void)unused;
	atomic_fetch_add(&shared->ends, 1);
	env_end_well();
}

static void explore(int depth);

/* The last step of the path happens. */
static void go(int depth)
{
	const struct step *step = &path[length - 1];

	atomic_fetch_add(&shared->events, 1);
	env_do(step->event, step->number);
	if (!is_new(env_fingerprint(), depth))
		return;
	apart(end_well, 0);
	if (depth > 0)
		explore(depth);
}

static void explore(int depth)
{
	for (int event = EVENT_NONE + 1; event < EVENT_COUNT; event++)
		for (int number = 0; number < CHOICES; number++) {
			if (!env_can(event, number))
				continue;
			path[length++] = (struct step){event, number};
			apart(go, depth - 1);
			length--;
		}
}

static void begin_scene(void)
{
	length = 0;
	env_begin(&scene->budget, scene->adaptive);
	for (const struct step *step = scene->steps; step->event; step++) {
		if (!env_can(step->event, step->number))
			env_broken("the scene cannot begin");
		env_do(step->event, step->number);
	}
	env.left = scene->budget;
}

static void explore_scene(int depth)
{
	begin_scene();
	apart(end_well, 0);
	explore(depth);
}

/* Go along one path, with dracod's log, and look at its end. */
static void follow(const char *text)
{
	begin_scene();
	for (char *rest = UNCONST(text); *rest && length < DEPTH_MAX;) {
		struct step *step = &path[length];

		step->event = (enum event)strtol(rest, &rest, 10);
		step->number = *rest == '.' ? (int)strtol(rest + 1, &rest, 10) : 0;
		rest += *rest == ',';
		if (step->event >= EVENT_COUNT || !env_can(step->event, step->number))
			env_broken("event %d.%d cannot happen here", (int)step->event,
				step->number);
		length++;
		print_step(step);
		fflush(stdout);
		env_do(step->event, step->number);
	}
	printf("  from here on all goes well\n");
	fflush(stdout);
	env_end_well();
	printf("no rule is broken\n");
}

static void forget(void)
{
	memset(shared, 0, sizeof(*shared));
}

/* Explore one scene in a process of its own. 0, or the exit status of the search. */
static int run(const struct scene *which, int depth)
{
	struct timespec begin, end;
	int status = 0;
	pid_t pid;

	scene = which;
	forget();
	clock_gettime(CLOCK_MONOTONIC, &begin);
	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		explore_scene(depth);
		_exit(EXIT_SUCCESS);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &end);
	if (!quiet)
		printf("%-9s depth %2d: %7lu states, %8lu events, %7lu ends, %4ld s  (%s)\n",
			scene->name, depth, atomic_load(&shared->states),
			atomic_load(&shared->events), atomic_load(&shared->ends),
			(long)(end.tv_sec - begin.tv_sec), scene->what);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

static const struct scene *find_scene(const char *name)
{
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++)
		if (strcmp(scenes[i].name, name) == 0)
			return &scenes[i];
	return NULL;
}

/* Is the break found? Search one event deeper until it is, so that its path is short. */
static bool is_found(const struct explore_break *item)
{
	unsigned long states = 0;

	break_now = item;
	quiet = true;
	for (int depth = 1; depth <= item->depth; depth++) {
		bool found = run(find_scene(item->scene), depth) == EXIT_FAILURE;

		states += atomic_load(&shared->states);
		if (!found)
			continue;
		printf("ok      found at depth %d, after %lu states: %s\n", depth, states,
			item->what);
		return true;
	}
	printf("FAILED  not found to depth %d, in %lu states: %s\n", item->depth, states,
		item->what);
	return false;
}

/* Each break must be found. */
static bool test_breaks(void)
{
	bool good = true;

	for (const struct explore_break *item = breaks; item->name; item++)
		good &= is_found(item);
	break_now = NULL;
	quiet = false;
	return good;
}

static const char help[] =
	"usage: explore [--scene NAME] [--depth N | --deeper N] [--breaks] [--trace EVENTS]\n"
	"\n"
	"Goes through all orders of up to N events around a dracod with two jobs: answers of\n"
	"Slurm and their loss, jobs that start and end, tasks, ends of the scheduler, SIGKILL and\n"
	"return of dracod, wishes of the client, time. No job is submitted twice, no busy job is\n"
	"released, each wish is fulfilled once all goes well, and a stop leaves nothing.\n"
	"\n"
	"  --scene NAME    only this scene\n"
	"  --depth N       so many events, in each scene\n"
	"  --deeper N      so many events more than usual\n"
	"  --breaks        take rules away from dracod, one by one: each must be noticed\n"
	"  --break NAME    explore, or trace, with this rule taken away\n"
	"  --trace EVENTS  go along one path, as a broken rule prints it, with dracod's log\n";

int main(int argc, char **argv)
{
	static const struct option options[] = {{"scene", required_argument, NULL, 's'},
		{"depth", required_argument, NULL, 'd'},
		{"deeper", required_argument, NULL, 'e'}, {"breaks", no_argument, NULL, 'b'},
		{"break", required_argument, NULL, 'B'},
		{"trace", required_argument, NULL, 't'}, {"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	const char *trace = NULL;
	int option, depth = 0, deeper = 0, result = 0;
	bool only_breaks = false;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 's')
			scene = find_scene(optarg);
		else if (option == 'd')
			depth = atoi(optarg);
		else if (option == 'e')
			deeper = atoi(optarg);
		else if (option == 'b')
			only_breaks = true;
		else if (option == 'B')
			break_now = break_find(optarg);
		else if (option == 't')
			trace = optarg;
		else
			return fputs(help, stdout), option == 'h' ? 0 : 2;
		if (option == 's' && !scene)
			return fprintf(stderr, "there is no scene %s\n", optarg), 2;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (shared == MAP_FAILED)
		return perror("mmap"), 2;
	if (trace) {
		world_logs = true;
		scene = scene ? scene : scenes;
		follow(trace);
		return 0;
	}
	if (only_breaks)
		return test_breaks() ? 0 : EXIT_FAILURE;
	for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]) && !result; i++)
		if (!scene || scene == &scenes[i]) {
			const struct scene *only = scene;

			result = run(&scenes[i], depth ? depth : scenes[i].depth + deeper);
			scene = only;
		}
	return result;
}
