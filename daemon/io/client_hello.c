/* client_hello.c: reads the first bytes of a TLS connection, without a TLS library. */
#include "daemon/io/client_hello.h"

#include <stdbool.h>
#include <stdint.h>

#define RECORD_HEADER  5
#define MESSAGE_HEADER 4
#define HANDSHAKE      22
#define CLIENT_HELLO   1
#define VERSION_MAJOR  3
#define VERSION_RANDOM (2 + 32)
#define SERVER_NAME    0 /* the extension */
#define HOST_NAME      0 /* the kind of name in it */

/* The bytes that are still to be read. */
struct rest {
	const unsigned char *at;
	size_t left;
};

/* Take count bytes; NULL: there are fewer. */
static const unsigned char *take(struct rest *rest, size_t count)
{
	const unsigned char *at = rest->at;

	if (rest->left < count)
		return NULL;
	rest->at += count;
	rest->left -= count;
	return at;
}

/* Take a number of one to three bytes. */
static bool take_number(struct rest *rest, size_t bytes, size_t *ret)
{
	const unsigned char *at = take(rest, bytes);
	size_t number = 0;

	if (!at)
		return false;
	for (size_t i = 0; i < bytes; i++)
		number = number << 8 | at[i];
	*ret = number;
	return true;
}

/* Take a vector that follows its length. */
static bool take_vector(struct rest *rest, size_t length_bytes, struct rest *ret)
{
	size_t length;

	if (!take_number(rest, length_bytes, &length))
		return false;
	ret->left = length;
	ret->at = take(rest, length);
	return ret->at != NULL;
}

static bool read_name(struct rest extension, struct client_hello *hello)
{
	struct rest list, name;
	size_t kind;

	if (!take_vector(&extension, 2, &list) || !take_number(&list, 1, &kind) ||
		kind != HOST_NAME || !take_vector(&list, 2, &name))
		return false;
	hello->name = (const char *)name.at;
	hello->length = name.left;
	return true;
}

static bool read_extensions(struct rest extensions, struct client_hello *hello)
{
	struct rest extension;
	size_t kind;

	while (extensions.left > 0) {
		if (!take_number(&extensions, 2, &kind) ||
			!take_vector(&extensions, 2, &extension))
			return false;
		if (kind == SERVER_NAME)
			return read_name(extension, hello);
	}
	return true;
}

static bool read_message(struct rest message, struct client_hello *hello)
{
	struct rest session, ciphers, compressions, extensions;

	if (!take(&message, VERSION_RANDOM) || !take_vector(&message, 1, &session) ||
		!take_vector(&message, 2, &ciphers) || !take_vector(&message, 1, &compressions))
		return false;
	if (message.left == 0) /* it has no extensions */
		return true;
	return take_vector(&message, 2, &extensions) && read_extensions(extensions, hello);
}

struct client_hello client_hello_read(const unsigned char *bytes, size_t count)
{
	static const struct client_hello wrong = {.kind = CLIENT_HELLO_WRONG};
	struct client_hello hello = {
		.kind = CLIENT_HELLO_PART, .wanted = RECORD_HEADER + MESSAGE_HEADER};
	struct rest record, message;

	if ((count > 0 && bytes[0] != HANDSHAKE) || (count > 1 && bytes[1] != VERSION_MAJOR))
		return wrong;
	if (count < hello.wanted)
		return hello;
	record = (struct rest){bytes + RECORD_HEADER, (size_t)(bytes[3] << 8 | bytes[4])};
	hello.wanted = RECORD_HEADER + record.left;
	if (hello.wanted > CLIENT_HELLO_MAX || *record.at != CLIENT_HELLO)
		return wrong;
	if (count < hello.wanted)
		return hello;
	if (!take(&record, 1) || !take_vector(&record, 3, &message))
		return wrong;
	hello.kind = CLIENT_HELLO_WHOLE;
	return read_message(message, &hello) ? hello : wrong;
}
