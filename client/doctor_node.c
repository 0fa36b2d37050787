/* doctor_node.c: check of dracoctl doctor: a short real job examines a node.
 *
 * The job writes its results to its log, in a log directory that is removed at the end. It is
 * cancelled when it takes too long, or when dracoctl is interrupted. If dracoctl cannot cancel it
 * any more, Slurm removes it by itself. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client/ctl.h"
#include "client/doctor.h"
#include "client/helper.h"
#include "client/node_answers.h"
#include "client/node_visit.h"
#include "client/small_job.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/expand.h"
#include "common/json.h"
#include "common/logdir.h"
#include "common/port.h"
#include "common/strv.h"
#include "common/tcp.h"

#define CALL_DEADLINE_MS 20000
#define TICK_MS		 250
#define CONNECT_MS	 5000
#define QUERY_S		 1
#define JOB_S		 300 /* the job's time limit in Slurm */
#define LOG_PATIENCE_S	 20  /* until output of a node is visible here */
#define LOG_MAX		 65536

/* The script gets its input by variables, so that nothing needs quotes. */
static const char script[] =
	"#!/bin/bash\n"
	"# A short job of dracoctl doctor: it looks at its node, and ends.\n"
	"tell() { printf 'doctor %s %s\\n' \"$1\" \"$(printf %s \"$2\" | tr '\\n\\t' '  ')\"; }\n"
	"try() {\n"
	"\tlocal name=$1 out; shift\n"
	"\tif out=$(\"$@\" 2>&1); then\n"
	"\t\ttell \"$name\" \"${out:-yes}\"\n"
	"\telse\n"
	"\t\ttell \"${name}_error\" \"${out:-$1 failed}\"\n"
	"\tfi\n"
	"}\n"
	"free_kib() { df -Pk \"$1\" | awk 'NR == 2 { print $4 }'; }\n"
	"answer() { printf '%s\\n' \"$DOCTOR_TOKEN\" >\"$DOCTOR_DIRECTORY/answer.log\"; }\n"
	"scratch() {\n"
	"\tlocal base made= probe\n"
	"\teval \"base=$DOCTOR_SCRATCH\"\n"
	"\t[ -d \"$base\" ] || made=yes\n"
	"\tmkdir -p -m 700 -- \"$base\" && check_base \"$base\" &&\n"
	"\t\tprobe=$(mktemp -d -- \"$base/.draco-doctor-XXXXXX\") && rmdir \"$probe\" || return\n"
	"\tprintf '%s %s' \"$(free_kib \"$base\")\" \"$base\"\n"
	"\t[ -z \"$made\" ] || rmdir \"$base\"\n"
	"}\n"
	"# As draco_check_base of the job script: another user could lead files elsewhere.\n"
	"check_base() {\n"
	"\tset -- \"$1\" $(stat -c %u -- \"$1\") $(stat -L -c '%u %a' -- \"$1\")\n"
	"\tif { [ \"$2\" != 0 ] && [ \"$2\" != \"$EUID\" ]; } ||\n"
	"\t\t{ [ \"$3\" != 0 ] && [ \"$3\" != \"$EUID\" ]; }; then\n"
	"\t\techo \"$1 belongs to another user\"\n"
	"\telif (($((8#$4)) & 8#0002)) && ! (($((8#$4)) & 8#1000)); then\n"
	"\t\techo \"$1 can be changed by all users (mode $4)\"\n"
	"\telse\n"
	"\t\treturn\n"
	"\tfi\n"
	"\treturn 1\n"
	"}\n"
	"network() {\n"
	"\ttimeout 10 bash -c 'exec 3<>\"/dev/tcp/$0/$1\" && read -r line <&3 &&\n"
	"\t\tprintf %s \"$line\"' \"$DOCTOR_ADDRESS\" \"$DOCTOR_PORT\"\n"
	"}\n"
	"python() { eval \"timeout 120 $DOCTOR_PYTHON\" '-c \"$DOCTOR_PROBE\"'; }\n"
	"listen() { eval \"timeout 90 $DOCTOR_PYTHON\" '-c \"$DOCTOR_LISTEN\" \"$@\"'; }\n"
	"tell time \"$(date +%s.%N)\"\n"
	"tell host \"$(hostname)\"\n"
	"cd /\n"
	"try token cat \"$DOCTOR_DIRECTORY/token.log\"\n"
	"try answer answer\n"
	"try scratch scratch\n"
	"try tmp_kib free_kib \"${TMPDIR:-/tmp}\"\n"
	"tell tmp \"${TMPDIR:-/tmp}\"\n"
	"tell memory_kib \"$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)\"\n"
	"tell files \"$(ulimit -n)\"\n"
	"[ -z \"$DOCTOR_PORT\" ] || try network network\n"
	"try python python\n"
	"for range in $DOCTOR_PORTS; do listen $range \"$DOCTOR_ADDRESS\"; done\n"
	"tell end ok\n";

