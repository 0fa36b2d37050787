/* knock.h: the proof of a client of dracod's port that it can read the cluster's key. It is in the
 * client's very first message, as the server name in the ClientHello. A flood of connections cannot
 * contain it, so dracod can tell its user's clients from the flood before it spends any work on
 * TLS. It does not replace the certificate, which is shown afterwards.
 *
 * The name is "draco-NONCE.PROOF". NONCE is 16 random bytes, and PROOF is the first 16 bytes of
 * HMAC-SHA256(K, NONCE's digits), both as hexadecimal digits. K is SHA256("draco knock\n" and the
 * content of the key's file). client/python/draco/_knock.py makes the same names. */
#ifndef DRACO_COMMON_KNOCK_H
#define DRACO_COMMON_KNOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct knock_key {
	unsigned char bytes[32];
};

#define KNOCK_SIZE 72 /* length of a name, with its NUL */

/* Read the key from a file that only this user can read. 0, or -errno with err. */
int knock_key_read(const char *file, struct knock_key *ret, struct err *err)
	__attribute__((warn_unused_result));

/* Make a new name, with a new nonce. */
void knock_make(const struct knock_key *key, char name[KNOCK_SIZE]);

/* Was this name (length bytes without a NUL) made with this key? Then *ret_nonce is a part of its
 * nonce. */
bool knock_check(
	const struct knock_key *key, const char *name, size_t length, uint64_t *ret_nonce);

#endif
