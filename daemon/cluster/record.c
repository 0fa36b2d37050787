/* record.c: writes and reads the file that describes the running cluster. Part of the cluster. */
#include "daemon/cluster/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/host.h"
#include "common/json.h"
#include "common/log.h"
#include "common/number.h"
#include "daemon/cluster/jobs.h"
#include "daemon/cluster/model.h"
#include "daemon/cluster/submission.h"
#include "daemon/dask/scheduler.h"
#include "daemon/io/history.h"
#include "daemon/io/loop.h"
#include "daemon/io/statequeue.h"
#include "daemon/io/writer.h"

#define TOUCH_MS     100  /* changes within this time are written together */
#define AGAIN_MS     2000 /* after which a file is written again that could not be */
#define HAND_OVER_MS 1000 /* a record that is not written by then hinders a replacement */

/* Replace the texts of ret by those of an array. */
static void list_from_json(const json_t *array, struct strv *ret)
{
	strv_finish(ret);
	json_add_texts(array, ret);
}

/* Settings: {name: {value, source, limit, limit_source}} */

static json_t *settings_record(const struct settings *settings)
{
	json_t *object = json_object();

	for (int id = 0; id < SETTING_COUNT; id++) {
		json_t *entry =
			json_pack("{s:o, s:o}", "value", settings_value_to_json(settings, id),
				"source", json_text(settings->source[id]));

		if (settings->limit[id].value) {
			json_object_set_new(entry, "limit",
				json_integer((json_int_t)settings->limit[id].value));
			json_object_set_new(
				entry, "limit_source", json_text(settings->limit[id].source));
		}
		json_object_set_new(object, settings_table[id].name, entry);
	}
	return object;
}

/* A setting that this version does not know, or whose value it refuses, keeps its default. */
static void settings_restore(const json_t *object, struct settings *ret)
{
	const char *name;
	json_t *entry;

	settings_init(ret);
	json_object_foreach (UNCONST(object), name, entry) {
		const json_t *value = json_object_get(entry, "value");
		struct err err = ERR_INIT;
		int id = settings_find(name, &err);

		if (id >= 0 && value)
			id = settings_set_value(ret, id, value, "", &err) < 0 ? -1 : id;
		if (id < 0) {
			log_warning("record: %s", err.text);
			continue;
		}
		xreplace(&ret->source[id], json_get_text(entry, "source", "?"));
		ret->limit[id].value = json_get_integer(entry, "limit", 0);
		xreplace(&ret->limit[id].source, json_get_text(entry, "limit_source", NULL));
	}
}

/* The parts of the cluster */

static json_t *slurm_record_of(const struct binding_start *start)
{
	return json_pack("{s:o, s:O?, s:O?, s:b}", "variables", json_texts(&start->variables),
		"site", start->site, "key", start->key, "silent", start->silent);
}

static void slurm_restore(const json_t *object, struct binding_start *ret)
{
	list_from_json(json_object_get(object, "variables"), &ret->variables);
	ret->site = json_incref(json_object_get(object, "site"));
	ret->key = json_incref(json_object_get(object, "key"));
	ret->silent = json_get_boolean(object, "silent", 0);
}

static json_t *network_record(const struct cluster *cluster)
{
	return json_pack("{s:o, s:o, s:b, s:I}", "address", json_text(cluster->address),
		"interface", json_text(cluster->access.interface), "named",
		cluster->access.interface_named, "array_max", (json_int_t)cluster->array_max);
}

static json_t *dashboard_record(const struct dashboard *dashboard)
{
	return json_pack("{s:o, s:i, s:i, s:o}", "address", json_text(dashboard->address),
		"port", dashboard->port, "wanted", dashboard->wanted, "socket",
		json_text(dashboard->socket));
}

/* Without a process, it waits to be started again, at the same port. */
static json_t *scheduler_record(const struct cluster *cluster)
{
	const char *address = scheduler_address(cluster->scheduler);
	int pid = scheduler_pid(cluster->scheduler);

	if (scheduler_state(cluster->scheduler) == SCHEDULER_STOPPED || !*address)
		return json_null();
	return json_pack("{s:i, s:I, s:i, s:I}", "pid", pid, "start",
		(json_int_t)(pid ? host_process_start(pid) : 0), "port",
		atoi(strrchr(address, ':') + 1), "since_ms",
		(json_int_t)scheduler_since_ms(cluster->scheduler));
}

