/* fuzz_line.c: common/line.c with any bytes in any portions: the lines are those between the
 * newlines. Each byte of the input says, besides being sent, how many bytes the portion has
 * that it begins. */
#include "fuzz.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

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

static void read_portions(const int ends[2], const uint8_t *data, size_t size)
{
	struct line_reader reader = LINE_READER_INIT;
	size_t sent = 0, taken = 0;

	while (sent < size) {
		size_t some = 1 + data[sent];

		if (some > size - sent)
			some = size - sent;
		fuzz_require(send(ends[1], data + sent, some, 0) == (ssize_t)some);
		fuzz_require(line_reader_fill(&reader, ends[0]) == (long)some);
		sent += some;
		taken = take_lines(&reader, data, taken, sent);
	}
	fuzz_require(line_reader_fill(&reader, ends[0]) == -EAGAIN);
	line_reader_finish(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int ends[2];

	if (size > LINE_LIMIT)
		return 0;
	fuzz_require(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
	read_portions(ends, data, size);
	close(ends[0]);
	close(ends[1]);
	return 0;
}
