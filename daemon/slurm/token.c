/* token.c: the tokens that Slurm's auth/jwt takes, SLURM_JWT. Pure. */
#include "daemon/slurm/token.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"

#define TOKEN_MAX 16384

/* The second of the parts between dots, in the alphabet and with the padding of base64. The caller
 * frees. NULL: there are not three parts. */
static char *claims(const char *token)
{
	const char *first = strchr(token, '.'), *second = first ? strchr(first + 1, '.') : NULL;
	size_t length = second ? (size_t)(second - first - 1) : 0;
	char *text;

	if (length == 0 || strlen(token) > TOKEN_MAX)
		return NULL;
	text = xcalloc(length + 4, 1);
	for (size_t i = 0; i < length; i++) {
		char c = first[1 + i];

		text[i] = c == '-' ? '+' : c == '_' ? '/' : c;
	}
	while (strlen(text) % 4 != 0)
		strcat(text, "=");
	return text;
}

int64_t token_end(const char *token)
{
	_cleanup_free_ char *text = claims(token), *decoded = NULL;
	_cleanup_json_ json_t *object = NULL;
	size_t length = text ? strlen(text) : 0;

	if (!text)
		return 0;
	decoded = xcalloc(length + 1, 1);
	if (EVP_DecodeBlock(
		    (unsigned char *)decoded, (const unsigned char *)text, (int)length) < 0)
		return 0;
	object = json_loads(decoded, 0, NULL);
	return json_get_integer(object, "exp", 0);
}