static json_t *size_record(const struct cluster_size *size)
{
	json_t *waits = json_array();

	for (int i = 0; i < HANDOVER_WAITS; i++)
		json_array_append_new(waits, json_integer((json_int_t)size->waits.ms[i]));
	return json_pack("{s:I, s:I, s:I, s:I, s:o, s:o, s:I}", "minimum_jobs",
		(json_int_t)size->limits.minimum_jobs, "maximum_jobs",
		(json_int_t)size->limits.maximum_jobs, "fixed_jobs",
		(json_int_t)size->limits.fixed_jobs, "target", (json_int_t)size->target.jobs,
		"paused", json_text(size->paused), "waits", waits, "waits_count",
		(json_int_t)size->waits.count);
}

static void size_restore(const json_t *object, struct cluster_size *size)
{
	const json_t *waits = json_object_get(object, "waits");

	size->limits.minimum_jobs =
		json_get_integer(object, "minimum_jobs", size->limits.minimum_jobs);
	size->limits.maximum_jobs =
		json_get_integer(object, "maximum_jobs", size->limits.maximum_jobs);
	size->limits.fixed_jobs = json_get_integer(object, "fixed_jobs", -1);
	size->target.jobs = json_get_integer(object, "target", size->target.jobs);
	xreplace(&size->paused, json_get_text(object, "paused", NULL));
	for (int i = 0; i < HANDOVER_WAITS; i++)
		size->waits.ms[i] = json_integer_value(json_array_get(waits, (size_t)i));
	size->waits.count = max_of(json_get_integer(object, "waits_count", 0), 0);
}

static json_t *milestones_record(const struct cluster *cluster)
{
	json_t *array = json_array();

	for (int i = 0; i < MILESTONE_COUNT; i++)
		json_array_append_new(
			array, json_integer((json_int_t)cluster->milestone_ms[i]));
	return array;
}

/* What a start asked for does not change while its cluster is up, and is large: it is encoded once.
 * NULL: it was not yet. */
static json_t *encoded(const struct cluster *cluster, const char *name)
{
	const json_t *saved = cluster->record.saved;

	if (strcmp(json_get_text(saved, "id", ""), cluster->id) != 0)
		return NULL;
	return json_incref(json_object_get(saved, name));
}

static void encode_request(const struct cluster *cluster, json_t *record)
{
	const struct cluster_request *request = &cluster->request;
	json_t *settings = encoded(cluster, "settings");
	json_t *environment = encoded(cluster, "environment");

	json_object_set_new(
		record, "settings", settings ? settings : settings_record(&request->settings));
	json_object_set_new(record, "environment",
		environment ? environment : json_texts(&request->environment));
	json_object_set_new(record, "profile", json_text(request->settings.profile));
	json_object_set_new(record, "directory", json_text(request->directory));
	json_object_set_new(record, "slurm", slurm_record_of(&request->slurm));
}

static json_t *encode(const struct cluster *cluster, bool handed_over)
{
	json_t *record = json_pack("{s:i, s:s, s:s, s:I, s:b, s:o, s:I, s:i, s:b, s:b, s:I}",
		"version", RECORD_VERSION, "id", cluster->id, "state",
		cluster_state_name(cluster->state), "since_ms", (json_int_t)cluster->since_ms,
		"handed_over", handed_over, "log_dir", json_text(cluster->log_dir),
		"started_ms", (json_int_t)cluster->started_ms, "submissions",
		cluster->submission_count, "spawn", cluster->spawn, "had_work",
		cluster->had_work, "needs", (json_int_t)cluster->place.needs);
	struct host here;

	host_get(&here);
	json_object_set_new(record, "host", json_text(here.name));
	json_object_set_new(record, "boot", json_text(here.boot));
	json_object_set_new(record, "milestones", milestones_record(cluster));
	encode_request(cluster, record);
	json_object_set_new(record, "python", json_text(cluster->python));
	json_object_set_new(record, "python_version", json_text(cluster->python_version));
	json_object_set_new(record, "network", network_record(cluster));
	json_object_set_new(record, "dashboard", dashboard_record(&cluster->access.dashboard));
	json_object_set_new(record, "scheduler", scheduler_record(cluster));
	json_object_set_new(record, "size", size_record(&cluster->size));
	json_object_set(record, "shares", cluster->chosen_shares);
	json_object_set_new(record, "notices", notices_record(&cluster->notices));
	json_object_set_new(record, "jobs", record_jobs(cluster));
	return record;
}

/* Writing */

/* The members of a record that do not belong to the basis: they change often, or the queue and the
 * scheduler tell them, too. */
static const char *const passing[] = {
	"jobs", "milestones", "notices", "submissions", "had_work", "needs", "handed_over"};
static const char *const passing_size[] = {"target", "waits", "waits_count"};

static void remove_members(json_t *object, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		json_object_del(object, names[i]);
}

