/* fuzz_line.c: common/line.c with any bytes in any portions: the lines are those between the
 * newlines. Each byte of the input says, besides being sent, how many bytes the portion has
 * that it begins. They come out of memory: system calls would take most of the time, and the
 * reading of a descriptor is in tests/unit/check_line.c. */
#include "fuzz.h"

#include <errno.h>
#include <string.h>

#include "common/line.h"

const char fuzz_name[] = "line";
const char *const fuzz_words[] = {"\n", "\n\n", "\r\n", "\xff", "{}\n", NULL};

/* Take all whole lines; they must be the next ones of data. Returns how far they reach. */
static size_t take_lines(
	struct line_reader *reader, const uint8_t *data, size_t taken, size_t sent)
{
	size_t length;
	char *line;

	while ((line = line_reader_next(reader, &length))) {
		fuzz_require(taken + length < sent);
		fuzz_require(memcmp(line, data + taken, length) == 0);
		fuzz_require(line[length] == '\0' && data[taken + length] == '\n');
		fuzz_require(!memchr(line, '\n', length));
		taken += length + 1;
		fuzz_took();
	}
	fuzz_require(!memchr(data + taken, '\n', sent - taken));
	return taken;
}

struct portion {
	const uint8_t *data;
	size_t size;
};

/* Like read(2) of a socket that has one portion, and then nothing yet. */
static long read_portion(void *arg, char *bytes, size_t size)
{
	struct portion *portion = arg;

	fuzz_require(size >= portion->size);
	if (portion->size == 0)
		return -EAGAIN;
	memcpy(bytes, portion->data, portion->size);
	return (long)portion->size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct line_reader reader = LINE_READER_INIT;
	size_t sent = 0, taken = 0;

	if (size > LINE_LIMIT)
		return 0;
	while (sent < size) {
		size_t some = 1 + data[sent];
		struct portion portion = {data + sent, some < size - sent ? some : size - sent};

		fuzz_require(line_reader_fill_by(&reader, read_portion, &portion) ==
			(long)portion.size);
		sent += portion.size;
		taken = take_lines(&reader, data, taken, sent);
	}
	fuzz_require(
		line_reader_fill_by(&reader, read_portion, &(struct portion){0}) == -EAGAIN);
	line_reader_finish(&reader);
	return 0;
}
