/* status_jobs.c: the jobs in dracoctl status: one row for each, or one for several similar jobs. */
#include "client/status_jobs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/output.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/parse.h"
#include "common/strv.h"

#define ROWS_MAX 12 /* if there are more jobs, similar ones share rows */
#define ID_MAX	 20 /* a longer list of tasks becomes a number */

enum { JOB, PHASE, FOR, PARTITION, NODE, WORKERS, TASKS, TIME, LEFT, NOTE, COLUMNS };

/* One job, or tasks of an array with the same phase and reason. */
struct row {
	const json_t *job; /* the first job */
	size_t count;
	struct strv tasks; /* numbers of the tasks, as ranges */
	long last_task;
	json_int_t workers, processes, busy, bytes;
	int64_t phase_ms;   /* the longest time in the phase */
	int64_t start, end; /* the earliest of each; 0: not known */
	json_t *nodes;	    /* an object whose keys are their names; NULL: none */
};

static const char *text_of(const json_t *job, const char *name)
{
	return json_get_text(job, name, "");
}

static bool is_in(const json_t *job, const char *phase)
{
	return strcmp(text_of(job, "phase"), phase) == 0;
}

/* The length of "4711" in "4711_3". */
static size_t array_length(const char *id)
{
	return strcspn(id, "_");
}

static bool is_same(const json_t *a, const json_t *b, const char *name)
{
	return strcmp(text_of(a, name), text_of(b, name)) == 0;
}

static bool is_alike(const json_t *a, const json_t *b)
{
	const char *one = text_of(a, "id"), *other = text_of(b, "id");
	size_t length = array_length(one);

	return one[length] && array_length(other) == length &&
		strncmp(one, other, length) == 0 && is_same(a, b, "phase") &&
		is_same(a, b, "partition") && is_same(a, b, "reason") && is_same(a, b, "end") &&
		json_equal(json_object_get(a, "options"), json_object_get(b, "options")) &&
		!json_get_boolean(a, "stuck", 0) && !json_get_boolean(b, "stuck", 0);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return !a || (b && b < a) ? b : a;
}

/* Add the job's task number: extend the last range, or begin another. */
static void add_task(struct row *row, const char *id)
{
	const char *number = id + array_length(id);
	long task = *number ? strtol(number + 1, NULL, 10) : 0;
	struct strv *tasks = &row->tasks;

	if (row->count > 0 && task == row->last_task + 1) {
		char **last = &tasks->item[tasks->count - 1];
		char *range = xasprintf("%.*s-%ld", (int)strcspn(*last, "-"), *last, task);

		free(*last);
		*last = range;
	} else {
		strv_addf(tasks, "%ld", task);
	}
	row->last_task = task;
}

static void add_job(struct row *row, const json_t *job)
{
	int64_t phase_ms = json_get_ms(job, "phase_s");

	add_task(row, text_of(job, "id"));
	if (row->count++ == 0)
		row->job = job;
	row->workers += json_get_integer(job, "workers", 0);
	row->processes += json_get_integer(job, "processes", 0);
	row->busy += json_get_integer(job, "busy", 0);
	row->bytes += json_get_integer(job, "bytes", 0);
	if (phase_ms > row->phase_ms)
		row->phase_ms = phase_ms;
	row->start = earlier(row->start, json_get_time(job, "start_time"));
	row->end = earlier(row->end, json_get_time(job, "end_time"));
	if (!*text_of(job, "nodes"))
		return;
	if (!row->nodes)
		row->nodes = json_object();
	json_object_set_new(row->nodes, text_of(job, "nodes"), json_null());
}

/* "4711_3", "4711_[0-3,5]" or "4711 (37 jobs)" */
static char *row_id(const struct row *row)
{
	const char *id = json_get_text(row->job, "id", "-");
	int length = (int)array_length(id);
	_cleanup_free_ char *tasks = strv_join(&row->tasks, ",");

	if (row->count == 1)
		return xstrdup(id);
	if (length + (int)strlen(tasks) + 3 > ID_MAX)
		return xasprintf("%.*s (%zu jobs)", length, id, row->count);
	return xasprintf("%.*s_[%s]", length, id, tasks);
}

static char *row_nodes(const struct row *row)
{
	size_t count = json_object_size(row->nodes);

	return count > 1 ? xasprintf("%zu nodes", count) : xstrdup(text_of(row->job, "nodes"));
}

/* How long the job has been running. */
static char *row_time(const struct row *row)
{
	time_t now = time(NULL);
	char text[FORMAT_MAX];

	if (!row->start || is_in(row->job, "gone"))
		return xstrdup("");
	return xstrdup(format_walltime(now > row->start ? now - row->start : 0, text));
}

/* How long the job may still run; not for a job that is being ended. */
static char *row_left(const struct row *row)
{
	time_t now = time(NULL);
	char text[FORMAT_MAX];

	if (!row->start || row->end <= row->start || is_in(row->job, "gone") ||
		is_in(row->job, "ending"))
		return xstrdup("");
	return xstrdup(format_walltime(row->end > now ? row->end - now : 0, text));
}

