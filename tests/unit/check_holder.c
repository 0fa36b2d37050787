/* check_holder.c: tests of common/holder.c: does a dracod live, by its lock and daemon.json? */
#include "unit.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/holder.h"
#include "common/host.h"

#define FREE	HOLDER_LOCK_FREE
#define HELD	HOLDER_LOCK_HELD
#define SILENT	HOLDER_LOCK_SILENT
#define ALL	LOCK_SCOPE_ALL
#define HOST	LOCK_SCOPE_HOST
#define UNKNOWN LOCK_SCOPE_UNKNOWN

static const struct host here = {.name = "login1", .boot = "b1"};

/* The process 1 always runs. */
static const struct {
	const char *daemon; /* NULL: there is no daemon.json */
	enum holder_lock lock;
	enum lock_scope scope;
	enum holder_state state;
} rows[] = {
	{NULL, FREE, ALL, HOLDER_NONE},
	{NULL, FREE, UNKNOWN, HOLDER_NONE},
	{NULL, SILENT, UNKNOWN, HOLDER_NONE},
	{NULL, HELD, UNKNOWN, HOLDER_ALIVE}, /* it is just starting */
	/* On this host the lock tells, whatever the file system is. */
	{"{'host':'login1','boot':'b1','pid':1,'locks':'all'}", HELD, ALL, HOLDER_ALIVE},
	{"{'host':'login1','boot':'b1','pid':1,'locks':'all'}", FREE, ALL, HOLDER_ENDED},
	{"{'host':'login1','boot':'b1','pid':1,'locks':'host'}", FREE, HOST, HOLDER_ENDED},
	{"{'host':'login1','boot':'b1','pid':1,'locks':'unknown'}", FREE, UNKNOWN,
		HOLDER_ENDED},
	/* ... and where there is none, the process. */
	{"{'host':'login1','boot':'b1','pid':1}", SILENT, UNKNOWN, HOLDER_ALIVE},
	{"{'host':'login1','boot':'b0','pid':1}", SILENT, UNKNOWN, HOLDER_ENDED},
	{"{'host':'login1','boot':'b1','pid':0}", SILENT, UNKNOWN, HOLDER_ENDED},
	/* On another host a lock that is held tells always, ... */
	{"{'host':'login2','boot':'b1','pid':1,'locks':'all'}", HELD, ALL, HOLDER_ALIVE},
	{"{'host':'login2','boot':'b1','pid':1,'locks':'host'}", HELD, UNKNOWN, HOLDER_ALIVE},
	/* ... one that is free only where both ends would see it held. */
	{"{'host':'login2','boot':'b2','pid':1,'locks':'all'}", FREE, ALL, HOLDER_ENDED},
	{"{'host':'login2','boot':'b2','pid':1}", FREE, ALL, HOLDER_ENDED}, /* of old */
	{"{'host':'login2','boot':'b2','pid':1,'locks':'host'}", FREE, ALL, HOLDER_UNKNOWN},
	{"{'host':'login2','boot':'b2','pid':1,'locks':'unknown'}", FREE, ALL, HOLDER_UNKNOWN},
	{"{'host':'login2','boot':'b2','pid':1,'locks':'all'}", FREE, HOST, HOLDER_UNKNOWN},
	{"{'host':'login2','boot':'b2','pid':1,'locks':'all'}", FREE, UNKNOWN, HOLDER_UNKNOWN},
	{"{'host':'login2','boot':'b2','pid':1,'locks':'all'}", SILENT, ALL, HOLDER_UNKNOWN},
	/* A person has decided. */
	{"{'host':'login2','pid':1,'taken_over_by':'login1'}", FREE, UNKNOWN, HOLDER_NONE},
	{"{'host':'login1','boot':'b1','pid':1,'taken_over_by':'x'}", SILENT, UNKNOWN,
		HOLDER_NONE},
	{"{'host':'login2','pid':1,'taken_over_by':'login1'}", HELD, UNKNOWN, HOLDER_ALIVE},
	/* Damaged. */
	{"{}", FREE, UNKNOWN, HOLDER_ENDED},
	{"{'host':7,'boot':[],'pid':'x','locks':{},'taken_over_by':1}", FREE, UNKNOWN,
		HOLDER_ENDED},
};

static json_t *parse(const char *text)
{
	char *copy = text ? xstrdup(text) : NULL;
	json_t *object;

	for (char *c = copy; c && *c; c++)
		if (*c == '\'')
			*c = '"';
	object = copy ? json_loads(copy, 0, NULL) : NULL;
	ck_assert(!text || object);
	free(copy);
	return object;
}

START_TEST(judge)
{
	json_t *daemon = parse(rows[_i].daemon);

	ck_assert_int_eq(
		holder_judge(daemon, &here, rows[_i].lock, rows[_i].scope), rows[_i].state);
	json_decref(daemon);
}
END_TEST

static void lock(const char *path)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	ck_assert_int_eq(fcntl(fd, F_OFD_SETLK, &lock), 0);
}

/* With real locks; a look must not let go of one. */
START_TEST(look)
{
	char *directory = unit_directory();
	char *lock_file = xasprintf("%s/lock", directory);
	json_t *far = parse("{'host':'elsewhere','boot':'b','pid':1,'locks':'all'}");
	struct holder holder;

	holder_look(lock_file, NULL, &holder);
	ck_assert_int_eq(holder.state, HOLDER_NONE);
	ck_assert(holder.here);
	holder_look(lock_file, far, &holder);
	ck_assert_int_eq(holder.state, HOLDER_UNKNOWN); /* without the file nobody can ask */
	ck_assert(!holder.here);
	close(open(lock_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
	holder_look(lock_file, far, &holder);
	ck_assert_str_ne(holder.file_system, "?");
	ck_assert_int_eq(holder.state, HOLDER_ENDED);
	lock(lock_file);
	for (int i = 0; i < 3; i++) {
		holder_look(lock_file, far, &holder);
		ck_assert_int_eq(holder.state, HOLDER_ALIVE);
	}
	json_decref(far);
	free(lock_file);
	free(directory);
}
END_TEST

START_TEST(text)
{
	json_t *daemon = parse("{'host':'c1','pid':123}");
	char *line = holder_ended_text(daemon);

	ck_assert_str_eq(
		line, "dracod ran on host c1 (process 123) and ended without cleaning up");
	free(line);
	json_decref(daemon);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("holder");
	TCase *tcase = tcase_create("holder");

	tcase_add_loop_test(tcase, judge, 0, LENGTH(rows));
	tcase_add_test(tcase, look);
	tcase_add_test(tcase, text);
	suite_add_tcase(suite, tcase);
	return suite;
}
