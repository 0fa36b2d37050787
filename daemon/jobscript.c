/* jobscript.c: the batch script that runs the Dask workers of one job. Pure. */
#include "daemon/jobscript.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/node_address.h"

char *shell_quote(const char *text)
{
	char *quoted = xcalloc(4 * strlen(text) + 3, 1);
	char *end = quoted;

	*end++ = '\'';
	for (; *text; text++)
		if (*text == '\'')
			end = stpcpy(end, "'\\''");
		else
			*end++ = *text;
	strcpy(end, "'");
	return quoted;
}

static const char scratch_part[] =
	"base=/scratch/$USER\n"
	"if ! mkdir -p \"$base\" 2>/dev/null || ! [ -w \"$base\" ]; then\n"
	"\techo \"draco: $base is missing or not writable on $(hostname):\" \\\n"
	"\t\t\"local files go to ${TMPDIR:-/tmp} (use_scratch_dir: false avoids this line)\"\n"
	"\tbase=${TMPDIR:-/tmp}\n"
	"fi\n";

/* A home directory that the node does not share shows here first. */
static const char certificate_part[] =
	"certificate=$DASK_DISTRIBUTED__COMM__TLS__CA_FILE\n"
	"if [ -n \"$certificate\" ] && ! [ -r \"$certificate\" ]; then\n"
	"\techo \"draco: $(hostname) cannot read $certificate: the nodes must share that\" \\\n"
	"\t\t\"directory with the host of dracod (XDG_STATE_HOME names another one)\"\n"
	"\texit 1\n"
	"fi\n";

char *jobscript_make(const struct jobscript *job)
{
	_cleanup_free_ char *python = shell_quote(job->python);
	_cleanup_free_ char *scheduler = shell_quote(job->scheduler);
	_cleanup_free_ char *lifetime = xstrdup("");
	_cleanup_free_ char *address =
		node_address_script(job->python, job->scheduler, job->interface);

	if (job->lifetime_s > 0) {
		free(lifetime);
		lifetime = xasprintf(" --lifetime %" PRId64 "s", job->lifetime_s);
	}
	/* The script stays between Slurm and the workers to remove their directory when they are
	 * gone; SIGTERM, which ends the job in good order, is handed on. */
	return xasprintf(
		"#!/bin/bash\n"
		"# Dask workers of the cluster \"%s\", submitted by dracod.\n"
		"job=$SLURM_JOB_ID\n"
		"[ -z \"$SLURM_ARRAY_JOB_ID\" ] || job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID\n"
		"%s%s%s"
		"local_directory=$(mktemp -d \"$base/draco-$job-XXXXXX\") || exit 1\n"
		"worker=\n"
		"stop() { [ -z \"$worker\" ] || kill -TERM \"$worker\" 2>/dev/null; stopped=yes; }\n"
		"trap stop TERM INT\n"
		"trap 'rm -rf -- \"$local_directory\"' EXIT\n"
		"%s -m distributed.cli.dask_worker %s --host \"$host\" \\\n"
		"\t--name " JOBSCRIPT_WORKER_PREFIX "\"$job\" --nworkers %" PRId64
		" --nthreads %" PRId64 " --memory-limit %" PRId64 " \\\n"
		"\t--local-directory \"$local_directory\" --no-dashboard "
		"--dashboard-address 127.0.0.1:0 \\\n"
		"\t--death-timeout %" PRId64 "%s &\n"
		"worker=$!\n"
		"[ -z \"$stopped\" ] || stop\n"
		"wait \"$worker\"\n"
		"status=$?\n"
		"while kill -0 \"$worker\" 2>/dev/null; do # a signal had ended wait\n"
		"\twait \"$worker\"\n"
		"\tstatus=$?\n"
		"done\n"
		"exit \"$status\"\n",
		job->cluster, certificate_part, address,
		job->use_scratch_dir ? scratch_part : "base=${TMPDIR:-/tmp}\n", python,
		scheduler, job->processes, job->threads, job->bytes, job->death_timeout_s,
		lifetime);
}

int jobscript_job_id_length(const char *worker_name)
{
	const char *id, *end;

	if (strncmp(worker_name, JOBSCRIPT_WORKER_PREFIX, strlen(JOBSCRIPT_WORKER_PREFIX)) != 0)
		return 0;
	id = end = worker_name + strlen(JOBSCRIPT_WORKER_PREFIX);
	while (isdigit((unsigned char)*end) || *end == '_')
		end++;
	if (*end && *end != '-')
		return 0;
	return (int)(end - id);
}
