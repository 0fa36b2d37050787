/* ask.c: a request that is repeated when dracod does not live to answer it. */
#include "client/ask.h"

#include "client/need.h"
#include "client/request.h"

/* It may be the request itself that dracod does not survive. */
#define TRIES_MAX 5

int connection_ask(struct connection *connection, struct ctl *ctl, const char *method,
	json_t *params, json_t **ret_result, struct refusal *refusal, struct err *err)
{
	int r, tries = 0;

	do {
		r = connection_call(connection, method, json_incref(params), NULL, NULL,
			ret_result, refusal, err);
	} while (r < 0 && ++tries < TRIES_MAX && connection_renew(connection, ctl, r));
	json_decref(params);
	return r;
}
