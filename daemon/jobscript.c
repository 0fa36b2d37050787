/* jobscript.c: the batch script that runs the Dask workers of one job. Pure. */
#include "daemon/jobscript.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"

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

char *jobscript_make(const struct jobscript *job)
{
	_cleanup_free_ char *python = shell_quote(job->python);
	_cleanup_free_ char *scheduler = shell_quote(job->scheduler);
	_cleanup_free_ char *lifetime = xstrdup("");

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
		"worker= stopped= local_directory=\n"
		"stop() { [ -z \"$worker\" ] || kill -TERM \"$worker\" 2>/dev/null; stopped=yes; }\n"
		"trap stop TERM INT\n"
		"trap 'rm -rf -- \"$local_directory\"' EXIT\n"
		"%s"
		"local_directory=$(mktemp -d \"$base/draco-$job-XXXXXX\") || exit 1\n"
		"%s -m distributed.cli.dask_worker %s \\\n"
		"\t--name " JOBSCRIPT_WORKER_PREFIX "\"$job\" --nworkers %" PRId64
		" --nthreads %" PRId64 " --memory-limit %" PRId64 " \\\n"
		"\t--local-directory \"$local_directory\" --no-dashboard \\\n"
		"\t--death-timeout %" PRId64 "%s &\n"
		"worker=$!\n"
		"[ -z \"$stopped\" ] || stop\n"
		"while :; do\n"
		"\tstopped=\n"
		"\twait \"$worker\"\n"
		"\tstatus=$?\n"
		"\t[ -n \"$stopped\" ] || break # a signal had ended wait: the status is not the worker's\n"
		"done\n"
		"exit \"$status\"\n",
		job->cluster, job->use_scratch_dir ? scratch_part : "base=${TMPDIR:-/tmp}\n",
		python, scheduler, job->processes, job->threads, job->bytes,
		job->death_timeout_s, lifetime);
}

static const char *skip_digits(const char *text)
{
	return text + strspn(text, "0123456789");
}

int jobscript_job_id_length(const char *worker_name)
{
	const char *id, *end, *rest;

	if (strncmp(worker_name, JOBSCRIPT_WORKER_PREFIX, strlen(JOBSCRIPT_WORKER_PREFIX)) != 0)
		return 0;
	id = worker_name + strlen(JOBSCRIPT_WORKER_PREFIX);
	end = skip_digits(id);
	if (end == id)
		return 0;
	if (*end == '_') { /* a task of an array */
		rest = skip_digits(end + 1);
		if (rest == end + 1)
			return 0;
		end = rest;
	}
	if (*end == '-') { /* one of several workers */
		rest = skip_digits(end + 1);
		if (rest == end + 1 || *rest)
			return 0;
	} else if (*end) {
		return 0;
	}
	return (int)(end - id);
}
