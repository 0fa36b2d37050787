/* confirm.c: asking a person before work is lost. */
#include "client/confirm.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/parse.h"

char *confirm_question(const json_t *load)
{
	json_int_t running = json_get_integer(load, "running", 0) +
		json_get_integer(load, "long_running", 0);
	json_int_t ready = json_get_integer(load, "ready", 0);
	json_int_t memory = json_get_integer(load, "memory", 0);
	_cleanup_free_ char *tasks = NULL;
	char size[FORMAT_MAX];

	if (running > 0 || ready > 0)
		tasks = xasprintf("%" JSON_INTEGER_FORMAT " task%s and %" JSON_INTEGER_FORMAT
				  " wait%s",
			running, running == 1 ? " runs" : "s run", ready,
			ready == 1 ? "s" : "");
	if (memory <= 0)
		return tasks ? xasprintf("%s; stop anyway?", tasks) : NULL;
	return xasprintf("Results of %s are in memory%s%s; stop anyway?",
		format_bytes(memory, size), tasks ? ", " : "", tasks ? tasks : "");
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
