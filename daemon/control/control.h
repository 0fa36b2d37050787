/* control.h: the connected clients, by the control socket or from other hosts. */
#ifndef DRACO_DAEMON_CONTROL_CONTROL_H
#define DRACO_DAEMON_CONTROL_CONTROL_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

struct bufferevent;
struct client;
struct control;
struct err;
struct loop;
struct rpc_message;

struct control_ops {
	/* A client has sent a request or a notification. message is borrowed. */
	void (*request)(void *arg, struct client *client, const struct rpc_message *message);
	/* The client is gone; nothing may be sent to it any more. */
	void (*gone)(void *arg, struct client *client);
};

/* Listen at path. NULL with err. arg and the loop are borrowed. */
struct control *control_create(struct loop *loop, const char *path,
	const struct control_ops *ops, void *arg, struct err *err);

/* Also listen at fd, a non-blocking socket that the service manager has opened. Takes fd over. */
void control_listen_too(struct control *control, int fd);

/* Does the socket still exist? And: listen at path instead; see listener_move(). */
bool control_is_there(const struct control *control);
int control_move(struct control *control, const char *path, struct err *err)
	__attribute__((warn_unused_result));

struct control *control_destroy(struct control *control); /* does not call gone() */

/* Serve a client of this user that has connected by another way. Takes connection over. who names
 * the client in the log. */
void control_admit(struct control *control, struct bufferevent *connection, const char *who);

/* As control_admit(), for a connected socket. */
void control_serve(struct control *control, int fd, const char *who);

/* The number of connected clients. */
int control_count(const struct control *control);

/* Accept no more connections and remove the socket. Connected clients stay. */
void control_close(struct control *control);

/* Write pending output as far as that is possible without waiting. */
void control_flush(struct control *control);

bool client_has_greeted(const struct client *client);
void client_set_greeted(struct client *client);

/* The program of a client, as it has named itself, and its description for a person: "dracoctl
 * (process 4711)". The caller frees the latter. */
void client_set_program(struct client *client, const char *program);
const char *client_program(const struct client *client);
char *client_describe(const struct client *client);

/* Answers to a client. result, data and params are taken over. */
void client_reply(struct client *client, const json_t *id, json_t *result);
void client_refuse(
	struct client *client, const json_t *id, int code, const char *text, json_t *data);
void client_notify(struct client *client, const char *method, json_t *params);

#endif
