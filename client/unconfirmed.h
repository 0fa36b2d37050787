/* unconfirmed.h: what dracod's answer to a stop says of jobs that may still run, in words. Pure. */
#ifndef DRACO_CLIENT_UNCONFIRMED_H
#define DRACO_CLIENT_UNCONFIRMED_H

#include <jansson.h>
#include <stdbool.h>

/* The text, without an end; NULL: there are none. ends_dracod: of a shutdown. The caller frees. */
char *unconfirmed_text(const json_t *result, bool ends_dracod);

#endif
