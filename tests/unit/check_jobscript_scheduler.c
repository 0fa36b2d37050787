/* check_jobscript_scheduler.c: tests of daemon/dask/jobscript.c: whether the node of a job reaches
 * the scheduler. */
#include "unit.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "jobscript_fixture.h"

static int listen_somewhere(int *ret_port)
{
	struct sockaddr_in here = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(here);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&here, sizeof(here)), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&here, &length), 0);
	*ret_port = ntohs(here.sin_port);
	return fd;
}

/* A job whose node cannot connect to the scheduler says so, and ends in a way of its own. */
START_TEST(scheduler_is_not_reached)
{
	int port, fd = listen_somewhere(&port);
	char *scheduler = xasprintf("tls://127.0.0.1:%d", port);
	char *said = xasprintf("cannot connect to the scheduler at 127.0.0.1, port %d "
			       "(Connection refused)",
		port);

	close(fd);
	job.scheduler = scheduler;
	job.watch_s = 1;
	job.epilogue = "touch \"$TEST/epilogue\"";
	check_end(START("STAND_IN=" UNTIL_TERMINATED), JOBSCRIPT_EXIT_SCHEDULER);
	check_said(said);
	check_content("signals", "TERM\n");
	ck_assert(exists("epilogue"));
	job.watch_s = 0;
	check_end(START("STAND_IN=sleep 2; exit 3"), 3);
	free(scheduler);
	free(said);
}
END_TEST

/* Where the node reaches it, workers have all the time that they need, and who is connected is not
 * disturbed by a second connection. */
START_TEST(scheduler_is_reached)
{
	static const char wait[] = "until [ -e \"$TEST/go\" ]; do sleep 0.02; done; exit 5";
	int port, fd = listen_somewhere(&port), peer;
	char *scheduler = xasprintf("tls://127.0.0.1:%d", port);
	char *stand_in = _i
		? xasprintf("STAND_IN=exec 3<>/dev/tcp/127.0.0.1/%d; %s", port, wait)
		: xasprintf("STAND_IN=%s", wait);
	struct pollfd second = {.fd = fd, .events = POLLIN};
	pid_t pid;

	job.scheduler = scheduler;
	job.watch_s = 1;
	pid = START(stand_in);
	peer = accept(fd, NULL, NULL);
	ck_assert_int_ge(peer, 0);
	ck_assert_int_eq(poll(&second, 1, 2500), 0);
	free(unit_file(directory, "go", "", 0));
	check_end(pid, 5);
	check_content("output", "");
	close(peer);
	close(fd);
	free(scheduler);
	free(stand_in);
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("jobscript: scheduler");
	TCase *tcase = tcase_create("scheduler");

	tcase_set_timeout(tcase, 180);
	tcase_add_checked_fixture(tcase, jobscript_setup, jobscript_teardown);
	tcase_add_test(tcase, scheduler_is_not_reached);
	tcase_add_loop_test(tcase, scheduler_is_reached, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite;
}
