/* cmd_env.c: dracoctl env: the variables that make Client() connect, for a shell. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ask.h"
#include "client/ctl.h"
#include "client/need.h"
#include "client/output.h"
#include "client/request.h"
#include "client/variables.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/rpc.h"

static void print_sh(const char *name, const char *value)
{
	_cleanup_free_ char *word = variables_quote_sh(value);

	printf("export %s=%s\n", name, word);
}

static void print_csh(const char *name, const char *value)
{
	_cleanup_free_ char *word = variables_quote_csh(value);

	printf("setenv %s %s;\n", name, word);
}

static void print_fish(const char *name, const char *value)
{
	_cleanup_free_ char *word = variables_quote_fish(value);

	printf("set -gx %s %s\n", name, word);
}

/* On a JupyterHub, let Dask link to the dashboard through the hub's proxy. A link that the user has
 * set stays. */
static void adapt_link(json_t *environment)
{
	static const char name[] = "DASK_DISTRIBUTED__DASHBOARD__LINK";
	const char *hub = getenv("JUPYTERHUB_SERVICE_PREFIX");
	const char *own = getenv(name);

	if (own && strchr(own, '{'))
		json_object_del(environment, name);
	else if (hub && *hub && *json_get_text(environment, name, ""))
		json_object_set_new(environment, name,
			json_string("{JUPYTERHUB_SERVICE_PREFIX}proxy/{port}/status"));
}

static const struct format {
	const char *name;
	void (*print)(const char *name, const char *value); /* NULL: print JSON */
} formats[] = {{"sh", print_sh}, {"csh", print_csh}, {"fish", print_fish}, {"json", NULL}, {0}};

static const struct format *find_format(const struct ctl *ctl, const char *name)
{
	for (const struct format *f = formats; f->name; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	output_error(ctl, "--format %s is not known: give sh, csh, fish or json", name);
	return NULL;
}

int cmd_env(struct ctl *ctl, int argc, char **argv)
{
	const struct format *format = &formats[0];
	_cleanup_json_ json_t *environment = NULL;
	struct refusal refusal = {0};
	struct connection connection;
	struct err err = ERR_INIT;
	const char *name;
	json_t *value;
	int r;

	while (command_option(ctl, argc, argv) != -1) {
		format = find_format(ctl, optarg);
		if (!format)
			return CTL_USAGE;
	}
	command_no_more_arguments(ctl, argc, argv);
	r = connection_need(&connection, ctl);
	if (r != CTL_DONE)
		return r;
	r = connection_ask(&connection, ctl, "environment", NULL, &environment, &refusal, &err);
	connection_close(&connection);
	json_decref(refusal.data);
	if (r == 0)
		r = variables_check(environment, &err);
	if (r < 0) {
		output_error(ctl, "%s", err.text);
		return refusal.code == RPC_NOT_RUNNING ? CTL_NOT_RUNNING : CTL_FAILED;
	}
	adapt_link(environment);
	variables_keep_preloads(environment);
	if (ctl->json || !format->print) {
		output_json(environment);
		return CTL_DONE;
	}
	json_object_foreach (environment, name, value)
		format->print(name, json_string_value(value));
	return CTL_DONE;
}
