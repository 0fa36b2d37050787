/* tls_fix.h: the Python program that keeps TLS connections (client/python/draco/_tls_fix.py has
 * the text), as dracod hands it to programs without the package: a preload of Dask's
 * clients. */
#ifndef DRACO_COMMON_TLS_FIX_H
#define DRACO_COMMON_TLS_FIX_H

#include <stdbool.h>
#include <string.h>

/* The last part of its path, and of no other file's. */
#define TLS_FIX_FILE "tls_fix.py"

/* Dask's distributed.client.preload: a list of paths. */
#define TLS_FIX_VARIABLE "DASK_DISTRIBUTED__CLIENT__PRELOAD"

/* Whether a value of that variable is one that dracod gave. NULL: it is not. */
static inline bool tls_fix_is_own(const char *value)
{
	return value && strstr(value, "/" TLS_FIX_FILE "\"");
}

#endif
