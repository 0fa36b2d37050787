/* check_node_address.c: tests of daemon/dask/node_address.c: its lines, run by bash and Python
 * on this host. */
#include "unit.h"

#include <sys/wait.h>

#include "common/alloc.h"
#include "daemon/dask/jobscript.h"
#include "daemon/dask/node_address.h"

/* Run the lines and print $host; returns the output of both channels, and the status. */
static char *run(const char *scheduler, const char *interface, int *ret_status)
{
	char *script = node_address_script("python3", scheduler, interface);
	char *text = xasprintf("exec 2>&1\n%secho \"<$host>\"\n", script);
	char *directory = unit_directory();
	char *path = unit_file(directory, "script", text, strlen(text));
	char *command = xasprintf("bash %s", path);
	char *output = xcalloc(4096, 1);
	FILE *pipe = popen(command, "re");

	ck_assert_ptr_nonnull(pipe);
	fread(output, 1, 4095, pipe);
	*ret_status = pclose(pipe);
	free(command);
	free(path);
	free(directory);
	free(text);
	free(script);
	return output;
}

static const struct {
	const char *scheduler, *interface;
	int status;
	const char *output; /* a part of it */
} rows[] = {
	{"tls://127.0.0.1:8786", NULL, 0, "<127.0.0.1>\n"},
	{"tcp://127.0.0.1:8786", "lo", 0, "<127.0.0.1>\n"},
	/* not there: said, and the one towards the scheduler */
	{"tls://127.0.0.1:8786", "ib7", 0, "<127.0.0.1>\n"},
	{"tls://127.0.0.1:8786", "ib7", 0,
		" has no interface ib7 that is up and has an IPv4 address: the workers use the one "
		"towards the scheduler\n"},
	/* a name that a shell or Python could trip over */
	{"tls://127.0.0.1:8786", "a'b\"; exit 7; $(echo x)", 0, "<127.0.0.1>\n"},
	/* no route */
	{"tls://255.255.255.255:8786", NULL, JOBSCRIPT_EXIT_ADDRESS,
		" cannot reach the scheduler's address 255.255.255.255: "},
};

START_TEST(lines)
{
	int status;
	char *output = run(rows[_i].scheduler, rows[_i].interface, &status);

	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == rows[_i].status, "%d: %s",
		status, output);
	ck_assert_msg(strstr(output, rows[_i].output) != NULL, "%s", output);
	free(output);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("node_address");
	TCase *all = tcase_create("node_address");

	tcase_add_loop_test(all, lines, 0, LENGTH(rows));
	suite_add_tcase(suite, all);
	return suite;
}
