/* cmd_logs.c: dracoctl logs: a log of the cluster, from its end, and on with what is added. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/ctl.h"
#include "client/output.h"
#include "client/request.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/parse.h"

#define LINES_DEFAULT 50
#define FOLLOW_US     200000 /* inotify does not see what another host writes */

/* Where the last lines begin. */
static off_t find_start(FILE *file, int64_t lines)
{
	char block[4096];
	off_t end, at;
	int64_t seen = 0;

	fseeko(file, 0, SEEK_END);
	end = at = ftello(file);
	while (at > 0) {
		size_t size = at > (off_t)sizeof(block) ? sizeof(block) : (size_t)at;

		at -= (off_t)size;
		fseeko(file, at, SEEK_SET);
		if (fread(block, 1, size, file) != size)
			return 0;
		for (size_t i = size; i > 0; i--)
			if (block[i - 1] == '\n' && at + (off_t)i < end && ++seen == lines)
				return at + (off_t)i;
	}
	return 0;
}

static void copy_rest(FILE *file)
{
	char block[8192];
	size_t n;

	clearerr(file);
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		fwrite(block, 1, n, stdout);
	fflush(stdout);
}

/* The file under the name is another one, or shorter than what was read. */
static bool is_replaced(FILE *file, const char *path)
{
	struct stat open_file, named;

	return stat(path, &named) == 0 && fstat(fileno(file), &open_file) == 0 &&
		(named.st_ino != open_file.st_ino || named.st_dev != open_file.st_dev ||
			named.st_size < ftello(file));
}

static int show(const struct ctl *ctl, const char *path, int64_t lines, bool follow)
{
	FILE *file = fopen(path, "re");

	while (!file && errno == ENOENT && follow) { /* the job's first line is still to come */
		usleep(FOLLOW_US);
		file = fopen(path, "re");
	}
	if (!file) {
		output_error(ctl, "cannot read %s: %s", path, strerror(errno));
		return CTL_FAILED;
	}
	fseeko(file, lines > 0 ? find_start(file, lines) : 0, lines > 0 ? SEEK_SET : SEEK_END);
	copy_rest(file);
	while (follow && !ferror(stdout)) {
		usleep(FOLLOW_US);
		if (is_replaced(file, path)) {
			FILE *next = fopen(path, "re");

			if (next) {
				fclose(file);
				file = next;
			}
		}
		copy_rest(file);
	}
	fclose(file);
	return CTL_DONE;
}

/* A job that the user names as in the status: "42", "42_0". */
static char *find_job(const struct ctl *ctl, const json_t *logs, const char *wanted)
{
	const json_t *jobs = json_object_get(logs, "jobs");
	const char *path = json_get_text(jobs, wanted, NULL);
	_cleanup_free_ char *known = xstrdup("");
	const char *id;
	json_t *value;

	if (path)
		return xstrdup(path);
	json_object_foreach (UNCONST(jobs), id, value) {
		char *longer = xasprintf("%s%s%s", known, *known ? ", " : "", id);

		free(known);
		known = longer;
	}
	output_error(ctl,
		"there is no job \"%s\" (%s%s); \"scheduler\" and \"daemon\" have logs, too",
		wanted, *known ? "known: " : "none is known", known);
	return NULL;
}

static char *find_log(struct ctl *ctl, const char *wanted, int *ret_status)
{
	_cleanup_json_ json_t *logs = NULL;
	struct refusal refusal = {0};
	struct connection connection;
	struct err err = ERR_INIT;
	const char *path;
	int r = paths_init(&ctl->paths, ctl->name, &err);

	*ret_status = r < 0 ? CTL_USAGE : CTL_DONE;
	if (r < 0) {
		output_error(ctl, "%s", err.text);
		return NULL;
	}
	if (strcmp(wanted, "daemon") == 0) /* also of one that does not run any more */
		return xstrdup(ctl->paths.log_file);
	*ret_status = connection_need(&connection, ctl);
	if (*ret_status != CTL_DONE)
		return NULL;
	*ret_status = CTL_FAILED;
	r = connection_call(&connection, "logs", NULL, NULL, NULL, &logs, &refusal, &err);
	connection_close(&connection);
	json_decref(refusal.data);
	if (r < 0) {
		output_error(ctl, "%s", err.text);
		return NULL;
	}
	if (strcmp(wanted, "scheduler") != 0)
		return find_job(ctl, logs, wanted);
	path = json_get_text(logs, "scheduler", NULL);
	if (!path)
		output_error(ctl, "no Dask scheduler was started yet");
	return path ? xstrdup(path) : NULL;
}

int cmd_logs(struct ctl *ctl, int argc, char **argv)
{
	_cleanup_free_ char *path = NULL;
	const char *wanted = "daemon";
	int64_t lines = LINES_DEFAULT;
	struct err err = ERR_INIT;
	bool follow = false;
	int option, status;

	while ((option = command_option(ctl, argc, argv)) != -1) {
		if (option == COMMAND_OPTION) {
			follow = true;
		} else if (parse_integer(optarg, 0, INT64_MAX, &lines, &err) < 0) {
			output_error(ctl, "--lines: %s", err.text);
			return CTL_USAGE;
		}
	}
	if (optind < argc)
		wanted = argv[optind++];
	command_no_more_arguments(ctl, argc, argv);
	path = find_log(ctl, wanted, &status);
	return path ? show(ctl, path, lines, follow) : status;
}
