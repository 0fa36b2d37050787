/* doctor_host.c: checks of dracoctl doctor: dracod, and the resources of this host. */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client/ctl.h"
#include "client/doctor.h"
#include "client/output.h"
#include "client/request.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/parse.h"
#include "common/port.h"

#define MIB		  (1024 * 1024)
#define FILES_PER_WORKER  4
#define FILES_OTHERS	  200
#define MEMORY_FAILED_MIB 300 /* the Dask scheduler alone needs half of that */
#define MEMORY_WARN_MIB	  2048
#define PROCESSES_WARN	  100
#define INFINIBAND	  32 /* ARPHRD_INFINIBAND */

void check_dracod(const struct doctor *doctor, struct report *report)
{
	_cleanup_free_ char *start = output_command(doctor->ctl, "start");
	_cleanup_free_ char *logs = output_command(doctor->ctl, "logs daemon");
	_cleanup_free_ char *end = output_command(doctor->ctl, "shutdown"), *remedy = NULL;
	struct connection connection;
	struct err err = ERR_INIT;
	const char *version;
	int r;

	if (!doctor->ctl->paths.name)
		return;
	r = connection_open(&connection, doctor->ctl, &err);
	version = json_get_text(connection.hello, "version", "?");
	if (r == -ENOENT)
		report_finding(report, FINDING_OK, "dracod", NULL, "does not run (\"%s\")",
			doctor->ctl->name);
	else if (r == -EPERM || r == -EBADMSG)
		report_finding(report, FINDING_WARNING, "dracod",
			remedy = xasprintf("see what is there; %s ignores it", start), "%s",
			err.text);
	else if (r < 0)
		report_finding(report,
			r == -EHOSTUNREACH || r == -ENOTCONN ? FINDING_WARNING : FINDING_FAILED,
			"dracod", remedy = xasprintf("%s may tell more", logs), "%s", err.text);
	else if (strcmp(version, PACKAGE_VERSION) != 0)
		report_finding(report, FINDING_WARNING, "dracod",
			remedy = xasprintf("%s; the next start takes the new one", end),
			"has version %s, and this dracoctl has " PACKAGE_VERSION, version);
	else
		report_finding(report, FINDING_OK, "dracod", NULL,
			"runs as process %d, version %s",
			(int)json_get_integer(connection.hello, "pid", 0), version);
	connection_close(&connection);
}

static char *format_limit(rlim_t limit)
{
	return limit == RLIM_INFINITY ? xstrdup("unlimited")
				      : xasprintf("%llu", (unsigned long long)limit);
}

static void check_files(const struct doctor *doctor, struct report *report)
{
	int64_t workers = settings_maximum(&doctor->settings);
	rlim_t needed = (rlim_t)(FILES_OTHERS + FILES_PER_WORKER * workers);
	_cleanup_free_ char *soft = NULL, *hard = NULL;
	struct rlimit limit;
	rlim_t usable;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	soft = format_limit(limit.rlim_cur);
	hard = format_limit(limit.rlim_max);
	/* Dask's scheduler raises its limit to half of the hard limit. */
	usable = limit.rlim_max / 2 > limit.rlim_cur ? limit.rlim_max / 2 : limit.rlim_cur;
	report_finding(report, usable < needed ? FINDING_WARNING : FINDING_OK, "open files",
		"ulimit -n MORE before dracoctl start, or fewer workers (maximum)",
		"%s, and at most %s; the scheduler needs about %llu for %" PRId64 " workers",
		soft, hard, (unsigned long long)needed, workers);
}

static void check_one_limit(struct report *report, int resource, const char *name, rlim_t warn,
	const char *remedy, const char *what)
{
	_cleanup_free_ char *text = NULL;
	struct rlimit limit;

	if (getrlimit((__rlimit_resource_t)resource, &limit) < 0 ||
		limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= warn)
		return;
	text = format_limit(limit.rlim_cur);
	report_finding(report, FINDING_WARNING, name, remedy, "%s %s", text, what);
}

void check_limits(const struct doctor *doctor, struct report *report)
{
	check_files(doctor, report);
	check_one_limit(report, RLIMIT_NPROC, "processes", PROCESSES_WARN,
		"ulimit -u MORE, or ask the administrators",
		"processes and threads are your limit; dracod and the scheduler need "
		"about 30");
	check_one_limit(report, RLIMIT_CPU, "CPU time", RLIM_INFINITY - 1,
		"run dracod elsewhere: in a job, or on a host for services",
		"seconds of CPU time are the limit of a process on this host: the scheduler is "
		"ended after that");
	check_one_limit(report, RLIMIT_AS, "address space", (rlim_t)4096 * MIB,
		"ulimit -v unlimited, or ask the administrators",
		"bytes are the limit of a process; the scheduler may need more");
}

/* Read a number from a small file; -1: it has none, or "max". */
static int64_t read_number(const char *path)
{
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	long long number;

	return file && fscanf(file, "%lld", &number) == 1 ? number : -1;
}

struct memory {
	int64_t available_mib; /* -1: not known */
	int64_t limit_mib;     /* of a control group of this process; -1: none */
};

static void read_meminfo(struct memory *ret)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	long long kib;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %lld kB", &kib) == 1)
			ret->available_mib = kib / 1024;
}

