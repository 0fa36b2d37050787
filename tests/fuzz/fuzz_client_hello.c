/* fuzz_client_hello.c: daemon/io/client_hello.c with any bytes: what they are does not depend on
 * what follows, and each beginning of a whole message is a part that wants more. */
#include "fuzz.h"

#include "daemon/io/client_hello.h"

const char fuzz_name[] = "client_hello";
const char *const fuzz_words[] = {"\x16\x03\x01", "\x16\x03\x03", "draco-", NULL};

static void check_name(const struct client_hello *hello, const uint8_t *data, size_t size)
{
	const char *begin = (const char *)data;

	if (!hello->name)
		return;
	fuzz_require(hello->kind == CLIENT_HELLO_WHOLE);
	fuzz_require(hello->name >= begin && hello->name <= begin + size);
	fuzz_require(hello->length <= size - (size_t)(hello->name - begin));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client_hello hello = client_hello_read(data, size), part;

	check_name(&hello, data, size);
	if (hello.kind == CLIENT_HELLO_PART)
		fuzz_require(hello.wanted > size && hello.wanted <= CLIENT_HELLO_MAX);
	if (hello.kind != CLIENT_HELLO_WHOLE)
		return 0;
	fuzz_took();
	fuzz_require(hello.wanted <= size);
	for (size_t i = 0; i < hello.wanted; i++) {
		part = client_hello_read(data, i);
		fuzz_require(part.kind == CLIENT_HELLO_PART && part.wanted > i);
		fuzz_require(part.wanted <= hello.wanted);
	}
	part = client_hello_read(data, hello.wanted);
	fuzz_require(part.kind == CLIENT_HELLO_WHOLE && part.name == hello.name);
	fuzz_require(part.length == hello.length);
	return 0;
}
