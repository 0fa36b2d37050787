/* main.c: sim, the simulator of draco's scaling. Its command line. */
#include <getopt.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "common/err.h"
#include "common/parse.h"
#include "tests/sim/sim.h"

static const char help[] =
	"Usage: sim check [--traces N] [--seed S] [--verbose]\n"
	"       sim run [--seed S] [--policy NAME] [--verbose] [TRACE]\n"
	"       sim compare [--seeds N] [--seed S] [--claims] [TRACE...]\n"
	"\n"
	"Simulate how draco scales a Dask cluster on Slurm, with its real policies.\n"
	"\n"
	"  check    run random traces, and check every rule at every step\n"
	"  run      run one trace: the random one of a seed, or a file\n"
	"  compare  run files, by default all of tests/sim/traces, with draco's policies and\n"
	"           with Dask's Adaptive as dask-jobqueue uses it\n"
	"\n"
	"  --traces N     how many (check; 500)\n"
	"  --seed S       the first one (1)\n"
	"  --seeds N      runs of each trace whose mean is printed (compare; 20)\n"
	"  --policy NAME  draco, draco+short, adaptive, adaptive+key, adaptive+fair,\n"
	"                 adaptive+fair+min (run; the one that check takes for the seed)\n"
	"  --decisions    run: print what Adaptive sees and decides, as JSON, and nothing else\n"
	"  --claims       compare: exit with 1 where the table is not as the README says\n"
	"  --verbose      run: print all that happens; check: print all violations\n"
	"  --help\n"
	"\n"
	"Exit status: 0 all is well, 1 a rule is broken, 2 wrong usage.\n";

static const struct option long_options[] = {
	{"traces", required_argument, NULL, 't'},
	{"seed", required_argument, NULL, 's'},
	{"seeds", required_argument, NULL, 'n'},
	{"policy", required_argument, NULL, 'p'},
	{"decisions", no_argument, NULL, 'd'},
	{"claims", no_argument, NULL, 'c'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

static int number(const char *text, int64_t *ret)
{
	struct err err = ERR_INIT;

	if (parse_integer(text, 0, INT64_C(1) << 40, ret, &err) == 0)
		return 0;
	fprintf(stderr, "sim: %s\n", err.text);
	return -1;
}

static int compare(struct sim_options *options)
{
	glob_t found = {.gl_pathc = 0};
	int status;

	if (options->files[0])
		return sim_compare(options);
	if (glob(SIM_TRACES "/*.trace", 0, NULL, &found) != 0) {
		fprintf(stderr, "sim: there is no trace in %s\n", SIM_TRACES);
		return 2;
	}
	options->files = found.gl_pathv;
	status = sim_compare(options);
	globfree(&found);
	return status;
}

int main(int argc, char *argv[])
{
	struct sim_options options = {.traces = 500, .seed = 1, .seeds = 20};
	const char *command;
	int c, r = 0;

	while ((c = getopt_long(argc, argv, "hv", long_options, NULL)) != -1 && r == 0) {
		if (c == 'h') {
			fputs(help, stdout);
			return 0;
		}
		if (c == '?')
			r = -1;
		else if (c == 't')
			r = number(optarg, &options.traces);
		else if (c == 's')
			r = number(optarg, &options.seed);
		else if (c == 'n')
			r = number(optarg, &options.seeds);
		else if (c == 'p')
			options.policy = optarg;
		else if (c == 'd')
			options.decisions = true;
		else if (c == 'c')
			options.claims = true;
		else if (c == 'v')
			options.verbose = true;
	}
	command = optind < argc ? argv[optind] : "";
	options.files = argv + optind + (optind < argc);
	if (r == 0 && options.seeds > 0 && strcmp(command, "check") == 0 && !options.files[0])
		return sim_check(&options);
	if (r == 0 && strcmp(command, "run") == 0)
		return sim_run(&options);
	if (r == 0 && options.seeds > 0 && strcmp(command, "compare") == 0)
		return compare(&options);
	fputs(help, stderr);
	return 2;
}
