/* check_memory.c: tests of daemon/io/memory.c and daemon/policy/memory_use.c: which limit leaves
 * least, in both versions of cgroups and in a container, and when that is little. */
#include "unit.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "daemon/io/cgroup.h"
#include "daemon/io/memory.h"
#include "daemon/policy/memory_use.h"

#define MIB ((int64_t)1024 * 1024)
#define PID 42

static char *root;

static void setup(void)
{
	root = unit_directory();
	cgroup_root = root;
}

static void teardown(void)
{
	cgroup_root = "";
	free(root);
}

/* Make a file below root, with its directories. */
static void put(const char *path, const char *content)
{
	_cleanup_free_ char *full = xasprintf("%s%s", root, path);

	for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0700);
		*slash = '/';
	}
	free(unit_file(root, path + 1, content, strlen(content)));
}

static void put_host(void)
{
	put("/proc/42/status", "Name:\tpython\nVmPeak:\t  900000 kB\nVmRSS:\t  204800 kB\n");
	put("/proc/meminfo",
		"MemTotal:       1048576 kB\nMemFree:         1 kB\n"
		"MemAvailable:    524288 kB\n");
	put("/proc/vmstat", "nr_free 1\noom_kill 7\n");
}

static void check_left(int64_t used_mib, int64_t room_mib, int64_t limit_mib, bool of_cgroup)
{
	struct memory_use use;

	ck_assert_int_eq(memory_look(PID, &use), 0);
	ck_assert_int_eq(use.used / MIB, used_mib);
	ck_assert_int_eq(use.room / MIB, room_mib);
	ck_assert_int_eq(use.limit / MIB, limit_mib);
	ck_assert_int_eq(use.of_cgroup, of_cgroup);
}

static void check_kills(int64_t expected, const char *end)
{
	_cleanup_free_ char *file = memory_kills_file(PID);

	ck_assert_ptr_nonnull(file);
	ck_assert_ptr_nonnull(strstr(file, end));
	ck_assert_int_eq(memory_kills(file), expected);
}

START_TEST(host)
{
	struct memory_use use;

	ck_assert_int_eq(memory_look(PID, &use), -ENOENT);
	ck_assert_int_eq(use.used + use.room + use.limit, 0);
	ck_assert_int_eq(memory_kills(NULL), -1);
	put_host();
	check_left(200, 512, 1024, false);
	check_kills(7, "/proc/vmstat");
}
END_TEST

static const char v2_mounts[] =
	"22 1 0:20 / /proc rw - proc proc rw\n"
	"31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

/* Each level has its limit: here that of the user leaves least. */
START_TEST(version_2)
{
	put_host();
	put("/proc/42/cgroup", "0::/user.slice/session-1.scope\n");
	put("/proc/self/mountinfo", v2_mounts);
	put("/sys/fs/cgroup/user.slice/session-1.scope/memory.max", "max\n");
	put("/sys/fs/cgroup/user.slice/session-1.scope/memory.current", "1\n");
	put("/sys/fs/cgroup/user.slice/session-1.scope/memory.events",
		"low 0\noom 3\noom_kill 2\n");
	check_left(200, 512, 1024, false);
	check_kills(2, "session-1.scope/memory.events");
	put("/sys/fs/cgroup/user.slice/memory.max", "419430400\n");
	put("/sys/fs/cgroup/user.slice/memory.current", "314572800\n");
	check_left(200, 100, 400, true);
	/* Cached files are given up first. */
	put("/sys/fs/cgroup/user.slice/memory.stat",
		"anon 5\ninactive_file 52428800\nactive_file 1\n");
	check_left(200, 150, 400, true);
	put("/sys/fs/cgroup/user.slice/memory.current", "999999999\n");
	check_left(200, 0, 400, true);
}
END_TEST

#define UNIT "/draco.slice/draco-a.slice/draco-scheduler-a.scope"

/* The cgroup of a scheduler's unit goes with the scheduler; the slice above it counts on. */
START_TEST(unit)
{
	_cleanup_free_ char *file = NULL, *directory = NULL;

	put_host();
	put("/proc/42/cgroup", "0::" UNIT "\n");
	put("/proc/self/mountinfo", v2_mounts);
	put("/sys/fs/cgroup" UNIT "/memory.max", "314572800\n");
	put("/sys/fs/cgroup" UNIT "/memory.events", "oom 1\noom_kill 1\n");
	put("/sys/fs/cgroup/draco.slice/draco-a.slice/memory.events", "oom 5\noom_kill 3\n");
	check_kills(3, "/draco-a.slice/memory.events");
	file = memory_kills_file(PID);
	ck_assert_int_eq(memory_limit_hits(file), 5);
	ck_assert_int_eq(memory_limit_hits(NULL), -1);
	directory = cgroup_of_unit(PID, "draco-scheduler-");
	ck_assert_str_eq(cgroup_unit_name(directory), "draco-scheduler-a.scope");
	ck_assert_int_eq(memory_limit(directory), 300 * MIB);
	put("/sys/fs/cgroup" UNIT "/memory.max", "max\n");
	ck_assert_int_eq(memory_limit(directory), 0);
	ck_assert_ptr_null(cgroup_of_unit(PID, "other-"));
	put("/proc/42/cgroup", "4:memory:/x\n1:name=systemd:" UNIT "\n0::/\n");
	put("/proc/self/mountinfo",
		"35 31 0:32 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n");
	free(directory);
	directory = cgroup_of_unit(PID, "draco-scheduler-");
	ck_assert_str_eq(cgroup_unit_name(directory), "draco-scheduler-a.scope");
	ck_assert_ptr_nonnull(strstr(directory, "/sys/fs/cgroup/systemd/draco.slice/"));
	put("/proc/42/cgroup", "1:name=systemd:/\n0::/\n");
	ck_assert_ptr_null(cgroup_of_unit(PID, ""));
}
END_TEST

