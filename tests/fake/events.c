/* events.c: records the events of the fake world. */
#include "events.h"

#include <inttypes.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/strv.h"
#include "world.h"

static struct strv timeline; /* all events, with times */
static struct strv lines;    /* events since the last forget() */
static int64_t next = 1;     /* the number of the next event of dracod */

void world_note(const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	strv_addf(&timeline, "%10.3f         %s", (double)clock_ms() / 1000, text);
}

void events_hear(const json_t *event)
{
	const char *name = json_get_text(event, "name", NULL);
	const char *tail = json_get_text(event, "tail", NULL);

	next = json_integer_value(json_object_get(event, "id")) + 1;
	strv_addf(&lines, "%s%s%s: %s%s%s", json_get_text(event, "subject", "?"),
		name ? " " : "", name ? name : "", json_get_text(event, "text", "?"),
		tail ? "\n" : "", tail ? tail : "");
	strv_addf(&timeline, "%10.3f dracod: %s", (double)clock_ms() / 1000,
		lines.item[lines.count - 1]);
}

int64_t events_next_number(void)
{
	return next;
}

int times_told(const char *part)
{
	int times = 0;

	for (size_t i = 0; i < lines.count; i++)
		times += strstr(lines.item[i], part) != NULL;
	return times;
}

bool told(const char *part)
{
	return times_told(part) > 0;
}

void forget(void)
{
	strv_finish(&lines);
}

void events_print(void)
{
	for (size_t i = 0; i < timeline.count; i++)
		fprintf(stderr, "%s\n", timeline.item[i]);
}

void events_clear(void)
{
	strv_finish(&timeline);
	strv_finish(&lines);
	next = 1;
}
