/* inheritance.c: the properties, besides the environment, that a process passes to its children. */
#include "common/inheritance.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/environment.h"

#define UMASK	     "SLURM_UMASK"
#define NICE	     "SLURM_PRIO_PROCESS"
#define LIMIT	     "SLURM_RLIMIT_"
#define NAME_MAX_    32
#define LENGTH(list) (sizeof(list) / sizeof((list)[0]))

/* With Slurm's names for them. */
static const struct {
	const char *name;
	int resource;
} limits[] = {
	{"CPU", RLIMIT_CPU},
	{"FSIZE", RLIMIT_FSIZE},
	{"DATA", RLIMIT_DATA},
	{"STACK", RLIMIT_STACK},
	{"CORE", RLIMIT_CORE},
	{"RSS", RLIMIT_RSS},
	{"NPROC", RLIMIT_NPROC},
	{"NOFILE", RLIMIT_NOFILE},
	{"MEMLOCK", RLIMIT_MEMLOCK},
	{"AS", RLIMIT_AS},
};

void inheritance_collect(void (*add)(void *arg, const char *name, const char *value), void *arg)
{
	mode_t mask = umask(0);
	struct rlimit limit;
	char name[NAME_MAX_], value[NAME_MAX_];

	umask(mask);
	snprintf(value, sizeof(value), "%04o", (unsigned)(mask & 0777));
	add(arg, UMASK, value);
	snprintf(value, sizeof(value), "%d", getpriority(PRIO_PROCESS, 0));
	add(arg, NICE, value);
	for (size_t i = 0; i < LENGTH(limits); i++) {
		if (getrlimit(limits[i].resource, &limit) < 0)
			continue;
		snprintf(name, sizeof(name), LIMIT "%s", limits[i].name);
		snprintf(value, sizeof(value), "%" PRIu64, (uint64_t)limit.rlim_cur);
		add(arg, name, value);
	}
}

static bool read_number(const char *text, int base, uint64_t *ret)
{
	char *end;

	if (!text || !isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*ret = strtoull(text, &end, base);
	return errno == 0 && !*end;
}

static void apply_limit(int resource, uint64_t wanted)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return;
	limit.rlim_cur = wanted < limit.rlim_max ? (rlim_t)wanted : limit.rlim_max;
	setrlimit(resource, &limit);
}

void inheritance_apply(const struct strv *environment)
{
	const char *nice_value = environment_get(environment, NICE);
	char name[NAME_MAX_];
	uint64_t number;

	if (read_number(environment_get(environment, UMASK), 8, &number) && number <= 0777)
		umask((mode_t)number);
	if (nice_value && atoi(nice_value) >= -20 && atoi(nice_value) <= 19)
		setpriority(PRIO_PROCESS, 0, atoi(nice_value));
	for (size_t i = 0; i < LENGTH(limits); i++) {
		snprintf(name, sizeof(name), LIMIT "%s", limits[i].name);
		if (read_number(environment_get(environment, name), 10, &number))
			apply_limit(limits[i].resource, number);
	}
}