START_TEST(what_is_left_is_killed)
{
	_cleanup_free_ char *text = NULL, *directory = xasprintf("%s/cg", root);
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		pause();
		_exit(0);
	}
	text = xasprintf("%d\n", (int)pid);
	put("/cg/cgroup.procs", text);
	ck_assert_int_eq(cgroup_kill(directory), 1);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	ck_assert_int_eq(cgroup_kill(directory), 0);
	ck_assert_int_eq(cgroup_kill("/does/not/exist"), 0);
}
END_TEST

START_TEST(version_1)
{
	put_host();
	put("/proc/42/cgroup", "9:name=systemd:/\n4:cpu,memory:/user/7\n0::/\n");
	put("/proc/self/mountinfo",
		"35 31 0:32 / /sys/fs/cgroup/cpu,memory rw - cgroup cgroup rw,cpu,memory\n"
		"41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
	put("/sys/fs/cgroup/cpu,memory/user/7/memory.limit_in_bytes", "9223372036854771712\n");
	put("/sys/fs/cgroup/cpu,memory/user/7/memory.usage_in_bytes", "5\n");
	check_kills(7, "/proc/vmstat"); /* an old kernel's file does not count */
	put("/sys/fs/cgroup/cpu,memory/user/7/memory.oom_control",
		"oom_kill_disable 0\nunder_oom 0\noom_kill 4\n");
	check_left(200, 512, 1024, false);
	check_kills(4, "/user/7/memory.oom_control");
	put("/sys/fs/cgroup/cpu,memory/user/memory.limit_in_bytes", "314572800\n");
	put("/sys/fs/cgroup/cpu,memory/user/memory.usage_in_bytes", "209715200\n");
	put("/sys/fs/cgroup/cpu,memory/user/memory.stat",
		"inactive_file 1\ntotal_inactive_file 104857600\n");
	check_left(200, 200, 300, true);
}
END_TEST

/* In a container the mount shows a part of the hierarchy, or another one. */
START_TEST(container)
{
	put_host();
	put("/proc/42/cgroup", "0::/docker/abc\n");
	put("/proc/self/mountinfo", "31 23 0:28 /docker/abc /cg ro - cgroup2 cgroup2 ro\n");
	put("/cg/memory.max", "209715200\n");
	put("/cg/memory.current", "104857600\n");
	check_left(200, 100, 200, true);
	put("/proc/self/mountinfo", "31 23 0:28 /docker/ab /cg ro - cgroup2 cgroup2 ro\n");
	check_left(200, 512, 1024, false);
}
END_TEST

/* Nothing that the kernel may write, or not, does harm. */
START_TEST(strange_files)
{
	static const char *const lines[] = {
		"", "\n", "a", "0", "0:", "0::", "::\n", "0::x\n", ":::::"};

	put_host();
	put("/cg/memory.max", "-5\n");
	put("/cg/memory.current", "x\n");
	for (size_t i = 0; i < LENGTH(lines); i++) {
		put("/proc/42/cgroup", lines[i]);
		for (size_t k = 0; k < LENGTH(lines); k++) {
			put("/proc/self/mountinfo", lines[k]);
			check_left(200, 512, 1024, false);
		}
		put("/proc/self/mountinfo", "31 23 0:28 / /cg ro - cgroup2 cgroup2 ro\n");
		check_left(200, 512, 1024, false);
		put("/proc/self/mountinfo", "- cgroup2\n - \n a - cgroup2 cgroup2 rw\n");
		check_left(200, 512, 1024, false);
	}
}
END_TEST

static const struct {
	int64_t used, room, limit;
	bool was_short, is_short;
} rows[] = {
	{0, 0, 0, false, false},
	{13, 2, 16, false, false},
	{13, 1, 16, false, true},
	{13, 2, 16, true, true}, /* it stays short ... */
	{13, 4, 16, true, false},
	{1, 1, 16, false, false}, /* others use the memory */
	{1, 0, 16, false, true},
	{0, 0, 16, false, false},
};

START_TEST(when_little_is_left)
{
	const int64_t gib = 1024 * MIB;
	struct memory_use use = {
		rows[_i].used * gib, rows[_i].room * gib, rows[_i].limit * gib, true};

	ck_assert_int_eq(memory_is_short(&use, rows[_i].was_short), rows[_i].is_short);
}
END_TEST

/* This process, as the kernel of this machine has it. */
START_TEST(really)
{
	struct memory_use use;

	cgroup_root = "";
	ck_assert_int_eq(memory_look(getpid(), &use), 0);
	ck_assert(use.used > 0 && use.room >= 0 && use.limit >= use.room);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("memory");
	TCase *tcase = tcase_create("memory");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, host);
	tcase_add_test(tcase, version_2);
	tcase_add_test(tcase, unit);
	tcase_add_test(tcase, what_is_left_is_killed);
	tcase_add_test(tcase, version_1);
	tcase_add_test(tcase, container);
	tcase_add_test(tcase, strange_files);
	tcase_add_loop_test(tcase, when_little_is_left, 0, LENGTH(rows));
	tcase_add_test(tcase, really);
	suite_add_tcase(suite, tcase);
	return suite;
}