/* Tell the user of a file that cannot be written, and that all can be again. */
static void tell(struct cluster *cluster, const struct err *err)
{
	const struct cluster_record *record = &cluster->record;
	const char *text;

	if (err) {
		/* Otherwise nothing would be written before the next change. */
		loop_timer_start(record->due, AGAIN_MS);
		if (cluster_told(cluster, NOTICE_RECORD, NULL))
			return;
		text = cluster_tell(cluster, NOTICE_RECORD, NULL,
			"%s: should dracod be killed, the next one could not go on with this "
			"cluster",
			err->text);
		history_note(EVENT_FAILURE, "dracod", NULL, "%s", text);
	} else if (record->error.code == 0 && record->basis_error.code == 0 &&
		cluster_told(cluster, NOTICE_RECORD, NULL)) {
		history_note(EVENT_NOTE, "dracod", NULL, "its files are written again");
		cluster_withdraw(cluster, NOTICE_RECORD, NULL);
	}
}

static void on_written(void *arg, const struct err *err)
{
	struct cluster *cluster = arg;
	struct cluster_record *record = &cluster->record;

	record->error = err ? *err : (struct err)ERR_INIT;
	if (err)
		json_decref(TAKE_PTR(record->saved));
	tell(cluster, err);
}

static void on_basis_written(void *arg, const struct err *err)
{
	struct cluster *cluster = arg;
	struct cluster_record *record = &cluster->record;

	record->basis_error = err ? *err : (struct err)ERR_INIT;
	if (err) { /* the basis is written after the record */
		json_decref(TAKE_PTR(record->basis));
		json_decref(TAKE_PTR(record->saved));
	}
	tell(cluster, err);
}

static void save_basis(struct cluster *cluster, const json_t *record)
{
	_cleanup_json_ json_t *basis = json_copy(UNCONST(record));
	json_t *size = json_copy(json_object_get(record, "size"));

	remove_members(basis, passing, sizeof(passing) / sizeof(passing[0]));
	remove_members(size, passing_size, sizeof(passing_size) / sizeof(passing_size[0]));
	json_object_set_new(basis, "size", size);
	if (json_equal(basis, cluster->record.basis))
		return;
	json_decref(cluster->record.basis);
	cluster->record.basis = json_incref(basis);
	statequeue_write(
		cluster->record.basis_path, TAKE_PTR(basis), false, on_basis_written, cluster);
}

static void save(struct cluster *cluster, bool handed_over)
{
	_cleanup_json_ json_t *record = NULL;

	loop_timer_stop(cluster->record.due);
	if (cluster_is_down(cluster) || cluster_is_blind(cluster))
		return;
	record = encode(cluster, handed_over);
	if (json_equal(record, cluster->record.saved))
		return;
	json_decref(cluster->record.saved);
	cluster->record.saved = json_incref(record); /* on_written() may take it back */
	statequeue_write(cluster->record.path, json_incref(record), false, on_written, cluster);
	if (cluster->record.saved)
		save_basis(cluster, record);
}

void record_save(struct cluster *cluster)
{
	save(cluster, false);
}

static void on_due(void *arg)
{
	record_save(arg);
}

struct loop_timer *record_timer_create(struct cluster *cluster)
{
	return loop_timer_create(cluster->loop, on_due, cluster);
}

void record_touch(struct cluster *cluster)
{
	if (!cluster_is_down(cluster) && !loop_timer_is_running(cluster->record.due))
		loop_timer_start(cluster->record.due, TOUCH_MS);
}

void record_remove(struct cluster *cluster)
{
	loop_timer_stop(cluster->record.due);
	json_decref(TAKE_PTR(cluster->record.saved));
	json_decref(TAKE_PTR(cluster->record.basis));
	cluster->record.error = cluster->record.basis_error = (struct err)ERR_INIT;
	/* In this order: a basis alone is not looked at. */
	statequeue_remove(cluster->record.path);
	statequeue_remove(cluster->record.basis_path);
}

int record_hand_over(struct cluster *cluster, struct err *err)
{
	cluster->record.error = (struct err)ERR_INIT; /* it may be that of an earlier cluster */
	save(cluster, true);
	if (!writer_settle(WRITER_STATE, HAND_OVER_MS)) {
		record_touch(cluster); /* if it goes on, the record must not say otherwise */
		return err_set(err, -ETIMEDOUT,
			"cannot write %s: its file system does not answer",
			cluster->record.path);
	}
	statequeue_tell();
	if (cluster->record.error.code == 0)
		return 0;
	return err_set(err, cluster->record.error.code, "%s", cluster->record.error.text);
}

/* Reading */

int64_t record_time(const json_t *object, const char *name)
{
	int64_t now = loop_now_ms();

	return min_of(max_of(json_get_integer(object, name, now), 0), now);
}