static const char probe[] =
	"import sys, distributed\n"
	"print('%d.%d.%d' % sys.version_info[:3], distributed.__version__)\n";

/* Listens as a worker would at one of its ports, and waits for this host. arguments:
 * "NAME:FIRST-LAST" and the address of this host. */
static const char listen_probe[] =
	"import socket, sys\n"
	"name, ports = sys.argv[1].split(':')\n"
	"first, last = map(int, ports.split('-'))\n"
	"towards = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
	"towards.connect((sys.argv[2], 9))\n"
	"address = towards.getsockname()[0]\n"
	"def tell(key, text):\n"
	"    print('doctor', name + key, text, flush=True)\n"
	"for port in range(first, last + 1):\n"
	"    try:\n"
	"        server = socket.create_server((address, port))\n"
	"        break\n"
	"    except OSError as error:\n"
	"        why = error\n"
	"else:\n"
	"    tell('_error', f'none of the ports {ports} is free: {why}')\n"
	"    sys.exit()\n"
	"tell('_at', f'{address}:{port}')\n"
	"server.settimeout(60)\n"
	"try:\n"
	"    peer, _ = server.accept()\n"
	"    peer.settimeout(10)\n"
	"    tell('_got', peer.recv(64).decode().strip())\n"
	"except OSError as error:\n"
	"    tell('_error', error)\n";

static volatile sig_atomic_t asked_to_end;

