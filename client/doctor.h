/* doctor.h: the checks of dracoctl doctor, and running them so that none can delay the others.
 *
 * Each check runs in a process of its own, which is killed at its deadline: it may block in a file
 * system or in Slurm. It reports through a pipe. */
#ifndef DRACO_CLIENT_DOCTOR_H
#define DRACO_CLIENT_DOCTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/settings.h"

struct ctl;
struct report;

enum finding { FINDING_OK, FINDING_WARNING, FINDING_FAILED };

const char *finding_name(enum finding finding);

/* The input of the checks. */
struct doctor {
	struct ctl *ctl;
	struct settings settings;
	bool fix;	 /* mend what can be mended */
	bool nodes;	 /* run a job on a node as well */
	int64_t wait_ms; /* how long that job may be pending */
	json_t *facts;	 /* results of earlier checks: {python, distributed, address, ...} */
};

/* Checks of one phase run at the same time. Those of a later phase get the facts of earlier
 * ones. */
enum check_phase { PHASE_SETTINGS, PHASE_HOST, PHASE_NODES };

struct check {
	const char *name;
	void (*run)(const struct doctor *doctor, struct report *report);
	int deadline_s;
	const char *remedy;	/* shown if it does not end in time */
	enum check_phase phase; /* PHASE_NODES may take longer by --wait */
};

/* Called by a check: report a finding about name. remedy may be NULL. */
void report_finding(struct report *report, enum finding finding, const char *name,
	const char *remedy, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* Called by a check: a fact for later checks (value is taken over), and what it waits for. */
void report_fact(struct report *report, const char *name, json_t *value);
void report_progress(struct report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Called by doctor_run(): found() for each finding, {check, name, status, text, remedy}, in the
 * order of the table, and progress(), with NULL at the end. */
struct doctor_ops {
	void (*found)(void *arg, const json_t *finding);
	void (*progress)(void *arg, const char *text);
};

/* Run the checks of the table (which ends with a NULL name) that belong to the phase. Returns the
 * worst finding. -EINTR: after SIGINT or SIGTERM, with all checks ended in order. */
int doctor_run(struct doctor *doctor, const struct check *checks, enum check_phase phase,
	const struct doctor_ops *ops, void *arg);

/* Run a command and capture its standard output and error, cut at 64 KiB. The caller frees
 * *ret_text. Returns the status as from waitpid(2), or -errno. For checks only: it has no
 * deadline. */
int doctor_capture(char *const *argv, char **ret_text);

/* An amount of memory, rounded for a person. buffer has FORMAT_MAX bytes. Returns it. */
char *doctor_size(int64_t mib, char *buffer);

/* The checks. */
void check_settings(const struct doctor *doctor, struct report *report);
void check_sockets(const struct doctor *doctor, struct report *report);
void check_state(const struct doctor *doctor, struct report *report);
/* The setting log_directory with its variables replaced. The caller frees; NULL with err. */
char *doctor_log_base(const struct doctor *doctor, struct err *err);

void check_logs(const struct doctor *doctor, struct report *report);
void check_dracod(const struct doctor *doctor, struct report *report);
void check_lingering(const struct doctor *doctor, struct report *report);
void check_ports(const struct doctor *doctor, struct report *report);
void check_limits(const struct doctor *doctor, struct report *report);
void check_memory(const struct doctor *doctor, struct report *report);
void check_interfaces(const struct doctor *doctor, struct report *report);
void check_python(const struct doctor *doctor, struct report *report);
void check_munge(const struct doctor *doctor, struct report *report);
void check_slurm(const struct doctor *doctor, struct report *report);
void check_node(const struct doctor *doctor, struct report *report);

#endif
