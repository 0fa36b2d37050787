/* node_answers.c: reads the job log of dracoctl doctor, and judges clocks. Pure. */
#include "client/node_answers.h"

#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"

#define PREFIX	      "doctor "
#define CLOCK_WARN_S  5
#define CLOCK_WRONG_S 300 /* munge refuses a larger difference */

static void read_line(json_t *object, const char *line, size_t length)
{
	_cleanup_free_ char *text = xstrndup(line, length);
	char *name = text + strlen(PREFIX);
	char *value;

	if (strncmp(text, PREFIX, strlen(PREFIX)) != 0)
		return;
	value = strchr(name, ' ');
	if (!value || value == name)
		return;
	*value++ = '\0';
	json_object_set_new(object, name, json_text(value));
}

json_t *node_answers_read(const char *text)
{
	json_t *object = json_object();
	const char *end;

	for (; (end = strchr(text, '\n')); text = end + 1)
		read_line(object, text, (size_t)(end - text));
	return object;
}

enum finding node_clock_judge(
	const char *who, double low, double high, char *ret_text, size_t size)
{
	double least = low > 0 ? low : high < 0 ? -high : 0; /* the least possible difference */
	double most = -low > high ? -low : high;

	if (least > CLOCK_WARN_S) {
		snprintf(ret_text, size, "the clock of %s is %s this host's by at least %.0f s",
			who, low > 0 ? "ahead of" : "behind", least);
		return least > CLOCK_WRONG_S ? FINDING_FAILED : FINDING_WARNING;
	}
	snprintf(ret_text, size, "the clock of %s differs from this host's by less than %.1f s",
		who, most);
	return FINDING_OK;
}
