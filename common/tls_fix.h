/* tls_fix.h: the Python program that keeps TLS connections alive, whose text is in
 * client/python/draco/_tls_fix.py. dracod gives it to programs without the package, as a preload of
 * Dask's clients. */
#ifndef DRACO_COMMON_TLS_FIX_H
#define DRACO_COMMON_TLS_FIX_H

#include <stdbool.h>
#include <string.h>

/* The last part of its path. No other file has that name. */
#define TLS_FIX_FILE "tls_fix.py"

/* Dask's distributed.client.preload: a list of paths. */
#define TLS_FIX_VARIABLE "DASK_DISTRIBUTED__CLIENT__PRELOAD"

/* Is this value of the variable one from dracod? NULL: no. */
static inline bool tls_fix_is_own(const char *value)
{
	return value && strstr(value, "/" TLS_FIX_FILE "\"");
}

#endif
