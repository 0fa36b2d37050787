/* world.c: makes and ends the fake world, and lets its time pass. */
#include "world.h"

#include <event2/event.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/log.h"
#include "daemon/daemon.h"
#include "daemon/io/loop.h"
#include "events.h"

#define TURNS_MAX 100000 /* turns of the loop at one moment: more mean an endless cycle */

int64_t world_stay_ms;

static char *directory; /* the user's home, and everything else */
static struct daemon *dracod;
static struct loop *loop;
static struct loop_timer *alarm_timer;
static bool ended;
static int turns;
static struct program *own;
static json_t *last_status;

struct loop *world_loop(void)
{
	return loop;
}

struct program *me(void)
{
	return own;
}

bool world_has_ended(void)
{
	return ended;
}

char *state_path(const char *name)
{
	return xasprintf("%s/.local/state/draco/" NAME "/%s", directory, name);
}

void world_fail(const char *where, const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	text = xvasprintf(format, args);
	va_end(args);
	events_print();
	ck_abort_msg("%s: after %.3f s: %s", where, (double)clock_ms() / 1000, text);
}

/* Time */

static void on_alarm(void *arg)
{
	(void)arg;
}

void world_turn_until(int64_t end_ms)
{
	int64_t before = clock_ms();

	loop_timer_start(alarm_timer, end_ms - before);
	if (event_base_loop(loop_base(loop), EVLOOP_ONCE) < 0)
		world_fail(HERE, "libevent: the loop does not run");
	ended = ended || event_base_got_break(loop_base(loop));
	turns = clock_ms() == before ? turns + 1 : 0;
	if (turns > TURNS_MAX)
		world_fail(HERE, "no time passes, however much is done");
}

void world_turn(const char *where, int64_t end_ms, const char *what)
{
	if (clock_ms() >= end_ms)
		world_fail(where, "not within %" PRId64 " s: %s", AWAIT_MS / 1000, what);
	world_turn_until(end_ms);
}

void world_took(
	const char *where, int64_t begin_ms, double from_s, double to_s, const char *what)
{
	double took_s = (double)(clock_ms() - begin_ms) / 1000;

	if (took_s < from_s || took_s > to_s)
		world_fail(where, "it took %.3f s, not %g to %g s: %s", took_s, from_s, to_s,
			what);
}

void pass(double seconds)
{
	int64_t end_ms = clock_ms() + (int64_t)(seconds * 1000);

	while (clock_ms() < end_ms)
		world_turn_until(end_ms);
}

/* The status */

json_t *status(void)
{
	json_decref(last_status);
	last_status = json_incref(ask(own, "status", NULL));
	return last_status;
}

static const json_t *find(const char *path)
{
	const json_t *at = status();

	while (at && *path) {
		size_t length = strcspn(path, ".");
		_cleanup_free_ char *name = xstrndup(path, length);

		at = json_object_get(at, name);
		path += length + (path[length] == '.');
	}
	return at;
}

const char *status_text(const char *path)
{
	return json_string_value(find(path));
}

int64_t status_number(const char *path)
{
	return json_integer_value(find(path));
}

bool cluster_is(const char *state)
{
	return strcmp(status_text("cluster.state"), state) == 0;
}

int jobs_of_phase(const char *phase)
{
	/* The macro evaluates its first argument again for each item. */
	const json_t *jobs = json_object_get(status(), "jobs"), *job;
	int count = 0;
	size_t i;

	json_array_foreach (jobs, i, job)
		count += strcmp(json_get_text(job, "phase", ""), phase) == 0;
	return count;
}

int jobs_alive(void)
{
	return (int)json_array_size(json_object_get(status(), "jobs")) - jobs_of_phase("gone");
}

const char *phase_of(const struct fake_job *job)
{
	const json_t *jobs = json_object_get(status(), "jobs"), *item;
	size_t i;

	json_array_foreach (jobs, i, item)
		if (strcmp(json_get_text(item, "id", ""), job->id) == 0)
			return json_get_text(item, "phase", "");
	return "";
}

bool is_excluded(const char *node)
{
	const json_t *nodes = find("cluster.excluded_nodes"), *item;
	size_t i;

	json_array_foreach (nodes, i, item)
		if (strcmp(json_get_text(item, "node", ""), node) == 0)
			return true;
	return false;
}

bool has_notice(const char *part)
{
	const json_t *notices = find("cluster.notices"), *item;
	size_t i;

	json_array_foreach (notices, i, item)
		if (strstr(json_string_value(item), part))
			return true;
	return false;
}

/* A start */

static int started; /* number of the request */

json_t *start_params(const char *json)
{
	json_t *settings = json_pack("{s:i, s:i, s:s, s:i, s:s, s:i, s:i, s:s, s:s}",
		"processes", 2, "cores", 2, "memory", "1 GiB", "maximum", 8, "python",
		"/usr/bin/python3", "idle_timeout", 0, "idle_shutdown", 0, "remote_port",
		"none", "dashboard", "off");
	_cleanup_free_ char *text = xstrdup(*json ? json : "{}");
	_cleanup_json_ json_t *others = NULL;

	for (char *at = text; (at = strchr(at, '\''));)
		*at = '"';
	others = json_loads(text, 0, NULL);
	ck_assert_msg(others != NULL, "no JSON: %s", text);
	json_object_update(settings, others);
	return json_pack("{s:o, s:{s:s, s:s}, s:s, s:b}", "settings", settings, "environment",
		"HOME", directory, "PATH", "/usr/bin:/bin", "directory", directory, "progress",
		1);
}