/* "idle for 2 min, holds 1.2 GiB" */
static char *row_use(const struct row *row)
{
	int64_t idle_ms = row->count == 1 ? json_get_ms(row->job, "idle_s") : 0;
	_cleanup_free_ char *first = NULL, *second = NULL;
	char text[FORMAT_MAX];

	if (idle_ms >= 1000)
		first = xasprintf("idle for %s", format_duration(idle_ms / 1000 * 1000, text));
	if (row->bytes > 0)
		second = xasprintf("holds %s", format_bytes(row->bytes, text));
	return xasprintf("%s%s%s", first ? first : "", first && second ? ", " : "",
		second ? second : "");
}

static char *row_note(const struct ctl *ctl, const struct row *row)
{
	int64_t predicted = json_get_time(row->job, "predicted_start");
	const char *reason = text_of(row->job, "reason");
	char when[OUTPUT_TIME_MAX];

	if (json_get_boolean(row->job, "stuck", 0)) {
		_cleanup_free_ char *retire = output_command(ctl, "retire --force");

		return xasprintf("its results have nowhere to go (%s %s)", retire,
			json_get_text(row->job, "id", "?"));
	}
	if (json_get_text(row->job, "end", NULL))
		return xstrdup(text_of(row->job, "end"));
	if (*reason && predicted)
		return xasprintf(
			"%s; expected to start %s", reason, output_time(predicted, when));
	return *reason ? xstrdup(reason) : row_use(row);
}

/* The partition, and the options that jobs have there alone: "short qos=debug". */
static char *row_place(const struct row *row)
{
	return output_place(
		text_of(row->job, "partition"), json_object_get(row->job, "options"));
}

static void add_row(const struct ctl *ctl, struct table *table, const struct row *row)
{
	const char *phase = json_get_text(row->job, "phase", "?");
	char spent[FORMAT_MAX];
	char *cells[COLUMNS] = {
		[JOB] = row_id(row),
		[PHASE] = xstrdup(phase),
		[FOR] = xstrdup(format_duration(row->phase_ms, spent)),
		[PARTITION] = row_place(row),
		[NODE] = row_nodes(row),
		[WORKERS] = xasprintf("%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT,
			row->workers, row->processes),
		[TASKS] = row->workers > 0 ? xasprintf("%" JSON_INTEGER_FORMAT, row->busy)
					   : xstrdup(""),
		[TIME] = row_time(row),
		[LEFT] = row_left(row),
		[NOTE] = row_note(ctl, row),
	};

	for (int column = 0; column < COLUMNS; column++)
		table_add(table, column == PHASE ? output_state_colour(phase) : COLOUR_NONE,
			cells[column]);
}

static struct row *find_alike(struct row *rows, size_t count, const json_t *job)
{
	while (count-- > 0)
		if (is_alike(rows[count].job, job))
			return &rows[count];
	return NULL;
}

void status_jobs_print(const struct ctl *ctl, const json_t *jobs, bool all)
{
	_cleanup_free_ char *each = output_command(ctl, "status --all");
	static const char *const titles[COLUMNS] = {"JOB", "PHASE", "FOR", "PARTITION", "NODE",
		"WORKERS", "TASKS", "TIME", "LEFT", "NOTE"};
	/* The columns that a narrow terminal hides, the least important first. */
	static const int spare[] = {FOR, TIME, PARTITION, TASKS};
	struct table table = {.columns = COLUMNS, .spare = spare, .spares = 4};
	struct row *rows = xcalloc(json_array_size(jobs) + 1, sizeof(*rows));
	const json_t *job;
	size_t i, used = 0;

	json_array_foreach (jobs, i, job) {
		struct row *row = all || json_array_size(jobs) <= ROWS_MAX
			? NULL
			: find_alike(rows, used, job);

		add_job(row ? row : &rows[used++], job);
	}
	for (i = 0; i < used; i++) {
		add_row(ctl, &table, &rows[i]);
		strv_finish(&rows[i].tasks);
		json_decref(rows[i].nodes);
	}
	free(rows);
	table_print(&table, titles);
	if (used < json_array_size(jobs))
		printf("%s%s shows each job in a row of its own%s\n",
			output_colour(COLOUR_FAINT), each, output_colour(COLOUR_NONE));
}

char *status_jobs_summary(const json_t *jobs)
{
	static const char *const phases[] = {"ready", "starting", "pending", "submitted", "new",
		"draining", "retiring", "ending", "gone"};
	struct strv parts = STRV_INIT;
	const json_t *job;
	char *text;
	size_t i;

	for (size_t phase = 0; phase < sizeof(phases) / sizeof(phases[0]); phase++) {
		size_t count = 0;

		json_array_foreach (jobs, i, job)
			count += is_in(job, phases[phase]);
		if (count > 0)
			strv_addf(&parts, "%zu %s", count, phases[phase]);
	}
	text = strv_join(&parts, ", ");
	strv_finish(&parts);
	return text;
}
