/* start_request.c: reads a request to start, or to plan a start: its settings, environment and
 * directory. */
#include "daemon/control/start_request.h"

#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/environment.h"
#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "common/problems.h"
#include "common/rpc.h"
#include "common/settings_resolve.h"
#include "common/site_told.h"
#include "common/slurm_find.h"
#include "daemon/cluster/cluster.h"
#include "daemon/cluster/model.h"
#include "daemon/control/control.h"
#include "daemon/slurm/binding.h"

static void refuse_settings(struct client *client, const struct rpc_message *message,
	const struct problems *problems)
{
	_cleanup_free_ char *text = problems_text(problems, false);

	client_refuse(client, message->id, RPC_INVALID_PARAMS, text,
		json_pack("{s:o}", "problems", problems_to_json(problems)));
}

/* What is left out of the site's file and was not told yet, as lines. dracoctl tells it itself. */
static json_t *list_mistakes(
	const struct client *client, const struct paths *paths, struct problems *problems)
{
	json_t *list = json_array();

	if (strcmp(client_program(client), "dracoctl") == 0)
		return list;
	site_told_once(paths, problems);
	for (size_t i = 0; i < problems->count; i++) {
		_cleanup_free_ char *line = problem_line(&problems->items[i]);

		if (problems->items[i].left_out)
			json_array_append_new(list, json_text(line));
	}
	return list;
}

bool start_request_make(struct client *client, const struct rpc_message *message,
	const struct paths *paths, struct cluster_request *ret, json_t **ret_limits,
	json_t **ret_mistakes)
{
	const json_t *params = message->params;
	const char *directory = json_get_text(params, "directory", NULL);
	struct settings_inputs inputs = {
		.environment = json_object_get(params, "environment"),
		.options = json_object_get(params, "settings"),
		.profile = json_get_text(params, "profile", NULL),
	};
	struct settings_report report;
	bool good;

	*ret = (struct cluster_request){0};
	good = settings_resolve(&inputs, &ret->settings, &report) == 0;
	if (good) {
		_cleanup_free_ char *left_out = problems_text(&report.problems, true);

		if (*left_out)
			log_warning("settings: %s", left_out);
		*ret_limits = json_incref(report.limits);
		if (ret_mistakes)
			*ret_mistakes = list_mistakes(client, paths, &report.problems);
		environment_filter(inputs.environment, &ret->environment);
		if (directory && directory[0] == '/')
			ret->directory = xstrdup(directory);
	} else {
		refuse_settings(client, message, &report.problems);
		cluster_request_finish(ret);
	}
	settings_report_finish(&report);
	return good;
}

char *start_request_log_directory(const struct rpc_message *message)
{
	const json_t *params = message->params;
	struct settings_inputs inputs = {
		.environment = json_object_get(params, "environment"),
		.options = json_object_get(params, "settings"),
		.profile = json_get_text(params, "profile", NULL),
	};
	struct cluster_request request = {0};
	struct settings_report report;
	char *directory = NULL;

	if (settings_resolve(&inputs, &request.settings, &report) == 0 &&
		request.settings.log_directory) {
		environment_filter(inputs.environment, &request.environment);
		directory = cluster_log_base(&request, NULL);
	}
	settings_report_finish(&report);
	cluster_request_finish(&request);
	return directory;
}

bool start_request_check_slurm(struct client *client, const struct rpc_message *message,
	const struct binding *binding, struct cluster_request *request)
{
	struct err err = ERR_INIT;

	if (binding_check(binding, json_object_get(message->params, "environment"),
		    json_get_text(message->params, "directory", NULL), &request->slurm,
		    &err) == 0)
		return true;
	client_refuse(client, message->id, RPC_FAILED, err.text, NULL);
	return false;
}

void start_request_renew_token(const struct rpc_message *message, const struct binding *binding,
	struct cluster *cluster)
{
	struct binding_start start;
	const char *token = NULL;

	/* Only of a program that means the same Slurm. */
	if (binding_check(binding, json_object_get(message->params, "environment"),
		    json_get_text(message->params, "directory", NULL), &start, NULL) == 0)
		token = environment_get(&start.variables, SLURM_VARIABLE_TOKEN);
	if (token)
		cluster_renew_token(cluster, token);
	binding_start_finish(&start);
}

void start_request_log_limits(const json_t *limits)
{
	const json_t *limit;
	size_t i;

	json_array_foreach (limits, i, limit)
		log_info("settings: %s", json_get_text(limit, "message", ""));
}

json_t *start_request_differences(const struct settings *running, const struct settings *asked)
{
	json_t *list = json_array();

	for (int id = 0; id < SETTING_COUNT; id++) {
		_cleanup_free_ char *is = settings_format(running, id);
		_cleanup_free_ char *wished = settings_format(asked, id);

		if (strcmp(is, wished) != 0)
			json_array_append_new(list,
				json_pack("{s:s, s:o, s:o, s:o}", "setting",
					settings_table[id].name, "running", json_text(is),
					"asked", json_text(wished), "source",
					json_text(asked->source[id])));
	}
	return list;
}
