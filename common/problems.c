/* problems.c: a list of errors and warnings, each with its place. */
#include "common/problems.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/strv.h"

void problems_finish(struct problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		free(problems->items[i].place);
		free(problems->items[i].text);
	}
	free(problems->items);
	*problems = (struct problems){0};
}

static bool is_known(const struct problems *problems, const char *place, const char *text)
{
	for (size_t i = 0; i < problems->count; i++)
		if (strcmp(problems->items[i].text, text) == 0 &&
			strcmp(problems->items[i].place ? problems->items[i].place : "",
				place ? place : "") == 0)
			return true;
	return false;
}

/* Takes text over. A problem is one line, so control characters in its text are replaced. */
static void add(struct problems *problems, bool warning, const char *place, char *text)
{
	for (char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = ' ';
	if (problems->count == PROBLEMS_MAX) {
		problems->errors += !warning;
		problems->dropped++;
		free(text);
		return;
	}
	if (is_known(problems, place, text)) {
		free(text);
		return;
	}
	problems->errors += !warning;
	problems->items =
		xrealloc(problems->items, (problems->count + 1) * sizeof(*problems->items));
	problems->items[problems->count++] = (struct problem){
		.warning = warning, .place = place ? xstrdup(place) : NULL, .text = text};
}

void problems_add(struct problems *problems, const char *place, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	add(problems, false, place, text);
}

void problems_warn(struct problems *problems, const char *place, const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	add(problems, true, place, text);
}

void problems_join_as_warnings(
	struct problems *problems, const struct problems *others, const char *remark)
{
	for (size_t i = 0; i < others->count; i++) {
		const struct problem *other = &others->items[i];
		size_t before = problems->count;

		add(problems, true, other->place,
			xasprintf("%s%s", other->text, other->warning ? "" : remark));
		if (problems->count > before)
			problems->items[before].left_out = !other->warning;
	}
}

void problems_drop_left_out(struct problems *problems)
{
	size_t kept = 0;

	for (size_t i = 0; i < problems->count; i++) {
		if (!problems->items[i].left_out) {
			problems->items[kept++] = problems->items[i];
			continue;
		}
		free(problems->items[i].place);
		free(problems->items[i].text);
	}
	problems->count = kept;
}

void problems_join(struct problems *problems, const struct problems *others)
{
	for (size_t i = 0; i < others->count; i++)
		add(problems, others->items[i].warning, others->items[i].place,
			xstrdup(others->items[i].text));
}

char *problem_line(const struct problem *problem)
{
	size_t length = problem->place ? strlen(problem->place) : 0;

	if (!length ||
		(strncmp(problem->text, problem->place, length) == 0 &&
			problem->text[length] == ' '))
		return xstrdup(problem->text);
	return xasprintf("%s: %s", problem->place, problem->text);
}

char *problems_text(const struct problems *problems, bool warnings)
{
	struct strv lines = STRV_INIT;
	char *text;

	for (size_t i = 0; i < problems->count; i++)
		if (problems->items[i].warning == warnings)
			strv_take(&lines, problem_line(&problems->items[i]));
	if (problems->dropped && !warnings)
		strv_addf(&lines, "... and %zu more", problems->dropped);
	text = strv_join(&lines, "\n");
	strv_finish(&lines);
	return text;
}

json_t *problems_to_json(const struct problems *problems)
{
	json_t *array = json_array();

	for (size_t i = 0; i < problems->count; i++)
		json_array_append_new(array,
			json_pack("{s:s, s:o, s:o}", "severity",
				problems->items[i].warning ? "warning" : "error", "place",
				json_text(problems->items[i].place), "message",
				json_text(problems->items[i].text)));
	return array;
}
