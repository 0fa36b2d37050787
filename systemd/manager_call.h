/* manager_call.h: calls of the bus that are answered later. */
#ifndef DRACO_SYSTEMD_MANAGER_CALL_H
#define DRACO_SYSTEMD_MANAGER_CALL_H

struct loop;
struct manager_calls;
struct sd_bus_message;

struct manager_calls *manager_calls_create(struct loop *loop);
struct manager_calls *manager_calls_destroy(struct manager_calls *calls);

/* Let go of all calls, without answers; and: answer them, because dracod ends. */
void manager_calls_drop(struct manager_calls *calls);
void manager_calls_end(struct manager_calls *calls);

/* Carry out the call by a request of dracod's control socket. fd, a connection to it, is taken
 * over, and closed when the call is answered. 1, or -errno: the call is not answered, and fd is
 * closed. */
int manager_calls_request(struct manager_calls *calls, struct sd_bus_message *message,
	int method, int fd) __attribute__((warn_unused_result));

/* Answer the call with the names of all dracods: a(ss), cluster and name on the bus. 1 or
 * -errno. */
int manager_calls_list(struct manager_calls *calls, struct sd_bus_message *message)
	__attribute__((warn_unused_result));

#endif
