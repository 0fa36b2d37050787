/* node_findings.c: reports the results of dracoctl doctor's job on a node. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/doctor.h"
#include "client/node_answers.h"
#include "client/node_visit.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/logdir.h"
#include "common/parse.h"

#define TAIL_LINES 3

const char *visit_fact(const struct visit *visit, const char *name)
{
	return json_get_text(visit->doctor->facts, name, NULL);
}

const char *visit_answer(const struct visit *visit, const char *name)
{
	return json_get_text(visit->answers, name, NULL);
}

bool visit_is_pending(const struct visit *visit)
{
	const char *state = json_get_text(visit->job, "state", "");

	return strcmp(state, "PENDING") == 0 || strcmp(state, "CONFIGURING") == 0;
}

static const char *host(const struct visit *visit)
{
	const char *name = json_get_text(visit->job, "nodes", NULL);

	return name && *name		      ? name
		: visit_answer(visit, "host") ? visit_answer(visit, "host")
					      : "the node";
}

static void tell_home(const struct visit *visit)
{
	_cleanup_free_ char *path = xasprintf("%s/answer.log", visit->directory);
	_cleanup_free_ char *written = logdir_tail(path, 1);
	const char *seen = visit_answer(visit, "token");
	const char *why = visit_answer(visit, "token_error");

	if (!why)
		why = visit_answer(visit, "answer_error");
	if (seen && strcmp(seen, visit->token) == 0 && written &&
		strcmp(written, visit->token) == 0)
		report_finding(visit->report, FINDING_OK, "shared home", NULL,
			"%s sees the files that this host writes, and vice versa", host(visit));
	else
		report_finding(visit->report, FINDING_FAILED, "shared home",
			"set log_directory to a directory that this host and the nodes share",
			"%s and this host do not see the same files in %s%s%s", host(visit),
			visit->directory, why ? ": " : "", why ? why : "");
}

static void tell_python(const struct visit *visit)
{
	const char *versions = visit_answer(visit, "python");
	const char *here = visit_fact(visit, "distributed");
	char python[64] = "?", distributed[64] = "?";

	if (!versions) {
		report_finding(visit->report, FINDING_FAILED, "node python",
			"install Python and distributed where the nodes see them, or name another "
			"with --python",
			"%s is not usable on %s: %s", visit_fact(visit, "python"), host(visit),
			visit_answer(visit, "python_error")
				? visit_answer(visit, "python_error")
				: "no answer");
		return;
	}
	sscanf(versions, "%63s %63s", python, distributed);
	report_finding(visit->report,
		strcmp(distributed, here) == 0 &&
				strcmp(python, visit_fact(visit, "python_version")) == 0
			? FINDING_OK
			: FINDING_WARNING,
		"node python", "the same versions on all hosts: Dask needs that",
		"%s with distributed %s on %s, here %s with %s", python, distributed,
		host(visit), visit_fact(visit, "python_version"), here);
}

static void tell_network(const struct visit *visit)
{
	const char *got = visit_answer(visit, "network");
	const char *why = visit_answer(visit, "network_error");

	if (visit->listener < 0)
		report_finding(visit->report, FINDING_WARNING, "network",
			visit->no_listener.code == -EADDRINUSE
				? "a running cluster of yours may listen there"
				: "the setting interface chooses another address",
			"not tried: scheduler_port %s: %s",
			visit->doctor->settings.scheduler_port, visit->no_listener.text);
	else if (got && strcmp(got, visit->token) == 0)
		report_finding(visit->report, FINDING_OK, "network", NULL,
			"%s reaches this host at %s, port %d", host(visit), visit->address,
			visit->port);
	else
		report_finding(visit->report, FINDING_FAILED, "network",
			"a firewall? Ask the administrators which ports of this host nodes may "
			"reach, and set scheduler_port to them, or interface to another network",
			"%s cannot connect to %s, port %d: %s", host(visit), visit->address,
			visit->port, why ? why : "no answer");
}

const struct node_ports node_ports_of[NODE_PORTS] = {
	{SETTING_WORKER_PORT, "worker"},
	{SETTING_NANNY_PORT, "nanny"},
};

/* The ports at which workers or nannies would listen on the node. */
static void tell_node_ports(const struct visit *visit, int i)
{
	const char *name = node_ports_of[i].name;
	_cleanup_free_ char *title = xasprintf("%s ports", name);
	_cleanup_free_ char *range =
		settings_format(&visit->doctor->settings, node_ports_of[i].id);
	_cleanup_free_ char *at_name = xasprintf("%s_at", name),
			    *got_name = xasprintf("%s_got", name);
	_cleanup_free_ char *error_name = xasprintf("%s_error", name);
	const char *at = visit_answer(visit, at_name), *got = visit_answer(visit, got_name);
	const char *why = visit_answer(visit, error_name);
	int first, last;

	if (!settings_ports(&visit->doctor->settings, node_ports_of[i].id, &first, &last))
		return;
	if (got && strcmp(got, visit->token) == 0)
		report_finding(visit->report, FINDING_OK, title, NULL,
			"this host reaches %s at %s", host(visit), at);
	else if (at)
		report_finding(visit->report, FINDING_FAILED, title,
			"a firewall? Ask the administrators which ports of the nodes may be "
			"reached, and set worker_port and nanny_port to them",
			"this host cannot connect to %s at %s: %s", host(visit), at,
			visit->not_reached[i].code ? visit->not_reached[i].text
				: why		   ? why
						   : "no answer");
	else
		report_finding(visit->report, FINDING_FAILED, title,
			"a range with more ports, or another one",
			"%s cannot listen there (%s): %s", host(visit), range,
			why ? why : "no answer");
}

