/* knock.c: the proof of a client of dracod's port that it can read the cluster's key. Only this
 * file uses OpenSSL's HMAC. */
#include "common/knock.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "common/slurp.h"

#define NONCE_BYTES 16
#define PROOF_BYTES 16

static const char prefix[] = "draco-";
static const char purpose[] = "draco knock\n";

#define NONCE_AT (sizeof(prefix) - 1)
#define PROOF_AT (NONCE_AT + 2 * NONCE_BYTES + 1)
#define LENGTH	 (PROOF_AT + 2 * PROOF_BYTES)

_Static_assert(LENGTH + 1 == KNOCK_SIZE, "KNOCK_SIZE");

static void free_digest(EVP_MD_CTX **context)
{
	EVP_MD_CTX_free(*context);
}

int knock_key_read(const char *file, struct knock_key *ret, struct err *err)
{
	_cleanup_(free_digest) EVP_MD_CTX *context = EVP_MD_CTX_new();
	_cleanup_free_ char *content = NULL;
	size_t size;
	int r = slurp(file, &content, &size, err);

	if (r == -ENOENT)
		return err_set(err, r, "%s: %s", file, strerror(ENOENT));
	if (r < 0) {
		err_prefix(err, "%s", file);
		return r;
	}
	if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) <= 0 ||
		EVP_DigestUpdate(context, purpose, strlen(purpose)) <= 0 ||
		EVP_DigestUpdate(context, content, size) <= 0 ||
		EVP_DigestFinal_ex(context, ret->bytes, NULL) <= 0)
		abort(); /* only if memory is exhausted */
	OPENSSL_cleanse(content, size);
	return 0;
}

static void write_hex(const unsigned char *bytes, size_t count, char *text)
{
	for (size_t i = 0; i < count; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
}

/* nonce: its hexadecimal digits. text gets the proof and a NUL. */
static void write_proof(const struct knock_key *key, const char *nonce, char *text)
{
	unsigned char code[EVP_MAX_MD_SIZE];

	if (!HMAC(EVP_sha256(), key->bytes, sizeof(key->bytes), (const unsigned char *)nonce,
		    (size_t)2 * NONCE_BYTES, code, NULL))
		abort(); /* only if memory is exhausted */
	write_hex(code, PROOF_BYTES, text);
}

void knock_make(const struct knock_key *key, char name[KNOCK_SIZE])
{
	unsigned char nonce[NONCE_BYTES];

	if (getrandom(nonce, sizeof(nonce), 0) != sizeof(nonce))
		abort(); /* never happens: so few bytes are always available */
	memcpy(name, prefix, NONCE_AT);
	write_hex(nonce, sizeof(nonce), name + NONCE_AT);
	name[PROOF_AT - 1] = '.';
	write_proof(key, name + NONCE_AT, name + PROOF_AT);
}

/* Read the last 16 digits of a nonce. */
static bool read_nonce(const char *text, uint64_t *ret)
{
	static const char digits[] = "0123456789abcdef";
	uint64_t value = 0;

	for (size_t i = 0; i < (size_t)2 * NONCE_BYTES; i++) {
		const char *digit = memchr(digits, text[i], 16);

		if (!digit)
			return false;
		value = value << 4 | (uint64_t)(digit - digits);
	}
	*ret = value;
	return true;
}

bool knock_check(
	const struct knock_key *key, const char *name, size_t length, uint64_t *ret_nonce)
{
	char proof[2 * PROOF_BYTES + 1];
	uint64_t nonce;

	if (length != LENGTH || memcmp(name, prefix, NONCE_AT) != 0 ||
		name[PROOF_AT - 1] != '.' || !read_nonce(name + NONCE_AT, &nonce))
		return false;
	write_proof(key, name + NONCE_AT, proof);
	if (CRYPTO_memcmp(proof, name + PROOF_AT, sizeof(proof) - 1) != 0)
		return false;
	*ret_nonce = nonce;
	return true;
}
