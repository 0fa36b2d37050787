/* main.c of dracod: its options, and the report to the program that started it. */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/err.h"
#include "common/log.h"
#include "common/parse.h"
#include "common/paths.h"
#include "daemon/daemon.h"
#include "daemon/io/lines.h"
#include "daemon/io/starter_main.h"
#include "daemon/io/writer.h"
#include "daemon/logclean.h"
#include "systemd/notify.h"

#define STAY_SOCKET_MS 600000

static const char usage[] =
	"Usage: dracod [OPTION]...\n"
	"Run one Dask cluster on Slurm for this user. dracoctl(1) starts dracod when needed.\n"
	"\n"
	"  --name NAME      name of the cluster (" PATHS_NAME_DEFAULT ")\n"
	"  --instance NAME --slurm JSON\n"
	"                   instead: name of the state directory, and its Slurm; for dracoctl\n"
	"  --log-file FILE  log to FILE instead of standard error; SIGHUP reopens it\n"
	"  --ready-fd N     write \"ready\", or why not, to file descriptor N and close it\n"
	"  --stay S         exit after S seconds without a cluster and a client (0: never, the\n"
	"                   default; 600 when systemd has started dracod by a socket)\n"
	"  --debug          log more\n"
	"  --clean-logs DIR --retention S\n"
	"                   only remove the log directories in DIR that are older than S seconds\n"
	"  --clean-state DIR\n"
	"                   with it: also the state in DIR of clusters inside Slurm jobs\n"
	"  --starter        only start processes for the dracod at standard input; for systemd\n"
	"  --help, --version\n";

static int usage_error(const char *what, const char *value)
{
	fprintf(stderr, "dracod: %s%s%s; see dracod --help\n", what, value ? ": " : "",
		value ? value : "");
	return 2;
}

/* Write one line to the program that waits for dracod. */
static void report(int fd, const char *text)
{
	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0 || write(fd, "\n", 1) < 0)
		log_warning("nobody waits for the report \"%s\"", text);
	close(fd);
}

/* Returns -1 to go on, otherwise an exit status. */
static int parse(int argc, char **argv, struct daemon_options *options)
{
	static const struct option table[] = {
		{"name", required_argument, NULL, 'n'},
		{"instance", required_argument, NULL, 'i'},
		{"slurm", required_argument, NULL, 'S'},
		{"log-file", required_argument, NULL, 'l'},
		{"ready-fd", required_argument, NULL, 'r'},
		{"stay", required_argument, NULL, 's'},
		{"debug", no_argument, NULL, 'd'},
		{"clean-logs", required_argument, NULL, 'c'},
		{"clean-state", required_argument, NULL, 'C'},
		{"retention", required_argument, NULL, 'R'},
		{"starter", no_argument, NULL, 'T'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	const char *clean_logs = NULL, *clean_state = NULL;
	int64_t fd, stay_s, retention_s = -1;
	int option;

	while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (option) {
		case 'n':
			options->name = optarg;
			break;
		case 'i':
			options->name = optarg;
			options->exact = true;
			break;
		case 'S':
			options->slurm = json_loads(optarg, JSON_DECODE_ANY, NULL);
			if (!options->slurm)
				return usage_error("--slurm is not JSON", optarg);
			break;
		case 'l':
			options->log_file = optarg;
			break;
		case 'r':
			if (parse_integer(optarg, 0, 1 << 20, &fd, NULL) < 0 ||
				fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
				return usage_error(
					"--ready-fd is not an open descriptor", optarg);
			options->ready_fd = (int)fd;
			break;
		case 's':
			if (parse_integer(optarg, 0, INT64_MAX / 1000, &stay_s, NULL) < 0)
				return usage_error("--stay is not a number of seconds", optarg);
			options->stay_ms = stay_s * 1000;
			break;
		case 'd':
			options->debug = 1;
			break;
		case 'c':
			clean_logs = optarg;
			break;
		case 'C':
			clean_state = optarg;
			break;
		case 'R':
			if (parse_integer(optarg, 1, INT64_MAX, &retention_s, NULL) < 0)
				return usage_error(
					"--retention is not a number of seconds", optarg);
			break;
		case 'T':
			return starter_main();
		case 'h':
			fputs(usage, stdout);
			return 0;
		case 'V':
			puts("dracod " PACKAGE_VERSION);
			return 0;
		default:
			return usage_error("wrong option", NULL);
		}
	}
	if (optind < argc)
		return usage_error("unexpected argument", argv[optind]);
	if ((clean_logs != NULL) != (retention_s > 0))
		return usage_error("--clean-logs and --retention belong together", NULL);
	if (clean_logs)
		return logclean_main(clean_logs, clean_state, retention_s);
	return -1;
}

int main(int argc, char **argv)
{
	struct daemon_options options = {
		.name = PATHS_NAME_DEFAULT, .ready_fd = -1, .stay_ms = -1};
	struct err err = ERR_INIT;
	struct daemon *daemon;
	int status = parse(argc, argv, &options);

	if (status >= 0)
		return status;
	/* The socket that started dracod starts it again when it is needed. */
	if (options.stay_ms < 0)
		options.stay_ms = notify_has_socket() ? STAY_SOCKET_MS : 0;
	daemon = daemon_create(&options, &err);
	report(options.ready_fd, daemon ? "ready" : err.text);
	if (!daemon) {
		log_error("%s", err.text);
		return 1;
	}
	if (writer_begin(daemon_loop(daemon), &err) < 0)
		log_warning("%s: dracod waits for each write to its files", err.text);
	else
		lines_take_log();
	status = daemon_run(daemon) < 0;
	if (daemon_has_left(daemon)) {
		writer_outlast(WRITER_STATE); /* the next one needs the record */
		_exit(DAEMON_LEFT);
	}
	daemon_destroy(daemon);
	json_decref(UNCONST(options.slurm));
	log_close();
	if (!writer_end(WRITER_END_MS))
		_exit(status); /* a thread hangs, and exit() would free what it uses */
	return status;
}