static void tell_scratch(const struct visit *visit)
{
	const char *scratch = visit_answer(visit, "scratch");
	char path[4096] = "/scratch", room[FORMAT_MAX];
	long long kib = 0;

	if (scratch && sscanf(scratch, "%lld %4095s", &kib, path) == 2)
		report_finding(visit->report, kib < 1024 * 1024 ? FINDING_WARNING : FINDING_OK,
			"scratch", "use_scratch_dir: false, or make room there",
			"%s on %s, %s free", path, host(visit), doctor_size(kib / 1024, room));
	else if (visit->doctor->settings.use_scratch_dir)
		report_finding(visit->report, FINDING_WARNING, "scratch",
			"use_scratch_dir: false; workers then keep their files in TMPDIR",
			"%s: %s", host(visit),
			visit_answer(visit, "scratch_error")
				? visit_answer(visit, "scratch_error")
				: "?");
}

static void tell_limits(const struct visit *visit)
{
	long long tmp =
		atoll(visit_answer(visit, "tmp_kib") ? visit_answer(visit, "tmp_kib") : "0");
	long long memory = atoll(
		visit_answer(visit, "memory_kib") ? visit_answer(visit, "memory_kib") : "0");
	const char *files = visit_answer(visit, "files");
	bool few = files && atoll(files) > 0 && atoll(files) < 1024;
	char tmp_text[FORMAT_MAX], memory_text[FORMAT_MAX];

	report_finding(visit->report, tmp < 512 * 1024 || few ? FINDING_WARNING : FINDING_OK,
		"node limits",
		"workers need room for what does not fit into memory, and about 1000 open files",
		"%s: %s of memory available, %s free in %s, %s open files", host(visit),
		doctor_size(memory / 1024, memory_text), doctor_size(tmp / 1024, tmp_text),
		visit_answer(visit, "tmp") ? visit_answer(visit, "tmp") : "/tmp",
		files ? files : "?");
}

static void tell_clock(const struct visit *visit)
{
	json_int_t submitted = json_get_integer(visit->job, "submit_time", 0);
	const char *time_text = visit_answer(visit, "time");
	double at = time_text ? strtod(time_text, NULL) : 0;
	enum finding finding;
	char text[256];

	/* slurmctld's times are in whole seconds. */
	if (submitted > 0) {
		finding = node_clock_judge("slurmctld", (double)submitted - visit->after_submit,
			(double)submitted + 1 - visit->before_submit, text, sizeof(text));
		report_finding(visit->report, finding, "clock",
			"ask the administrators for NTP on all hosts", "%s", text);
	}
	if (at > 0) {
		finding = node_clock_judge(host(visit), at - visit->log_seen,
			at - visit->not_started, text, sizeof(text));
		report_finding(visit->report, finding, "clock",
			"ask the administrators for NTP on all hosts", "%s", text);
	}
}

void visit_tell_all(const struct visit *visit)
{
	const char *time_text = visit_answer(visit, "time");
	double waited = time_text ? visit->log_seen - visit->before_submit : 0;
	char text[FORMAT_MAX];

	report_finding(visit->report, FINDING_OK, "node job", NULL,
		"job %" JSON_INTEGER_FORMAT " ran on %s, %s after its submission",
		visit->job_id, host(visit), format_duration((int64_t)(waited * 1000), text));
	tell_home(visit);
	tell_python(visit);
	tell_network(visit);
	for (int i = 0; i < NODE_PORTS; i++)
		tell_node_ports(visit, i);
	tell_scratch(visit);
	tell_limits(visit);
	tell_clock(visit);
}

/* The job has ended without all answers. */
void visit_tell_broken(const struct visit *visit)
{
	_cleanup_free_ char *tail = logdir_tail(visit->log, TAIL_LINES);

	if (!tail) {
		report_finding(visit->report, FINDING_FAILED, "shared home",
			"set log_directory to a directory that this host and the nodes share",
			"job %" JSON_INTEGER_FORMAT
			" has ended (%s on %s), but the file that it wrote to %s "
			"is not visible here",
			visit->job_id, json_get_text(visit->job, "state", "?"), host(visit),
			visit->directory);
		return;
	}
	for (char *c = tail; *c; c++)
		if (*c == '\n')
			*c = ' ';
	report_finding(visit->report, FINDING_FAILED, "node job",
		"the log of the job is kept there",
		"job %" JSON_INTEGER_FORMAT " did not finish its checks (%s on %s): %s (%s)",
		visit->job_id, json_get_text(visit->job, "state", "?"), host(visit), tail,
		visit->log);
}

void visit_tell_late(const struct visit *visit)
{
	char waited[FORMAT_MAX];

	format_duration(visit->doctor->wait_ms, waited);
	if (!visit->job || visit_is_pending(visit))
		report_finding(visit->report, FINDING_WARNING, "node job",
			"dracoctl doctor --nodes --wait LONGER, or --queues-to-try OTHER",
			"job %" JSON_INTEGER_FORMAT
			" has not started within %s and is cancelled: "
			"Slurm's reason is %s",
			visit->job_id, waited,
			json_get_text(visit->job, "reason", "not known"));
	else
		report_finding(visit->report, FINDING_FAILED, "node job",
			"is the node well? sinfo -N -l shows it",
			"job %" JSON_INTEGER_FORMAT " on %s does not end and is cancelled",
			visit->job_id, host(visit));
}
