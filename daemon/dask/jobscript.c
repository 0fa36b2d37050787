/* jobscript.c: the batch script that runs the Dask workers of one job. Pure. */
#include "daemon/dask/jobscript.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/argv.h"
#include "common/cleanup.h"
#include "common/expand.h"
#include "common/strv.h"
#include "daemon/dask/jobscript_text.h"
#include "daemon/dask/node_address.h"

/* The variable that tells Dask how to start worker processes. */
#define JOBSCRIPT_WORKER_START "DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD"

/* The words of the script's call for the directory: it, and the variables in it. */
static char *directory_words(const char *directory)
{
	struct strv words = STRV_INIT;
	char *text;

	strv_take(&words, expand_shell(directory));
	expand_names(directory, &words);
	text = strv_join(&words, " ");
	strv_finish(&words);
	return text;
}

static void add_variable(struct strv *lines, const char *name, const char *value)
{
	_cleanup_free_ char *quoted = shell_quote(value ? value : "");

	strv_addf(lines, "draco_%s=%s", name, quoted);
}

/* Add the words of the command for Python, as an array. */
static void add_python(struct strv *lines, const struct strv *python)
{
	struct strv words = STRV_INIT;
	_cleanup_free_ char *joined = NULL;

	for (size_t i = 0; i < python->count; i++)
		strv_take(&words, shell_quote(python->item[i]));
	joined = strv_join(&words, " ");
	strv_addf(lines, "draco_python=(%s)", joined);
	strv_finish(&words);
}

static void add_worker_start(struct strv *lines, const struct jobscript *job)
{
	_cleanup_free_ char *mark = NULL;

	strv_addf(lines, "export " JOBSCRIPT_WORKER_START "=%s",
		job->forkserver ? "forkserver" : "spawn");
	if (!job->forkserver || !job->spawn_mark)
		return;
	mark = shell_quote(job->spawn_mark);
	strv_addf(lines, "[ ! -e %s ] || export " JOBSCRIPT_WORKER_START "=spawn", mark);
}

/* Add an option for a range of ports; Dask writes "9000:9100". */
static void add_ports(
	struct strv *words, const char *option, const struct jobscript_ports *ports)
{
	if (ports->first == ports->last && ports->first)
		strv_addf(words, "%s %d", option, ports->first);
	else if (ports->first)
		strv_addf(words, "%s %d:%d", option, ports->first, ports->last);
}

/* Add the command line of the workers. */
static void add_command(struct strv *lines, const struct jobscript *job)
{
	_cleanup_free_ char *scheduler = shell_quote(job->scheduler);
	_cleanup_free_ char *bytes = xasprintf("%" PRId64, job->bytes);
	_cleanup_free_ char *threads = xasprintf("%" PRId64, job->threads);
	struct strv words = STRV_INIT;

	if (job->bytes <= 0)
		strv_addf(lines, "draco_find_memory %s %" PRId64,
			job->whole_node ? "node" : "share", job->processes);
	if (job->threads <= 0)
		strv_addf(lines, "draco_find_threads %" PRId64, job->processes);
	strv_addf(&words, "draco_run %s", scheduler);
	strv_addf(&words,
		"--name " JOBSCRIPT_WORKER_PREFIX "\"$draco_job\" --nworkers %" PRId64
		" --nthreads %s --memory-limit %s",
		job->processes, job->threads > 0 ? threads : "\"$draco_threads\"",
		job->bytes > 0 ? bytes : "\"$draco_bytes\"");
	strv_addf(&words,
		"--host \"$host\" --no-dashboard --dashboard-address 127.0.0.1:0 "
		"--local-directory \"$draco_directory\" --death-timeout %" PRId64,
		job->death_timeout_s);
	add_ports(&words, "--worker-port", &job->worker_ports);
	add_ports(&words, "--nanny-port", &job->nanny_ports);
	for (size_t i = 0; job->options && i < job->options->count; i++)
		strv_take(&words, shell_quote(job->options->item[i]));
	strv_take(lines, strv_join(&words, " \\\n\t"));
	strv_finish(&words);
}

char *jobscript_make(const struct jobscript *job)
{
	_cleanup_free_ char *scratch = job->scratch ? directory_words(job->scratch) : NULL;
	_cleanup_free_ char *modules = job->preimport ? strv_join(job->preimport, " ") : NULL;
	_cleanup_free_ char *address =
		node_address_script("\"${draco_python[@]}\"", job->scheduler, job->interface);
	struct strv lines = STRV_INIT;
	char *script;

	strv_add(&lines, "#!/bin/bash");
	strv_addf(&lines, "# Dask workers of the cluster \"%s\", submitted by dracod.",
		job->cluster);
	strv_addf(&lines,
		"draco_exit_prologue=%d draco_exit_python=%d draco_exit_directory=%d "
		"draco_exit_certificate=%d draco_exit_scheduler=%d",
		JOBSCRIPT_EXIT_PROLOGUE, JOBSCRIPT_EXIT_PYTHON, JOBSCRIPT_EXIT_DIRECTORY,
		JOBSCRIPT_EXIT_CERTIFICATE, JOBSCRIPT_EXIT_SCHEDULER);
	strv_addf(&lines, "draco_watch=%" PRId64, job->watch_s);
	add_python(&lines, job->python);
	add_variable(&lines, "program", jobscript_program);
	add_variable(&lines, "preimport", modules);
	add_variable(&lines, "prologue", job->prologue);
	add_variable(&lines, "epilogue", job->epilogue);
	strv_add(&lines, "");
	strv_add(&lines, jobscript_functions);
	strv_add(&lines, "draco_begin");
	strv_addf(&lines, "draco_make_directory %s", scratch ? scratch : "''");
	add_worker_start(&lines, job);
	if (job->prologue)
		strv_add(&lines,
			"draco_begin_prologue $LINENO\n"
			"eval \"$draco_prologue\"$'\\n:'\n"
			"draco_end_prologue");
	strv_add(&lines, "draco_check_python");
	strv_add(&lines, "draco_check_certificate");
	strv_add(&lines, address);
	add_command(&lines, job);
	strv_add(&lines, "");
	script = strv_join(&lines, "\n");
	strv_finish(&lines);
	return script;
}

const char *jobscript_explain_exit(int status)
{
	switch (status) {
	case JOBSCRIPT_EXIT_PROLOGUE:
		return "its prologue failed";
	case JOBSCRIPT_EXIT_PYTHON:
		return "the node has no such Python, or no distributed in it";
	case JOBSCRIPT_EXIT_DIRECTORY:
		return "the node has no place for local files";
	case JOBSCRIPT_EXIT_CERTIFICATE:
		return "the node cannot read the cluster's certificate";
	case JOBSCRIPT_EXIT_ADDRESS:
		return "the node cannot reach the scheduler's address";
	case JOBSCRIPT_EXIT_SCHEDULER:
		return "the node cannot connect to the scheduler";
	default:
		return NULL;
	}
}

bool jobscript_workers_may_exit(int status)
{
	/* Above 128: a signal's number, as a shell tells it. */
	return status <= 1 || status > 128;
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
	if (*end == '_') { /* it is a task of an array */
		rest = skip_digits(end + 1);
		if (rest == end + 1)
			return 0;
		end = rest;
	}
	if (*end == '-') { /* it is one of several workers */
		rest = skip_digits(end + 1);
		if (rest == end + 1 || *rest)
			return 0;
	} else if (*end) {
		return 0;
	}
	return (int)(end - id);
}
