/* dask_link_fixture.h: what the tests of dask_link.c share: the test is the scheduler's
 * preload, at the real socket. */
#ifndef DRACO_TESTS_DASK_LINK_FIXTURE_H
#define DRACO_TESTS_DASK_LINK_FIXTURE_H

#include "common/json.h"
#include "common/rpc.h"
#include "daemon/dask/dask_link.h"
#include "daemon/io/loop.h"

#define WAIT_MS 60000

/* Made anew for each test. */
extern struct dask_link *dask_link;
extern char *path; /* of the socket */

/* What dracod's side has heard. */
extern int refuse; /* whether it refuses who says hello */
extern int hellos, losses, reports, workers_added, terminations;
extern int removals, removals_asked;
extern json_int_t reported_tasks;
extern size_t workers_there; /* of the last hello */

/* The tests of a suite's case run between these. */
void dask_link_setup(void);
void dask_link_teardown(void);

/* Let the loop run for a moment. */
void run(void);

/* Let the loop run until the condition is true. */
#define run_until(condition)                                                     \
	do {                                                                     \
		int64_t end_ms = loop_now_ms() + WAIT_MS;                        \
                                                                                 \
		while (!(condition)) {                                           \
			ck_assert_msg(loop_now_ms() < end_ms, "%s", #condition); \
			run();                                                   \
		}                                                                \
	} while (0)

/* Send a line. The other side reads in this same thread: it may when there is no room. */
void say(int fd, const char *text);

/* The next line that dracod's side sends; ret as rpc_parse() makes it. */
void hear(int fd, struct rpc_message *ret);

/* A preload that has said hello, and one that is accepted; returns its end of the connection. */
int come_with(int protocol, int64_t workers);
int come_in(void);

#endif
