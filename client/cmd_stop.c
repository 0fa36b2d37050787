/* cmd_stop.c: dracoctl stop and dracoctl shutdown. */
#include <stdio.h>
#include <string.h>

#include "client/confirm.h"
#include "client/ctl.h"
#include "client/need.h"
#include "client/output.h"
#include "client/request.h"
#include "client/unconfirmed.h"
#include "common/cleanup.h"
#include "common/json.h"

struct watching {
	const struct ctl *ctl;
	struct live live;
};

static bool on_notification(void *arg, const char *method, const json_t *params)
{
	struct watching *watching = arg;

	if (method && !watching->ctl->quiet && !watching->ctl->json)
		live_show(&watching->live, true, "%s", json_get_text(params, "message", ""));
	return true;
}

/* Returns whether to go on: nothing would be lost and no one else uses the cluster, or no one can
 * be asked, or the user agrees. */
static bool may_end(struct connection *connection)
{
	_cleanup_json_ json_t *status = NULL;
	_cleanup_free_ char *question = NULL;
	struct refusal refusal = {0};

	if (!confirm_is_possible())
		return true;
	/* If this request fails, the next one fails as well and gives the reason. */
	connection_call(connection, "status", NULL, NULL, NULL, &status, &refusal, NULL);
	json_decref(refusal.data);
	question = confirm_question(status);
	return !question || confirm_ask(question);
}

static int end(struct ctl *ctl, int argc, char **argv, const char *method, const char *done)
{
	struct watching watching = {.ctl = ctl};
	_cleanup_free_ char *left = NULL;
	_cleanup_json_ json_t *result = NULL;
	struct refusal refusal = {0};
	struct connection connection;
	struct err err = ERR_INIT;
	bool ends_dracod = strcmp(method, "shutdown") == 0, force = false;
	int option, r;

	while ((option = command_option(ctl, argc, argv)) != -1)
		force |= option == COMMAND_OPTION;
	command_no_more_arguments(ctl, argc, argv);
	r = connection_need(&connection, ctl);
	if (r != CTL_DONE)
		return r;
	if (!force && !may_end(&connection)) {
		connection_close(&connection);
		output_error(ctl, "nothing was stopped");
		return CTL_FAILED;
	}
	live_init(&watching.live);
	do {
		r = connection_call(&connection, method, NULL, on_notification, &watching,
			&result, &refusal, &err);
	} while (r < 0 && connection_renew(&connection, ctl, r));
	live_clear(&watching.live);
	connection_close(&connection);
	json_decref(refusal.data);
	if (r < 0) {
		output_error(ctl, "%s", err.text);
		return CTL_FAILED;
	}
	if (ctl->json)
		output_json(result);
	left = unconfirmed_text(ctl, result, ends_dracod);
	if (left && !ctl->json)
		output_error(ctl, "%s", left);
	else if (!ctl->json && !ctl->quiet && json_get_boolean(result, "stays", 0))
		printf("dracod \"%s\" ends as soon as jobs of an earlier cluster are gone.\n",
			ctl->paths.name);
	else if (!ctl->json && !ctl->quiet)
		printf(done, ctl->paths.name);
	return left ? CTL_FAILED : CTL_DONE;
}

int cmd_stop(struct ctl *ctl, int argc, char **argv)
{
	return end(
		ctl, argc, argv, "stop", "Cluster \"%s\" is stopped, nothing of it is left.\n");
}

int cmd_shutdown(struct ctl *ctl, int argc, char **argv)
{
	return end(ctl, argc, argv, "shutdown", "dracod \"%s\" has ended.\n");
}
