/* unconfirmed.c: describes the jobs that may still run after a stop, from dracod's answer. Pure. */
#include "client/unconfirmed.h"

#include "client/output.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/strv.h"
#include "common/visible.h"

#define SHOWN_MAX 8

/* "12_0, 12_1 and 3 more" */
static char *name_jobs(const json_t *jobs)
{
	struct strv names = STRV_INIT;
	_cleanup_free_ char *list = NULL;
	size_t count = json_array_size(jobs), i;
	const json_t *job;

	json_array_foreach (jobs, i, job)
		if (i < SHOWN_MAX && json_is_string(job))
			strv_take(&names, visible_text(json_string_value(job), ""));
	list = strv_join(&names, ", ");
	strv_finish(&names);
	return count > SHOWN_MAX ? xasprintf("%s and %zu more", list, count - SHOWN_MAX)
				 : TAKE_PTR(list);
}

char *unconfirmed_text(const struct ctl *ctl, const json_t *result, bool ends_dracod)
{
	json_int_t count = json_get_integer(result, "unconfirmed", 0);
	_cleanup_free_ char *names = name_jobs(json_object_get(result, "jobs"));
	bool answers = json_get_boolean(result, "slurm_answers", 0);
	_cleanup_free_ char *start = output_command(ctl, "start");
	_cleanup_free_ char *later =
		xasprintf("the next %s %s", start, answers ? "continues" : "ends what is left");
	const char *next =
		answers ? "dracod keeps trying" : "dracod ends what is left as soon as it does";

	if (count == 0)
		return NULL;
	if (ends_dracod)
		next = later;
	if (ends_dracod && json_get_boolean(result, "stays", 0))
		next = answers ? "dracod keeps trying, and ends after that"
			       : "dracod ends what is left as soon as it does, and then itself";
	return xasprintf("%s: %" JSON_INTEGER_FORMAT
			 " job%s %s%s%s%s; %s (squeue --me shows %s)",
		answers ? "Slurm has not ended all" : "Slurm does not answer", count,
		count == 1 ? "" : "s",
		answers ? count == 1 ? "runs on" : "run on" : "may still run",
		*names ? " (" : "", names, *names ? ")" : "", next, count == 1 ? "it" : "them");
}
