/* trace_file.c: a trace from a text file, one setting, burst or command in a line. */
#include <errno.h>
#include <inttypes.h>
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
	int64_t count = 0, kind = 0, percent = 0;
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

/* t KIND MILLISECONDS KIB [TASK...]: one task of the last burst, and those that it needs. */
static int parse_task(const char *text, struct trace_burst *burst, struct err *err)
{
	struct trace_task task = {.kind = 0};
	int64_t value[3], other;
	char *end;

	for (size_t i = 0; i < 3; i++, text = end) {
		value[i] = strtoll(text, &end, 10);
		if (end == text || value[i] < 0)
			return err_set(err, -EINVAL, "a task has a kind, milliseconds, KiB");
	}
	if (!burst->task && burst->count > 0)
		return err_set(err, -EINVAL, "a burst has either a count or tasks");
	if (value[0] >= TRACE_KINDS || burst->count == TRACE_TASKS)
		return err_set(err, -ERANGE,
			"kinds are below %d, and a burst has up to %d tasks", TRACE_KINDS,
			TRACE_TASKS);
	task.kind = (int)value[0];
	task.duration_ms = value[1];
	task.bytes = value[2] << 10;
	for (; other = strtoll(text, &end, 10), end != text; text = end) {
		if (other < 0 || other >= burst->count) {
			free(task.after);
			return err_set(
				err, -EINVAL, "%" PRId64 " is no task before this", other);
		}
		task.after =
			xrealloc(task.after, (size_t)(task.afters + 1) * sizeof(*task.after));
		task.after[task.afters++] = (int)other;
		burst->task[other].needed_by = xrealloc(burst->task[other].needed_by,
			(size_t)(burst->task[other].needs + 1) * sizeof(int));
		burst->task[other].needed_by[burst->task[other].needs++] = burst->count;
	}
	burst->task = xrealloc(burst->task, (size_t)(burst->count + 1) * sizeof(*burst->task));
	burst->task[burst->count++] = task;
	return 0;
}

void trace_finish(struct trace *trace)
{
	for (int i = 0; i < trace->bursts; i++) {
		struct trace_burst *burst = &trace->burst[i];

		for (int k = 0; burst->task && k < burst->count; k++) {
			free(burst->task[k].after);
			free(burst->task[k].needed_by);
		}
		free(burst->task);
	}
	*trace = (struct trace){.bursts = 0};
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
	for (int i = 0; i < trace->bursts; i++) {
		if (trace->burst[i].count == 0)
			return err_set(err, -EINVAL, "burst %d has no task", i);
	}
	return trace->bursts > 0 ? 0 : err_set(err, -EINVAL, "no burst");
}

static int read_lines(const char *path, bool may_include, struct trace *trace, struct err *err);

/* include FILE: what stands in that one, which lies beside this one. */
static int include(const char *path, const char *name, struct trace *trace, struct err *err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *other =
		xasprintf("%.*s%s", slash ? (int)(slash - path) + 1 : 0, path, name);

	return read_lines(other, false, trace, err);
}

static int read_lines(const char *path, bool may_include, struct trace *trace, struct err *err)
{
	_cleanup_free_ char *text = NULL;
	char *rest, *line;
	size_t size;
	int r = slurp(path, &text, &size, err), number = 0;

	if (r == -ENOENT)
		return err_set(err, r, "there is no %s", path);
	if (r < 0) {
		err_prefix(err, "%s", path);
		return r;
	}
	for (rest = text; r == 0 && (line = strsep(&rest, "\n")) != NULL;) {
		char *word[WORDS], *part, *in = line;
		int words = 0;

		number++;
		line[strcspn(line, "#")] = '\0';
		if (strncmp(line, "t ", 2) == 0) {
			r = trace->bursts == 0
				? err_set(err, -EINVAL, "a task before the first burst")
				: parse_task(line + 2, &trace->burst[trace->bursts - 1], err);
			continue;
		}
		while ((part = strsep(&in, " \t")) != NULL && words < WORDS) {
			if (part[0])
				word[words++] = part;
		}
		if (may_include && words == 2 && strcmp(word[0], "include") == 0)
			r = include(path, word[1], trace, err);
		else if (words > 0)
			r = parse_line(word, words, trace, err);
	}
	if (r < 0)
		err_prefix(err, "%s:%d", path, number);
	return r;
}

int trace_read(const char *path, struct trace *ret, struct err *err)
{
	const char *name = strrchr(path, '/');
	struct trace trace;
	int r;

	trace_init(&trace);
	snprintf(trace.name, sizeof(trace.name), "%s", name ? name + 1 : path);
	trace.name[strcspn(trace.name, ".")] = '\0';
	r = read_lines(path, true, &trace, err);
	if (r == 0 && (r = check(&trace, err)) < 0)
		err_prefix(err, "%s", path);
	if (r < 0) {
		trace_finish(&trace);
		return r;
	}
	*ret = trace;
	return 0;
}
