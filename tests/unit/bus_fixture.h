/* bus_fixture.h: a message bus of the test's own, by dbus-daemon, and an event loop. */
#ifndef DRACO_TESTS_BUS_FIXTURE_H
#define DRACO_TESTS_BUS_FIXTURE_H

#include <stdbool.h>
#include <time.h>

#include "unit.h"

extern struct loop *bus_loop;
extern char *bus_directory; /* the address of the user bus is that of a socket in it */

/* Make the loop; no bus runs yet, and the variables name the one that can be started. */
void bus_setup(void);
void bus_teardown(void);

/* Is there a dbus-daemon? Otherwise tell that the test is skipped. */
bool bus_is_possible(void);

/* Start the bus; when it returns, programs can connect. */
void bus_start(void);
void bus_kill(void);

/* Run the loop for a moment. */
void bus_turn(void);

#define BUS_DEADLINE_S 60

/* Repeat turn() until the condition holds. */
#define bus_until_by(turn, condition)                                                  \
	do {                                                                           \
		time_t until_ = time(NULL) + BUS_DEADLINE_S;                           \
		while (!(condition)) {                                                 \
			ck_assert_msg(time(NULL) < until_, "not yet: %s", #condition); \
			turn();                                                        \
		}                                                                      \
	} while (0)

#define bus_until(condition) bus_until_by(bus_turn, condition)

#endif
