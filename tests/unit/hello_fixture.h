/* hello_fixture.h: the first message of a TLS client, as OpenSSL writes it. */
#ifndef DRACO_TESTS_HELLO_FIXTURE_H
#define DRACO_TESTS_HELLO_FIXTURE_H

#include <stddef.h>

/* Make one that asks for the server of this name (NULL: for none), by TLS 1.3, or, when old,
 * 1.2. Returns its bytes, *ret_size of them; the caller frees. */
unsigned char *hello_make(const char *name, int old, size_t *ret_size);

#endif
