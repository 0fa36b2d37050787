/* output.c: the output for a person: errors, tables, colours, and a line that changes. */
#include "client/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client/ctl.h"
#include "client/wrap.h"
#include "common/alloc.h"
#include "common/batch_job.h"
#include "common/cleanup.h"
#include "common/host.h"
#include "common/json.h"
#include "common/problems.h"
#include "common/visible.h"

static void print_json(const json_t *value, size_t flags)
{
	_cleanup_free_ char *text =
		json_dumps(value, flags | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	_cleanup_free_ char *visible =
		text && isatty(STDOUT_FILENO) ? visible_json(text) : NULL;

	if (text)
		puts(visible ? visible : text);
}

void output_json(const json_t *value)
{
	print_json(value, JSON_INDENT(2));
}

void output_json_line(const json_t *value)
{
	print_json(value, JSON_COMPACT);
}

static void print_lines(FILE *file, const char *prefix, const char *text)
{
	do {
		int length = (int)strcspn(text, "\n");

		fprintf(file, "%s%.*s\n", prefix, length, text);
		text += length + (text[length] == '\n');
	} while (*text);
}

/* Print "dracoctl: ", or "dracoctl: warning: ", before each line of the text. */
static void print_message(const char *prefix, const char *text)
{
	do {
		size_t length = strcspn(text, "\n");
		_cleanup_free_ char *exact = xstrndup(text, length);
		_cleanup_free_ char *line = visible_text(exact, "\t");

		fputs(prefix, stderr);
		wrap_print(stderr, (int)strlen(prefix),
			(int)(strlen("dracoctl: ") + strspn(line, " ") + 2), line);
		text += length + (text[length] == '\n');
	} while (*text);
}

char *output_command(const struct ctl *ctl, const char *words)
{
	bool named = strcmp(ctl->name, batch_job_default_name()) != 0;

	return xasprintf("dracoctl %s%s%s%s", named ? "--name " : "", named ? ctl->name : "",
		named ? " " : "", words);
}

static void print_error(const struct ctl *ctl, const char *text, const json_t *data)
{
	if (ctl->json) {
		_cleanup_json_ json_t *object = json_pack("{s:o}", "error", json_text(text));

		if (data)
			json_object_set(object, "data", UNCONST(data));
		output_json(object);
		return;
	}
	print_message("dracoctl: ", text);
}

void output_warning(const struct ctl *ctl, const char *text)
{
	if (!ctl->quiet)
		print_message("dracoctl: warning: ", text);
}

void output_pause(const struct ctl *ctl, const json_t *status)
{
	const json_t *size = json_object_get(status, "size");
	_cleanup_free_ char *resume = output_command(ctl, "resume"), *text = NULL;

	if (!json_get_boolean(size, "paused", 0))
		return;
	text = xasprintf(
		"the cluster is paused (%s), and no jobs are requested: \"%s\" ends that",
		json_get_text(size, "paused_why", "?"), resume);
	output_warning(ctl, text);
}

char *output_place(const char *partition, const json_t *options)
{
	char *text = xstrdup(partition);
	const json_t *option;
	size_t i;

	json_array_foreach (options, i, option) {
		char *longer = xasprintf("%s %s", text, json_string_value(option));

		free(text);
		text = longer;
	}
	return text;
}

void output_warnings(const struct ctl *ctl, const json_t *list)
{
	const json_t *text;
	size_t i;

	json_array_foreach (UNCONST(list), i, text)
		if (json_is_string(text))
			output_warning(ctl, json_string_value(text));
}

char *output_elsewhere(const json_t *status)
{
	const char *host = json_get_text(json_object_get(status, "daemon"), "host", NULL);
	struct host here;

	host_get(&here);
	return host && strcmp(host, here.name) != 0 ? xasprintf(" on %s", host) : xstrdup("");
}

char *output_job_around(const json_t *status)
{
	const json_t *daemon = json_object_get(status, "daemon");
	const char *job = json_get_text(daemon, "job", NULL);

	return job ? xasprintf("Slurm job %s on %s, in which dracod runs", job,
			     json_get_text(daemon, "host", "?"))
		   : NULL;
}

void output_problems(const struct ctl *ctl, const struct problems *problems)
{
	_cleanup_free_ char *errors = problems_text(problems, false);
	_cleanup_free_ char *warnings = problems_text(problems, true);
	_cleanup_json_ json_t *data = NULL;

	if (*warnings)
		output_warning(ctl, warnings);
	if (!*errors)
		return;
	data = json_pack("{s:o}", "problems", problems_to_json(problems));
	print_error(ctl, errors, data);
}

void output_error(const struct ctl *ctl, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	print_error(ctl, text, NULL);
}

void output_log_tail(FILE *file, const json_t *data)
{
	const char *log = json_get_text(data, "log", NULL);
	const char *tail = json_get_text(data, "tail", NULL);

	if (!log)
		return;
	if (!tail) {
		fprintf(file, "  its log is empty or not there yet: %s\n", log);
		return;
	}
	fprintf(file, "  the end of its log, %s:\n", log);
	print_lines(file, "  | ", tail);
}

char *output_path(const char *path)
{
	const char *home = getenv("HOME");
	size_t length = home ? strlen(home) : 0;

	if (length > 1 && strncmp(path, home, length) == 0 && path[length] == '/')
		return xasprintf("~%s", path + length);
	return xstrdup(path);
}

void output_notices(FILE *file, const json_t *notices)
{
	const json_t *text;
	size_t i;

	json_array_foreach (notices, i, text) {
		if (!json_is_string(text))
			continue;
		fputs("  note: ", file);
		wrap_print(file, 8, 8, json_string_value(text));
	}
}

void output_failure(const struct ctl *ctl, const char *text, const json_t *data)
{
	print_error(ctl, text, data);
	if (ctl->json)
		return;
	output_notices(stderr, json_object_get(data, "notices"));
	output_log_tail(stderr, data);
}

const char *output_colour(enum colour colour)
{
	static const char *const sequences[] = {
		[COLOUR_NONE] = "\033[0m",
		[COLOUR_GOOD] = "\033[32m",
		[COLOUR_BUSY] = "\033[33m",
		[COLOUR_BAD] = "\033[31m",
		[COLOUR_FAINT] = "\033[2m",
	};
	static int wanted = -1;

	if (wanted < 0) {
		const char *no = getenv("NO_COLOR");

		wanted = isatty(STDOUT_FILENO) && !(no && *no);
	}
	return wanted ? sequences[colour] : "";
}

enum colour output_state_colour(const char *state)
{
	static const struct {
		const char *state;
		enum colour colour;
	} colours[] = {
		{"running", COLOUR_GOOD},
		{"ready", COLOUR_GOOD},
		{"up", COLOUR_GOOD},
		{"failed", COLOUR_BAD},
		{"stopped", COLOUR_FAINT},
		{"gone", COLOUR_FAINT},
	};

	for (size_t i = 0; i < sizeof(colours) / sizeof(colours[0]); i++)
		if (strcmp(colours[i].state, state) == 0)
			return colours[i].colour;
	return COLOUR_BUSY;
}

void table_add(struct table *table, enum colour colour, char *text)
{
	static const int step = 64;
	int used = table->rows; /* until the table is printed, used counts its cells */

	for (char *c = text; *c; c++) /* a cell has one line */
		if (*c == '\n' || *c == '\t')
			*c = ' ';
	if (used % step == 0) {
		size_t size = (size_t)(used + step);

		table->cells = xrealloc(table->cells, size * sizeof(*table->cells));
		table->colours = xrealloc(table->colours, size * sizeof(*table->colours));
	}
	table->cells[used] = text;
	table->colours[used] = colour;
	table->rows++;
}

/* Print the last cell of a row, which begins at column begin. If it has no room there, it gets a
 * line of its own. */
static void print_last(const char *text, int begin, int first_width)
{
	int width = wrap_width(stdout), indent = first_width + 4;
	bool fits = !width || begin + wrap_columns(text) <= width;
	_cleanup_free_ char *wrapped = wrap_text(text, width, indent, indent);

	if (!fits)
		printf("\n%*s", indent, "");
	fputs(fits ? text : wrapped, stdout);
}

/* The position on the terminal at which the last column of the table begins. */
static int table_begin(const struct table *table, const int *width, const bool *hidden)
{
	int begin = 0;

	for (int c = 0; c + 1 < table->columns; c++)
		begin += hidden[c] ? 0 : width[c] + 2;
	return begin;
}

/* Hide columns until the last one fits with its width. If it never fits, hide only as many as its
 * title needs. */
static void hide(const struct table *table, const int *width, int title, bool *hidden)
{
	int terminal = wrap_width(stdout), last = width[table->columns - 1];
	int needed = 0, wanted = 0;

	for (; wanted < table->spares; wanted++) {
		int begin = table_begin(table, width, hidden);

		if (!terminal || begin + last <= terminal)
			return;
		needed += begin + title > terminal;
		hidden[table->spare[wanted]] = true;
	}
	if (table_begin(table, width, hidden) + last <= terminal)
		return;
	for (int i = needed; i < table->spares; i++)
		hidden[table->spare[i]] = false;
}

static void find_widths(const struct table *table, const char *const *titles, int *width)
{
	for (int c = 0; c < table->columns; c++) {
		width[c] = (int)strlen(titles[c]);
		for (int i = c; i < table->rows; i += table->columns)
			if ((int)strlen(table->cells[i]) > width[c])
				width[c] = (int)strlen(table->cells[i]);
	}
}

void table_print(struct table *table, const char *const *titles)
{
	bool hidden[TABLE_COLUMNS_MAX] = {false};
	int width[TABLE_COLUMNS_MAX];
	int columns = table->columns, begin;

	find_widths(table, titles, width);
	hide(table, width, (int)strlen(titles[columns - 1]), hidden);
	begin = table_begin(table, width, hidden);
	for (int c = 0; c < columns; c++)
		if (!hidden[c])
			printf("%s%-*s%s%s", output_colour(COLOUR_FAINT),
				c + 1 < columns ? width[c] : 0, titles[c],
				output_colour(COLOUR_NONE), c + 1 < columns ? "  " : "\n");
	for (int i = 0; i < table->rows; i++) {
		int c = i % columns;
		enum colour colour = table->colours[i];

		if (!hidden[c]) {
			fputs(colour ? output_colour(colour) : "", stdout);
			if (c + 1 < columns)
				printf("%-*s", width[c], table->cells[i]);
			else
				print_last(table->cells[i], begin, width[0]);
			printf("%s%s", colour ? output_colour(COLOUR_NONE) : "",
				c + 1 < columns ? "  " : "\n");
		}
		free(table->cells[i]);
	}
	free(table->cells);
	free(table->colours);
	*table = (struct table){.columns = columns};
}

void live_init(struct live *live)
{
	const char *term = getenv("TERM");

	*live = (struct live){
		.on_terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0};
}

void live_clear(struct live *live)
{
	if (live->drawn)
		fputs("\r\033[K", stderr);
	live->drawn = false;
}

void live_keep(struct live *live)
{
	if (live->drawn)
		fputc('\n', stderr);
	live->drawn = false;
}

void live_show(struct live *live, bool is_new, const char *format, ...)
{
	struct winsize size;
	char exact[1024], text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(exact, sizeof(exact), format, args);
	va_end(args);
	visible_copy(text, sizeof(text), exact, "");
	if (!live->on_terminal) {
		if (is_new)
			fprintf(stderr, "%s\n", text);
		return;
	}
	/* A line that wraps could not be erased, so cut it. */
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 &&
		strlen(text) >= size.ws_col)
		text[size.ws_col - 1] = '\0';
	fprintf(stderr, "\r\033[K%s", text);
	fflush(stderr);
	live->drawn = true;
}

char *output_time(time_t when, char buffer[OUTPUT_TIME_MAX])
{
	time_t now = time(NULL);
	struct tm then, today;

	if (!when) {
		*buffer = '\0';
		return buffer;
	}
	if (!localtime_r(&when, &then) || !localtime_r(&now, &today)) {
		strcpy(buffer, "?");
		return buffer;
	}
	strftime(buffer, OUTPUT_TIME_MAX,
		then.tm_yday == today.tm_yday && then.tm_year == today.tm_year
			? "%H:%M:%S"
			: "%Y-%m-%d %H:%M",
		&then);
	return buffer;
}
