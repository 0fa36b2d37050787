/* unconfirmed.h: describes the jobs that may still run after a stop, from dracod's answer. Pure. */
#ifndef DRACO_CLIENT_UNCONFIRMED_H
#define DRACO_CLIENT_UNCONFIRMED_H

#include <jansson.h>
#include <stdbool.h>

struct ctl;

/* The text, without a full stop; NULL: there are no such jobs. ends_dracod: the answer is to a
 * shutdown. The caller frees. */
char *unconfirmed_text(const struct ctl *ctl, const json_t *result, bool ends_dracod);

#endif