static void on_term(int signal_number)
{
	(void)signal_number;
	asked_to_end = 1;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* As helper_call(), but starts a new helper if the last one was killed. */
static int ask(struct visit *visit, const char *method, json_t *params, json_t **ret_result,
	struct err *err)
{
	int r = 0;

	if (visit->helper.fd < 0) {
		_cleanup_free_ char *interface =
			settings_format(&visit->doctor->settings, SETTING_SLURM_INTERFACE);

		visit->helper = (struct helper)HELPER_INIT;
		visit->helper.interface = interface;
		r = helper_start(&visit->helper, &visit->doctor->ctl->paths, err);
		visit->helper.interface = NULL;
	}
	if (r < 0) {
		helper_stop(&visit->helper);
		json_decref(params);
		return r;
	}
	return helper_call(&visit->helper, method, params, CALL_DEADLINE_MS, ret_result, err);
}

/* Listen where a scheduler on this host would, to see whether a node can connect. */
static void listen_here(struct visit *visit)
{
	struct err *err = &visit->no_listener;
	int first, last;

	visit->port =
		settings_ports(&visit->doctor->settings, SETTING_SCHEDULER_PORT, &first, &last)
		? port_choose_in(visit->address, first, last, visit->doctor->ctl->name, err)
		: port_choose(visit->address, err);
	if (visit->port > 0)
		visit->listener = tcp_listen(visit->address, visit->port, err);
}

static void serve(const struct visit *visit)
{
	struct pollfd ready = {.fd = visit->listener, .events = POLLIN};
	_cleanup_close_ int fd = -1;

	if (poll(&ready, 1, TICK_MS) > 0)
		fd = accept4(visit->listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		dprintf(fd, "%s\n", visit->token);
}

/* The ports that workers and nannies would use, "worker:9000-9100 nanny:9200-9300"; "": any. */
static char *node_ports(const struct visit *visit)
{
	struct strv ranges = STRV_INIT;
	char *text;

	for (int i = 0; i < NODE_PORTS; i++) {
		int first, last;

		if (settings_ports(
			    &visit->doctor->settings, node_ports_of[i].id, &first, &last))
			strv_addf(&ranges, "%s:%d-%d", node_ports_of[i].name, first, last);
	}
	text = strv_join(&ranges, " ");
	strv_finish(&ranges);
	return text;
}

/* Connect to the node's listeners that have told where they are. */
static void call_node(struct visit *visit)
{
	for (int i = 0; i < NODE_PORTS; i++) {
		_cleanup_free_ char *name = xasprintf("%s_at", node_ports_of[i].name);
		const char *at = json_get_text(visit->answers, name, NULL);
		_cleanup_close_ int fd = -1;

		if (!at || visit->called[i])
			continue;
		visit->called[i] = true;
		fd = tcp_connect(at, CONNECT_MS, &visit->not_reached[i]);
		if (fd >= 0)
			dprintf(fd, "%s\n", visit->token);
	}
}

static int write_token(const struct visit *visit, struct err *err)
{
	_cleanup_free_ char *path = xasprintf("%s/token.log", visit->directory);
	_cleanup_fclose_ FILE *file = fopen(path, "we");

	if (!file || fprintf(file, "%s\n", visit->token) < 0 || fflush(file) != 0)
		return err_set(err, -errno, "cannot write %s: %s", path, strerror(errno));
	return 0;
}

/* The environment of the job: the caller's variables without those of a job around it, and the
 * input of the script. */
static json_t *make_environment(const struct visit *visit)
{
	_cleanup_free_ char *scratch = expand_shell(visit->doctor->settings.scratch_directory);
	_cleanup_free_ char *ports = node_ports(visit);
	json_t *list = json_array();

	for (char **variable = environ; *variable; variable++)
		if (strncmp(*variable, "SLURM_CONF=", strlen("SLURM_CONF=")) == 0 ||
			(strncmp(*variable, "SLURM", strlen("SLURM")) != 0 &&
				strncmp(*variable, "SBATCH", strlen("SBATCH")) != 0))
			json_array_append_new(list, json_text(*variable));
	json_array_append_new(list, json_sprintf("DOCTOR_DIRECTORY=%s", visit->directory));
	json_array_append_new(list, json_sprintf("DOCTOR_SCRATCH=%s", scratch));
	json_array_append_new(list, json_sprintf("DOCTOR_TOKEN=%s", visit->token));
	json_array_append_new(
		list, json_sprintf("DOCTOR_PYTHON=%s", visit_fact(visit, "python")));
	json_array_append_new(list, json_sprintf("DOCTOR_PROBE=%s", probe));
	json_array_append_new(list, json_sprintf("DOCTOR_ADDRESS=%s", visit->address));
	json_array_append_new(list, json_sprintf("DOCTOR_PORTS=%s", ports));
	json_array_append_new(list, json_sprintf("DOCTOR_LISTEN=%s", listen_probe));
	if (visit->listener >= 0)
		json_array_append_new(list, json_sprintf("DOCTOR_PORT=%d", visit->port));
	return list;
}

/* The job in the queue. NULL and 0: it is not there. NULL and -errno with err: not known. */
static int look(struct visit *visit, json_t **ret_job, struct err *err)
{
	_cleanup_json_ json_t *answer = NULL;
	int r = ask(visit, "query", json_pack("{s:s}", "prefix", visit->name), &answer, err);

	*ret_job =
		r < 0 ? NULL : json_incref(json_array_get(json_object_get(answer, "jobs"), 0));
	return r;
}

static int submit(struct visit *visit, struct err *err)
{
	_cleanup_free_ char *output = xasprintf("%s/job-%%j.log", visit->directory);
	_cleanup_json_ json_t *answer = NULL, *job = NULL;
	struct err ignored = ERR_INIT;
	int r;

	visit->before_submit = visit->not_started = now();
	r = ask(visit, "try",
		json_pack("{s:s, s:s, s:o, s:b, s:s, s:s, s:s, s:o, s:I}", "name", visit->name,
			"partition", visit->partition, "directives",
			small_job_directives(&visit->doctor->settings, visit->partition),
			"no_memory", visit->doctor->settings.memory_mib <= 0, "script", script,
			"output", output, "directory", "/", "environment",
			make_environment(visit), "deadline",
			(json_int_t)time(NULL) + visit->doctor->wait_ms / 1000 + JOB_S + 60),
		&answer, err);
	visit->after_submit = now();
	visit->job_id = json_get_integer(answer, "job_id", 0);
	/* The answer may be lost although the job exists. */
	if (r < 0 && r != -EREMOTEIO && look(visit, &job, &ignored) == 0 && job) {
		visit->job_id = json_get_integer(job, "job_id", 0);
		r = 0;
	}
	if (r == 0)
		visit->log = xasprintf(
			"%s/job-%" JSON_INTEGER_FORMAT ".log", visit->directory, visit->job_id);
	return r;
}

static void cancel(struct visit *visit)
{
	_cleanup_free_ char *id = xasprintf("%" JSON_INTEGER_FORMAT, visit->job_id);
	_cleanup_json_ json_t *answer = NULL;
	struct err err = ERR_INIT;

	ask(visit, "cancel", json_pack("{s:[s], s:s}", "jobs", id, "how", "cancel"), &answer,
		&err);
}

static void read_log(struct visit *visit)
{
	_cleanup_close_ int fd = open(visit->log, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_cleanup_free_ char *text = xcalloc(LOG_MAX + 1, 1);

	if (fd < 0 || read(fd, text, LOG_MAX) <= 0)
		return;
	json_decref(visit->answers);
	visit->answers = node_answers_read(text);
	if (!visit->log_seen && json_get_text(visit->answers, "time", NULL))
		visit->log_seen = now();
}

static void tell_progress(const struct visit *visit)
{
	if (visit_is_pending(visit))
		report_progress(visit->report,
			"job %" JSON_INTEGER_FORMAT " is pending in %s: %s", visit->job_id,
			visit->partition, json_get_text(visit->job, "reason", "?"));
	else
		report_progress(visit->report, "job %" JSON_INTEGER_FORMAT " runs on %s",
			visit->job_id, json_get_text(visit->job, "nodes", "a node"));
}

/* Update the job from the queue. */
static void update(struct visit *visit)
{
	double asked = now();
	struct err err = ERR_INIT;
	json_t *job;

	if (look(visit, &job, &err) < 0) {
		report_progress(visit->report, "%s", err.text);
		return;
	}
	if (job) {
		json_decref(visit->job);
		visit->job = job;
		if (visit_is_pending(visit))
			visit->not_started = asked;
		tell_progress(visit);
	}
	if (!visit->end_seen &&
		(job ? !visit_is_pending(visit) &&
					strcmp(json_get_text(job, "state", ""), "RUNNING") != 0
		     : visit->job != NULL))
		visit->end_seen = now();
}

/* Wait until the job has ended, with or without answers. Returns false at the deadline. */
static bool wait_for_end(struct visit *visit)
{
	double due = visit->before_submit + (double)visit->doctor->wait_ms / 1000;
	double query = 0;

	while (!asked_to_end && !json_get_text(visit->answers, "end", NULL)) {
		serve(visit); /* also waits for a tick */
		read_log(visit);
		call_node(visit);
		if (now() >= query) {
			update(visit);
			query = now() + QUERY_S;
		}
		if (visit->end_seen && now() > visit->end_seen + LOG_PATIENCE_S)
			return true;
		if (now() > due && (!visit->job || visit_is_pending(visit)))
			return false;
		if (now() > due + JOB_S)
			return false;
	}
	if (!asked_to_end)
		update(visit); /* a job so short may not have been seen yet */
	return !asked_to_end;
}

static int prepare(struct visit *visit, struct err *err)
{
	_cleanup_free_ char *base = doctor_log_base(visit->doctor, err);
	unsigned char random[8];
	int r;

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return err_set(err, -errno, "no random numbers: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(visit->token + 2 * i, 3, "%02x", random[i]);
	visit->name = xasprintf("draco-doctor-%s", visit->token);
	if (!base)
		return err_prefix(err, "log_directory");
	r = logdir_make(base, &visit->directory, err);
	if (r < 0)
		return r;
	listen_here(visit);
	return write_token(visit, err);
}

static void clean_up(struct visit *visit, bool keep_log)
{
	static const char *const names[] = {"token.log", "answer.log"};

	for (size_t i = 0; visit->directory && i < sizeof(names) / sizeof(names[0]); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", visit->directory, names[i]);

		unlink(path);
	}
	if (visit->log && !keep_log)
		unlink(visit->log);
	if (visit->directory && rmdir(visit->directory) == 0) {
		*strrchr(visit->directory, '/') = '\0';
		rmdir(visit->directory); /* fails unless it was made for this job */
	}
	if (visit->listener >= 0)
		close(visit->listener);
	helper_stop(&visit->helper);
	json_decref(visit->job);
	json_decref(visit->answers);
	free(visit->directory);
	free(visit->name);
	free(visit->log);
}

/* Returns whether the job's log must be kept. */
static bool pay_visit(struct visit *visit)
{
	struct err err = ERR_INIT;
	bool in_time;

	if (prepare(visit, &err) < 0 || submit(visit, &err) < 0) {
		report_finding(visit->report, FINDING_FAILED, "node job",
			"dracoctl start would fail in the same way", "%s", err.text);
		return false;
	}
	in_time = wait_for_end(visit);
	if (!in_time)
		cancel(visit);
	if (asked_to_end)
		return false;
	if (!in_time)
		visit_tell_late(visit);
	else if (visit_answer(visit, "end"))
		visit_tell_all(visit);
	else
		visit_tell_broken(visit);
	return in_time && !visit_answer(visit, "end");
}

void check_node(const struct doctor *doctor, struct report *report)
{
	struct sigaction action = {.sa_handler = on_term};
	struct visit visit = {
		.doctor = doctor,
		.report = report,
		.helper = HELPER_INIT,
		.listener = -1,
		.answers = json_object(),
	};

	visit.partition = visit_fact(&visit, "partition");
	visit.address = visit_fact(&visit, "address");
	if (!visit.partition || !visit.address || !visit_fact(&visit, "python")) {
		report_finding(report, FINDING_FAILED, "node job",
			"correct what failed above first", "not tried: without %s it cannot be",
			visit.partition ? "a Python with distributed" : "a partition to use");
		json_decref(visit.answers);
		return;
	}
	sigaction(SIGTERM, &action, NULL);
	clean_up(&visit, pay_visit(&visit));
}
