/* trace_file.c: a trace from a text file, one setting, burst or command in a line. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/parse.h"
#include "common/slurp.h"
#include "tests/sim/trace.h"

#define WORDS 16

void trace_init(struct trace *trace)
{
	*trace = (struct trace){
		.seed = 1,
		.processes = 4,
		.threads = 1,
		.worker_bytes = INT64_C(4) << 30,
		.minimum = 1,
		.maximum = 16,
		.walltime_ms = 90 * 60000,
		.idle_hold_ms = 60000,
		.idle_timeout_ms = 15 * 60000,
		.target_duration_ms = 5000,
		.margin_ms = 120000,
		.wait_min_ms = 10000,
		.wait_max_ms = 10000,
		.boot_min_ms = 3000,
		.boot_max_ms = 6000,
		.close_ms = 60000,
	};
}

enum unit { NUMBER, TIME, SIZE };

static const struct {
	const char *name;
	enum unit unit;
	size_t offset;
} settings[] = {
	{"processes", NUMBER, offsetof(struct trace, processes)},
	{"threads", NUMBER, offsetof(struct trace, threads)},
	{"memory", SIZE, offsetof(struct trace, worker_bytes)},
	{"minimum", NUMBER, offsetof(struct trace, minimum)},
	{"maximum", NUMBER, offsetof(struct trace, maximum)},
	{"walltime", TIME, offsetof(struct trace, walltime_ms)},
	{"idle_hold", TIME, offsetof(struct trace, idle_hold_ms)},
	{"idle_timeout", TIME, offsetof(struct trace, idle_timeout_ms)},
	{"target_duration", TIME, offsetof(struct trace, target_duration_ms)},
	{"margin", TIME, offsetof(struct trace, margin_ms)},
	{"backlog", NUMBER, offsetof(struct trace, backlog)},
	{"wait_min", TIME, offsetof(struct trace, wait_min_ms)},
	{"wait_max", TIME, offsetof(struct trace, wait_max_ms)},
	{"nodes", NUMBER, offsetof(struct trace, nodes)},
	{"boot_min", TIME, offsetof(struct trace, boot_min_ms)},
	{"boot_max", TIME, offsetof(struct trace, boot_max_ms)},
	{"close", TIME, offsetof(struct trace, close_ms)},
};

static int parse_unit(const char *text, enum unit unit, int64_t *ret, struct err *err)
{
	int64_t mib;
	int r;

	if (unit == NUMBER)
		return parse_integer(text, 0, 1000000, ret, err);
	if (unit == TIME)
		return parse_duration(text, ret, err);
	r = parse_size(text, &mib, err);
	if (r == 0)
		*ret = mib << 20;
	return r;
}

/* at=+30 count=100 duration=2.5 ...: durations in seconds, sizes with their unit. */
static int parse_burst(char *word[], int words, struct trace_burst *ret, struct err *err)
{
	int64_t count = 1, kind = 0, percent = 0;
	int r = 0;

	*ret = (struct trace_burst){.duration_ms = 1000};
	for (int i = 1; i < words && r == 0; i++) {
		char *value = strchr(word[i], '=');

		if (!value)
			return err_set(
				err, -EINVAL, "%s is not of the form name=value", word[i]);
		*value++ = '\0';
		if (strcmp(word[i], "at") == 0) {
			ret->chained = value[0] == '+';
			r = parse_unit(value + ret->chained, TIME, &ret->at_ms, err);
		} else if (strcmp(word[i], "kind") == 0) {
			r = parse_integer(value, 0, TRACE_KINDS - 1, &kind, err);
		} else if (strcmp(word[i], "count") == 0) {
			r = parse_integer(value, 1, TRACE_TASKS, &count, err);
		} else if (strcmp(word[i], "duration") == 0) {
			r = parse_unit(value, TIME, &ret->duration_ms, err);
		} else if (strcmp(word[i], "spread") == 0) {
			r = parse_integer(value, 0, 99, &percent, err);
		} else if (strcmp(word[i], "bytes") == 0) {
			r = parse_unit(value, SIZE, &ret->bytes, err);
		} else if (strcmp(word[i], "hold") == 0) {
			r = parse_unit(value, TIME, &ret->hold_ms, err);
		} else if (strcmp(word[i], "refill") == 0) {
			r = parse_unit(value, TIME, &ret->refill_ms, err);
		} else {
			return err_set(err, -EINVAL, "a burst has no \"%s\"", word[i]);
		}
	}
	ret->kind = (int)kind;
	ret->count = (int)count;
	ret->spread = (double)percent / 100;
	return r;
}

static int parse_line(char *word[], int words, struct trace *trace, struct err *err)
{
	if (strcmp(word[0], "burst") == 0) {
		if (trace->bursts == TRACE_BURSTS)
			return err_set(err, -E2BIG, "at most %d bursts", TRACE_BURSTS);
		return parse_burst(word, words, &trace->burst[trace->bursts++], err);
	}
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		if (strcmp(word[0], settings[i].name) != 0)
			continue;
		if (words != 2)
			return err_set(err, -EINVAL, "%s takes one value", word[0]);
		return parse_unit(word[1], settings[i].unit,
			(int64_t *)(void *)((char *)trace + settings[i].offset), err);
	}
	return err_set(err, -EINVAL, "there is no \"%s\"", word[0]);
}

static int check(const struct trace *trace, struct err *err)
{
	if (trace->processes < 1 || trace->processes > 16 || trace->threads < 1 ||
		trace->threads > 4)
		return err_set(err, -ERANGE, "1 to 16 processes, 1 to 4 threads");
	if (trace->maximum < trace->processes || trace->maximum > 16 * trace->processes)
		return err_set(err, -ERANGE, "1 to 16 jobs");
	if (trace->wait_max_ms < trace->wait_min_ms || trace->boot_max_ms < trace->boot_min_ms)
		return err_set(err, -EINVAL, "a maximum is below its minimum");
	return trace->bursts > 0 ? 0 : err_set(err, -EINVAL, "no burst");
}

int trace_read(const char *path, struct trace *ret, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	const char *name = strrchr(path, '/');
	char *rest, *line;
	size_t size;
	struct trace trace;
	int r = slurp(path, &text, &size, err), number = 0;

	if (r == -ENOENT)
		return err_set(err, r, "there is no %s", path);
	if (r < 0) {
		err_prefix(err, "%s", path);
		return r;
	}
	trace_init(&trace);
	snprintf(trace.name, sizeof(trace.name), "%s", name ? name + 1 : path);
	for (rest = text; (line = strsep(&rest, "\n")) != NULL;) {
		char *word[WORDS], *part, *in = line;
		int words = 0;

		number++;
		line[strcspn(line, "#")] = '\0';
		while ((part = strsep(&in, " \t")) != NULL && words < WORDS) {
			if (part[0])
				word[words++] = part;
		}
		if (words > 0 && (r = parse_line(word, words, &trace, err)) < 0) {
			err_prefix(err, "%s:%d", path, number);
			return r;
		}
	}
	r = check(&trace, err);
	if (r < 0) {
		err_prefix(err, "%s", path);
		return r;
	}
	*ret = trace;
	return 0;
}
