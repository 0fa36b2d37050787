/* confirm.c: asks the user before work is lost, or others lose the cluster. */
#include "client/confirm.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/parse.h"
#include "common/strv.h"

/* Add the programs that would lose the cluster: those that are attached, and the number of
 * connected Client()s, which may belong to them. */
static void add_users(struct strv *parts, const json_t *status)
{
	const json_t *attached = json_object_get(status, "attached");
	const json_t *lease = json_array_get(attached, 0);
	size_t leases = json_array_size(attached);
	size_t clients = json_array_size(json_object_get(
		json_object_get(json_object_get(status, "scheduler"), "load"), "clients"));

	if (leases == 1)
		strv_addf(parts, "%s on %s is attached",
			json_get_text(lease, "notebook",
				json_get_text(lease, "program", "a program")),
			json_get_text(lease, "host", "?"));
	else if (leases > 1)
		strv_addf(parts, "%zu programs are attached", leases);
	if (clients > 0)
		strv_addf(parts, "%zu Client()%s connected", clients,
			clients == 1 ? " is" : "s are");
}

char *confirm_question(const json_t *status)
{
	const json_t *load = json_object_get(json_object_get(status, "scheduler"), "load");
	json_int_t running = json_get_integer(load, "running", 0) +
		json_get_integer(load, "long_running", 0);
	json_int_t ready = json_get_integer(load, "ready", 0);
	json_int_t memory = json_get_integer(load, "memory", 0);
	_cleanup_free_ char *what = NULL;
	struct strv parts = STRV_INIT;
	char size[FORMAT_MAX];

	if (memory > 0)
		strv_addf(&parts, "Results of %s are in memory", format_bytes(memory, size));
	if (running > 0 || ready > 0)
		strv_addf(&parts,
			"%" JSON_INTEGER_FORMAT " task%s and %" JSON_INTEGER_FORMAT " wait%s",
			running, running == 1 ? " runs" : "s run", ready,
			ready == 1 ? "s" : "");
	add_users(&parts, status);
	what = parts.count ? strv_join(&parts, ", ") : NULL;
	strv_finish(&parts);
	return what ? xasprintf("%s; stop anyway?", what) : NULL;
}

bool confirm_is_possible(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

bool confirm_ask(const char *question)
{
	char answer[16] = "";

	fprintf(stderr, "%s [y/N] ", question);
	if (!fgets(answer, sizeof(answer), stdin)) {
		fputc('\n', stderr);
		return false;
	}
	answer[strcspn(answer, "\r\n")] = '\0';
	return strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0;
}
