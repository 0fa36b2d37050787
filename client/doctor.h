/* doctor.h: the checks of dracoctl doctor, and running them so that none can hold up the others.
 *
 * Each check runs in a process of its own, which is killed when its time is over: what it looks
 * at may hang (a file system, Slurm). It reports through a pipe. */
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

/* What the checks know. */
struct doctor {
	struct ctl *ctl;
	struct settings settings;
	bool nodes;	 /* run a job, too */
	int64_t wait_ms; /* how long that may be pending */
	json_t *facts; /* what earlier checks have found out: {python, distributed, address, ...} */
};

/* The checks of a phase run at the same time, those of a later one with the facts of the
 * earlier. */
enum check_phase { PHASE_SETTINGS, PHASE_HOST, PHASE_NODES };

struct check {
	const char *name;
	void (*run)(const struct doctor *doctor, struct report *report);
	int deadline_s;
	const char *remedy;	/* when it does not end in time */
	enum check_phase phase; /* PHASE_NODES may take --wait longer */
};

/* For a check: what it found about name; remedy is NULL where nothing is to be done. */
void report_finding(struct report *report, enum finding finding, const char *name,
	const char *remedy, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* For a check: something that later ones can use; value is taken over. And what it waits for. */
void report_fact(struct report *report, const char *name, json_t *value);
void report_progress(struct report *report, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* How the ones who run the checks hear of it: each finding, {check, name, status, text,
 * remedy}, in the order of the table; and progress, NULL when it is over. */
struct doctor_ops {
	void (*found)(void *arg, const json_t *finding);
	void (*progress)(void *arg, const char *text);
};

/* Run those checks of the table (ended by a NULL name) that are of the phase. Returns the worst
 * finding; -EINTR after SIGINT or SIGTERM, with all of them ended in order. */
int doctor_run(struct doctor *doctor, const struct check *checks, enum check_phase phase,
	const struct doctor_ops *ops, void *arg);

/* Run a command with both outputs captured (cut at 64 KiB; the caller frees) and return its
 * status as of waitpid(2), or -errno. For checks: has no deadline of its own. */
int doctor_capture(char *const *argv, char **ret_text);

/* An amount of memory, rounded for people; buffer has FORMAT_MAX bytes. */
char *doctor_size(int64_t mib, char *buffer);

/* The checks. */
void check_settings(const struct doctor *doctor, struct report *report);
void check_sockets(const struct doctor *doctor, struct report *report);
void check_state(const struct doctor *doctor, struct report *report);
void check_logs(const struct doctor *doctor, struct report *report);
void check_dracod(const struct doctor *doctor, struct report *report);
void check_lingering(const struct doctor *doctor, struct report *report);
void check_limits(const struct doctor *doctor, struct report *report);
void check_memory(const struct doctor *doctor, struct report *report);
void check_interfaces(const struct doctor *doctor, struct report *report);
void check_python(const struct doctor *doctor, struct report *report);
void check_munge(const struct doctor *doctor, struct report *report);
void check_slurm(const struct doctor *doctor, struct report *report);
void check_node(const struct doctor *doctor, struct report *report);

#endif