bool record_is_of_this_boot(const json_t *record)
{
	struct host here;

	host_get(&here);
	return strcmp(json_get_text(record, "host", ""), here.name) == 0 &&
		strcmp(json_get_text(record, "boot", ""), here.boot) == 0;
}

const char *record_cluster_id(const json_t *record)
{
	return json_get_text(record, "id", "");
}

bool record_is_stopping(const json_t *record)
{
	const char *state = json_get_text(record, "state", "");

	return strcmp(state, cluster_state_name(CLUSTER_STOPPING)) == 0;
}

bool record_was_starting(const json_t *record)
{
	const char *state = json_get_text(record, "state", "");

	return strcmp(state, cluster_state_name(CLUSTER_STARTING)) == 0;
}

bool record_is_handed_over(const json_t *record)
{
	return json_get_boolean(record, "handed_over", 0);
}

void record_scheduler(const json_t *record, struct record_scheduler *ret)
{
	const json_t *scheduler = json_object_get(record, "scheduler");

	ret->pid = (int)json_get_integer(scheduler, "pid", 0);
	ret->start = json_get_integer(scheduler, "start", 0);
	ret->port = (int)json_get_integer(scheduler, "port", 0);
	ret->since_ms = record_time(scheduler, "since_ms");
}

static void network_restore(struct cluster *cluster, const json_t *network)
{
	xreplace(&cluster->address, json_get_text(network, "address", NULL));
	xreplace(&cluster->access.interface, json_get_text(network, "interface", NULL));
	cluster->access.interface_named = json_get_boolean(network, "named", 0);
	cluster->array_max = max_of(json_get_integer(network, "array_max", 1), 1);
}

static void dashboard_restore(struct cluster *cluster, const json_t *object)
{
	struct dashboard *dashboard = &cluster->access.dashboard;

	if (!json_get_text(object, "address", NULL))
		return; /* the scheduler was not started yet */
	dashboard->mode = cluster->request.settings.dashboard;
	xreplace(&dashboard->address, json_get_text(object, "address", NULL));
	xreplace(&dashboard->socket, json_get_text(object, "socket", NULL));
	dashboard->port = (int)json_get_integer(object, "port", 0);
	dashboard->wanted = (int)json_get_integer(object, "wanted", 0);
}

int record_restore_request(struct cluster *cluster, const json_t *record, struct err *err)
{
	struct cluster_request *request = &cluster->request;
	const char *id = record_cluster_id(record);
	const char *log_dir = json_get_text(record, "log_dir", NULL);

	if (!*id || strlen(id) >= CLUSTER_ID_MAX || !log_dir ||
		!json_is_object(json_object_get(record, "settings")))
		return err_set(err, -EBADMSG, "%s is incomplete", cluster->record.path);
	cluster_request_finish(request);
	settings_restore(json_object_get(record, "settings"), &request->settings);
	xreplace(&request->settings.profile, json_get_text(record, "profile", NULL));
	list_from_json(json_object_get(record, "environment"), &request->environment);
	xreplace(&request->directory, json_get_text(record, "directory", "/"));
	slurm_restore(json_object_get(record, "slurm"), &request->slurm);
	strcpy(cluster->id, id);
	xreplace(&cluster->log_dir, log_dir);
	return 0;
}

void record_restore_facts(struct cluster *cluster, const json_t *record)
{
	const json_t *milestones = json_object_get(record, "milestones");

	cluster->since_ms = record_time(record, "since_ms");
	cluster->started_ms = json_get_integer(record, "started_ms", loop_now_ms());
	for (int i = 0; i < MILESTONE_COUNT; i++)
		if (json_is_integer(json_array_get(milestones, (size_t)i)))
			cluster->milestone_ms[i] =
				json_integer_value(json_array_get(milestones, (size_t)i));
	cluster->submission_count = (int)json_get_integer(record, "submissions", 0);
	cluster->spawn = json_get_boolean(record, "spawn", 0);
	cluster->had_work = json_get_boolean(record, "had_work", 0);
	cluster->place.needs = json_get_integer(record, "needs", 0);
	xreplace(&cluster->python, json_get_text(record, "python", NULL));
	xreplace(&cluster->python_version, json_get_text(record, "python_version", NULL));
	network_restore(cluster, json_object_get(record, "network"));
	dashboard_restore(cluster, json_object_get(record, "dashboard"));
	size_restore(json_object_get(record, "size"), &cluster->size);
	notices_restore(json_object_get(record, "notices"), &cluster->notices);
	cluster->chosen_shares = json_deep_copy(json_object_get(record, "shares"));
	cluster_forget_places(cluster);
}
