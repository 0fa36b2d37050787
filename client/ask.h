/* ask.h: a request of a command that does one thing, such as status or scale. */
#ifndef DRACO_CLIENT_ASK_H
#define DRACO_CLIENT_ASK_H

#include <jansson.h>

struct connection;
struct ctl;
struct err;
struct refusal;

/* As connection_call(), for a connection of connection_need() and a request that may be repeated:
 * when dracod is killed or replaced before it answers, the next one is asked. */
int connection_ask(struct connection *connection, struct ctl *ctl, const char *method,
	json_t *params, json_t **ret_result, struct refusal *refusal, struct err *err);

#endif
