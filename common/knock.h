/* knock.h: how a client of dracod's port proves, in its very first message, that it can read
 * the cluster's key: by the server name in the ClientHello. Whoever floods the port cannot do
 * that, so that dracod tells its user from the flood before it does any work of TLS. It is no
 * replacement for the certificate, which is shown afterwards.
 *
 * The name is "draco-NONCE.PROOF": 16 random bytes, and the first 16 bytes of HMAC-SHA256(K,
 * NONCE as it is written), both as hexadecimal digits; K is SHA256("draco knock\n" and the
 * content of the key's file). The other writer of such names is
 * client/python/draco/_knock.py. */
#ifndef DRACO_COMMON_KNOCK_H
#define DRACO_COMMON_KNOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

struct knock_key {
	unsigned char bytes[32];
};

#define KNOCK_SIZE 72 /* of a name, with its NUL */

/* Make the key from a file that only this user can read. 0, or a negative errno with err. */
int knock_key_read(const char *file, struct knock_key *ret, struct err *err)
	__attribute__((warn_unused_result));

/* Make a new name. */
void knock_make(const struct knock_key *key, char name[KNOCK_SIZE]);

/* Was the name, length bytes without a NUL, made with this key? Then *ret_nonce is a part of
 * its random bytes. */
bool knock_check(
	const struct knock_key *key, const char *name, size_t length, uint64_t *ret_nonce);

#endif
