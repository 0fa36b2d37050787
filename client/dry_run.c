/* dry_run.c: dracoctl start --dry-run: the places where the jobs would run. */
#include "client/dry_run.h"

#include <stdio.h>
#include <string.h>

#include "client/ctl.h"
#include "client/output.h"
#include "client/request.h"
#include "client/wrap.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/parse.h"
#include "common/rpc.h"

static char *describe_start(const json_t *candidate, int64_t now)
{
	int64_t start = json_get_time(candidate, "start");
	char wait[FORMAT_MAX], when[OUTPUT_TIME_MAX];

	if (!start)
		return xstrdup("");
	if (start <= now + 1)
		return xstrdup("at once");
	return xasprintf("%s, in %s", output_time((time_t)start, when),
		format_duration((start - now) * 1000, wait));
}

static void print_plan(const json_t *plan)
{
	static const char *const titles[] = {
		"", "PARTITION", "RESERVATION", "VERDICT", "STARTS", "NOTE"};
	json_int_t chosen = json_get_integer(plan, "chosen", -1);
	struct table table = {.columns = 6};
	const json_t *candidate;
	size_t i;

	json_array_foreach (json_object_get(plan, "candidates"), i, candidate) {
		const char *verdict = json_get_text(candidate, "verdict", "?");
		bool skipped = strcmp(verdict, "skipped") == 0;

		table_add(&table, COLOUR_GOOD, xstrdup((json_int_t)i == chosen ? "->" : ""));
		table_add(&table, COLOUR_NONE,
			output_place(
				json_get_text(candidate, "partition", "(the site chooses)"),
				json_object_get(candidate, "options")));
		table_add(&table, COLOUR_NONE,
			xstrdup(json_get_text(candidate, "reservation", "")));
		table_add(&table, skipped ? COLOUR_FAINT : COLOUR_GOOD, xstrdup(verdict));
		table_add(&table, COLOUR_NONE,
			describe_start(candidate, json_get_time(plan, "now")));
		table_add(&table, COLOUR_NONE, xstrdup(json_get_text(candidate, "reason", "")));
	}
	table_print(&table, titles);
	if (chosen < 0)
		wrap_print(stdout, 0, 0, "No place can run the jobs. Nothing was submitted.");
	else
		puts("Nothing was submitted.");
}

int dry_run_show(struct connection *connection, struct ctl *ctl, json_t *params)
{
	_cleanup_json_ json_t *plan = NULL;
	struct refusal refusal = {0};
	struct err err = ERR_INIT;
	int r = connection_call(connection, "plan", params, NULL, NULL, &plan, &refusal, &err);

	json_decref(refusal.data);
	if (r < 0) {
		output_error(ctl, "%s", err.text);
		return refusal.code == RPC_INVALID_PARAMS ? CTL_USAGE : CTL_FAILED;
	}
	if (ctl->json)
		output_json(plan);
	else if (!ctl->quiet)
		print_plan(plan);
	return json_get_integer(plan, "chosen", -1) < 0 ? CTL_FAILED : CTL_DONE;
}