/* Reduce the available memory to what one limit leaves. */
static void apply_limit(
	struct memory *memory, const char *directory, const char *limit, const char *usage)
{
	_cleanup_free_ char *limit_path = xasprintf("%s/%s", directory, limit);
	_cleanup_free_ char *usage_path = xasprintf("%s/%s", directory, usage);
	int64_t most = read_number(limit_path), used = read_number(usage_path);

	if (most < 0 || most >= INT64_MAX / 2 || used < 0)
		return;
	if (memory->limit_mib < 0 || most / MIB < memory->limit_mib)
		memory->limit_mib = most / MIB;
	if (memory->available_mib < 0 || (most - used) / MIB < memory->available_mib)
		memory->available_mib = (most - used) / MIB;
}

/* Apply the limits of this process's control groups, from /proc/self/cgroup: version 2, or the
 * memory controller of version 1. */
static void read_cgroups(struct memory *memory)
{
	_cleanup_fclose_ FILE *file = fopen("/proc/self/cgroup", "re");
	char line[4096];

	while (file && fgets(line, sizeof(line), file)) {
		char *controller = strchr(line, ':');
		char *path = controller ? strchr(controller + 1, ':') : NULL;
		bool unified, v1;

		if (!path)
			continue;
		line[strcspn(line, "\n")] = '\0';
		*path++ = '\0';
		unified = strcmp(controller, ":") == 0;
		v1 = strstr(controller, "memory") != NULL;
		while (unified || v1) {
			_cleanup_free_ char *directory =
				xasprintf("/sys/fs/cgroup%s%s", v1 ? "/memory" : "", path);

			apply_limit(memory, directory,
				v1 ? "memory.limit_in_bytes" : "memory.max",
				v1 ? "memory.usage_in_bytes" : "memory.current");
			if (unified)
				apply_limit(memory, directory, "memory.high", "memory.current");
			if (!strrchr(path, '/') || !path[1])
				break;
			*strrchr(path, '/') = '\0';
		}
	}
}

void check_memory(const struct doctor *doctor, struct report *report)
{
	struct memory memory = {-1, -1};
	enum finding finding = FINDING_OK;
	char available[FORMAT_MAX], limit[FORMAT_MAX];

	(void)doctor;
	read_meminfo(&memory);
	read_cgroups(&memory);
	if (memory.available_mib < 0)
		return;
	if (memory.available_mib < MEMORY_FAILED_MIB)
		finding = FINDING_FAILED;
	else if (memory.available_mib < MEMORY_WARN_MIB)
		finding = FINDING_WARNING;
	report_finding(report, finding, "memory",
		"end what you do not need there, or run dracod on another host",
		"%s available here for dracod and the scheduler%s%s%s",
		doctor_size(memory.available_mib, available),
		memory.limit_mib >= 0 ? " (your limit is " : "",
		memory.limit_mib >= 0 ? doctor_size(memory.limit_mib, limit) : "",
		memory.limit_mib >= 0 ? ")" : "");
}

/* The ports of this host, beside the scheduler's, of which a node is asked. */
void check_ports(const struct doctor *doctor, struct report *report)
{
	static const enum setting_id ids[] = {SETTING_REMOTE_PORT, SETTING_DASHBOARD_PORT};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		const char *name = settings_table[ids[i]].name;
		_cleanup_free_ char *range = settings_format(&doctor->settings, ids[i]);
		struct err err = ERR_INIT;
		int first, last, port;

		if (!settings_ports(&doctor->settings, ids[i], &first, &last))
			continue;
		port = port_choose_in("0.0.0.0", first, last, doctor->ctl->name, &err);
		if (port < 0)
			report_finding(report, FINDING_WARNING, name,
				"a running cluster of yours may listen there; else another port, "
				"or a range",
				"%s: %s", range, err.text);
		else
			report_finding(report, FINDING_OK, name, NULL,
				"%s: port %d would be taken", range, port);
	}
}

static bool is_infiniband(const char *name)
{
	_cleanup_free_ char *path = xasprintf("/sys/class/net/%s/type", name);

	return read_number(path) == INFINIBAND;
}

void check_interfaces(const struct doctor *doctor, struct report *report)
{
	_cleanup_free_ char *list = xstrdup("");
	struct ifaddrs *all = NULL;
	int count = 0;

	(void)doctor;
	if (getifaddrs(&all) < 0) {
		report_finding(report, FINDING_FAILED, "interfaces", NULL,
			"cannot be listed: %s", strerror(errno));
		return;
	}
	for (const struct ifaddrs *i = all; i; i = i->ifa_next) {
		char address[INET_ADDRSTRLEN];
		char *longer;

		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET ||
			(i->ifa_flags & IFF_LOOPBACK) || !(i->ifa_flags & IFF_UP))
			continue;
		inet_ntop(AF_INET,
			&((const struct sockaddr_in *)(const void *)i->ifa_addr)->sin_addr,
			address, sizeof(address));
		longer = xasprintf("%s%s%s %s%s", list, count++ ? ", " : "", i->ifa_name,
			address, is_infiniband(i->ifa_name) ? " (InfiniBand)" : "");
		free(list);
		list = longer;
	}
	freeifaddrs(all);
	report_finding(report, count > 0 ? FINDING_OK : FINDING_WARNING, "interfaces",
		"bring a network up: nodes cannot reach the scheduler here", "%s",
		count > 0 ? list : "only the loopback has an IPv4 address");
}