void start(const char *json)
{
	started = begin(own, "start", start_params(json));
}

bool start_succeeded(void)
{
	await(is_answered(own, started));
	return !error_of(own, started);
}

const char *start_error(void)
{
	await(is_answered(own, started));
	return error_of(own, started) ? error_of(own, started) : "(it runs)";
}

void world_start_running(const char *where, const char *json)
{
	start(json);
	if (!start_succeeded())
		world_fail(where, "the start has failed: %s", start_error());
}

/* The world's beginning and end */

static void create_dracod(void)
{
	_cleanup_free_ char *log = xasprintf("%s/dracod.log", directory);
	_cleanup_free_ char *socket =
		xasprintf("%s/run/draco/" NAME "/control.sock", directory);
	static char *kept_socket;
	struct err err = ERR_INIT;

	dracod = daemon_create(&(struct daemon_options){.name = NAME,
				       .log_file = log,
				       .stay_ms = world_stay_ms,
				       .ready_fd = -1},
		&err);
	ck_assert_msg(dracod != NULL, "%s", err.text);
	ended = false;
	loop = daemon_loop(dracod);
	xreplace(&kept_socket, socket);
	programs_begin(kept_socket);
}

static void begin_dracod(void)
{
	create_dracod();
	alarm_timer = loop_timer_create(loop, on_alarm, NULL);
	processes_begin(loop);
	slurm_begin(loop);
	dask_world_begin(loop);
}

static void come(void)
{
	own = program_come();
	ask(own, "events", json_pack("{s:i, s:b}", "count", 0, "follow", 1));
}

/* Hear what has happened before anybody could listen, too. */
static void come_again(void)
{
	const json_t *answer, *event;
	size_t i;

	own = program_come();
	answer = ask(own, "events",
		json_pack(
			"{s:I, s:b}", "since", (json_int_t)events_next_number(), "follow", 1));
	json_array_foreach (json_object_get(answer, "events"), i, event)
		events_hear(event);
}

static void end_dracod(void)
{
	programs_end();
	processes_end();
	slurm_end();
	dask_world_end();
	alarm_timer = loop_timer_destroy(alarm_timer);
	dracod = daemon_destroy(dracod);
	processes_free();
	json_decref(last_status);
	last_status = NULL;
}

void world_setup(void)
{
	_cleanup_free_ char *runtime = NULL;

	clock_restart();
	directory = unit_directory();
	runtime = xasprintf("%s/run", directory);
	ck_assert_int_eq(mkdir(runtime, 0700), 0);
	setenv("HOME", directory, 1);
	setenv("XDG_RUNTIME_DIR", runtime, 1);
	unsetenv("DBUS_SESSION_BUS_ADDRESS");
	setenv("DRACO_SITE_CONFIG", "/dev/null", 1);
	setenv("TZ", "UTC", 1);
	for (const char *const *name = (const char *const[]){"XDG_STATE_HOME",
		     "XDG_CONFIG_HOME", "NOTIFY_SOCKET", NULL};
		*name; name++)
		unsetenv(*name);
	begin_dracod();
	come();
	ck_assert_msg(clock_is_used(), "libevent has a clock that clock.c does not know");
}

void world_teardown(void)
{
	end_dracod();
	events_clear();
	world_stay_ms = 0;
	log_open(NULL, LOG_LEVEL_ERROR, NULL);
	free(TAKE_PTR(directory));
}

void world_restart(void)
{
	end_dracod();
	begin_dracod();
	come();
}

/* The loop outlives a dracod that is killed, as the timers of the world are in it. */

static bool killing;
static struct loop *kept;

struct loop *__wrap_loop_create(struct err *err);
struct loop *__real_loop_create(struct err *err);
struct loop *__wrap_loop_destroy(struct loop *in);
struct loop *__real_loop_destroy(struct loop *in);

struct loop *__wrap_loop_create(struct err *err)
{
	return kept ? TAKE_PTR(kept) : __real_loop_create(err);
}

struct loop *__wrap_loop_destroy(struct loop *in)
{
	if (!killing)
		return __real_loop_destroy(in);
	kept = in;
	return NULL;
}

bool world_is_killing(void)
{
	return killing;
}

static void copy_state(const char *from, const char *to)
{
	_cleanup_free_ char *command =
		xasprintf("cd %s/.local/state/draco && rm -rf %s && cp -a %s %s", directory, to,
			from, to);

	ck_assert_msg(system(command) == 0, "%s", command);
}

void world_kill(void)
{
	world_note("dracod is killed");
	copy_state(NAME, "kept");
	programs_end();
	killing = true;
	processes_leave();
	dracod = daemon_destroy(dracod);
	killing = false;
	json_decref(last_status);
	last_status = NULL;
	copy_state("kept", NAME);
}

void world_come_back(void)
{
	world_note("dracod comes back");
	create_dracod();
	come_again();
}

static TCase *add_case(Suite *suite, const char *name)
{
	TCase *scenes = tcase_create(name);

	tcase_add_checked_fixture(scenes, world_setup, world_teardown);
	suite_add_tcase(suite, scenes);
	return scenes;
}

Suite *scenario_suite(const char *name, const TTest *const *tests)
{
	Suite *suite = suite_create(name);
	TCase *scenes = add_case(suite, "scenarios");

	for (; *tests; tests++)
		tcase_add_test(scenes, *tests);
	return suite;
}

void scenario_of_table(Suite *suite, const TTest *test, size_t rows)
{
	tcase_add_loop_test(add_case(suite, "table"), test, 0, (int)rows);
}
