/* check_line.c: tests of common/line.c. */
#include "unit.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/line.h"
#include "mutate.h"

static int ends[2]; /* a connected pair: [0] is read, [1] written */
static struct line_reader reader;

static void setup(void)
{
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	reader = (struct line_reader)LINE_READER_INIT;
}

static void teardown(void)
{
	line_reader_finish(&reader);
	for (int i = 0; i < 2; i++)
		if (ends[i] >= 0)
			close(ends[i]);
}

static void send_bytes(const char *bytes, size_t length)
{
	ck_assert_int_eq(send(ends[1], bytes, length, MSG_NOSIGNAL), (ssize_t)length);
}

static void end_stream(void)
{
	close(ends[1]);
	ends[1] = -1;
}

static void check_next(const char *expected, size_t length)
{
	size_t got = 4711;
	char *line = line_reader_next(&reader, &got);

	ck_assert_ptr_nonnull(line);
	ck_assert_uint_eq(got, length);
	ck_assert_int_eq(memcmp(line, expected, length + 1), 0); /* with its NUL */
}

static void check_none(void)
{
	size_t length = 4711;

	ck_assert_ptr_null(line_reader_next(&reader, &length));
	ck_assert_uint_eq(length, 4711);
}

START_TEST(nothing_read_yet)
{
	check_none();
	line_reader_finish(&reader);
	line_reader_finish(&reader);
	check_none();
}
END_TEST

START_TEST(whole_lines)
{
	send_bytes("one\n\ntwo\r\n", 10);
	ck_assert_int_eq(line_reader_fill(&reader, ends[0]), 10);
	check_next("one", 3);
	check_next("", 0);
	check_next("two\r", 4);
	check_none();
	send_bytes("three\n", 6);
	ck_assert_int_eq(line_reader_fill(&reader, ends[0]), 6);
	ck_assert_str_eq(line_reader_next(&reader, NULL), "three");
	check_none();
}
END_TEST

START_TEST(lines_in_parts)
{
	for (const char *c = "first\nsecond\n"; *c; c++) {
		send_bytes(c, 1);
		ck_assert_int_eq(line_reader_fill(&reader, ends[0]), 1);
		if (c[0] != '\n')
			check_none();
		else if (c[1])
			check_next("first", 5);
		else
			check_next("second", 6);
	}
	send_bytes("rest\nof", 7);
	ck_assert_int_eq(line_reader_fill(&reader, ends[0]), 7);
	check_next("rest", 4);
	check_none();
	send_bytes(" it\n", 4);
	ck_assert_int_eq(line_reader_fill(&reader, ends[0]), 4);
	check_next("of it", 5);
	check_none();
}
END_TEST

START_TEST(bytes_that_are_no_text)
{
	send_bytes("a\0b\n\0\n\xff\xfe\n", 9);
	ck_assert_int_eq(line_reader_fill(&reader, ends[0]), 9);
	check_next("a\0b", 3);
	check_next("\0", 1);
	check_next("\xff\xfe", 2);
	check_none();
}
END_TEST

START_TEST(end_of_stream)
{
	send_bytes("whole\npart", 10);
	end_stream();
	ck_assert_int_eq(line_reader_fill(&reader, ends[0]), 10);
	check_next("whole", 5);
	check_none();
	ck_assert_int_eq(line_reader_fill(&reader, ends[0]), 0);
	check_none(); /* a part of a line is none */
	ck_assert_int_eq(line_reader_fill(&reader, ends[0]), 0);
}
END_TEST

START_TEST(errors_of_reading)
{
	int closed = dup(ends[0]);

	close(closed);
	ck_assert_int_eq(line_reader_fill(&reader, closed), -EBADF);
	ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
	send_bytes("par", 3);
	ck_assert_int_eq(line_reader_fill(&reader, ends[0]), 3);
	ck_assert_int_eq(line_reader_fill(&reader, ends[0]), -EAGAIN);
	send_bytes("t\n", 2); /* nothing was lost */
	ck_assert_int_eq(line_reader_fill(&reader, ends[0]), 2);
	check_next("part", 4);
}
END_TEST

/* Send a line of length bytes with its newline in pieces, after a short one, and read it: the last
 * result of line_reader_fill(). */
static long read_long_line(size_t length, size_t piece)
{
	char *line = malloc(length);
	long n = 0;

	memset(line, 'x', length);
	line[length - 1] = '\n';
	send_bytes("short\n", 6);
	ck_assert_int_eq(line_reader_fill(&reader, ends[0]), 6);
	check_next("short", 5);
	for (size_t sent = 0, some; n >= 0 && sent < length; sent += some) {
		size_t got = 0;

		check_none();
		some = length - sent < piece ? length - sent : piece;
		send_bytes(line + sent, some);
		while (n >= 0 && got < some) {
			n = line_reader_fill(&reader, ends[0]);
			ck_assert_int_ne(n, 0);
			got += n > 0 ? (size_t)n : 0;
		}
	}
	free(line);
	return n;
}

static const size_t pieces[] = {16384, 16383, 16385, 40000, 10007, 131072};

START_TEST(longest_line)
{
	size_t length = 0;
	char *line;

	ck_assert_int_gt(read_long_line(LINE_LIMIT, pieces[_i]), 0);
	line = line_reader_next(&reader, &length);
	ck_assert_ptr_nonnull(line);
	ck_assert_uint_eq(length, LINE_LIMIT - 1);
	ck_assert_uint_eq(strlen(line), LINE_LIMIT - 1);
	check_none();
}
END_TEST

START_TEST(too_long_line)
{
	ck_assert_int_eq(read_long_line(LINE_LIMIT + 1, pieces[_i]), -EMSGSIZE);
	ck_assert_uint_le(reader.size, LINE_LIMIT + 16384); /* memory has a limit, too */
	ck_assert_int_eq(line_reader_fill(&reader, ends[0]), -EMSGSIZE);
}
END_TEST

/* As long as an answer may be, read from a file, so that it does not have to be written by hand. */
START_TEST(long_answer)
{
	size_t length = 0, longest = 3 * LINE_LIMIT;
	char *line = malloc(longest);
	FILE *file = tmpfile();

	ck_assert_ptr_nonnull(file);
	memset(line, 'x', longest);
	line[longest - 1] = '\n';
	ck_assert_uint_eq(fwrite(line, 1, longest, file), longest);
	fputs("short\n", file);
	rewind(file);
	reader.limit = ANSWER_LIMIT;
	do
		ck_assert_int_gt(line_reader_fill(&reader, fileno(file)), 0);
	while (!line_reader_next(&reader, &length));
	ck_assert_uint_eq(length, longest - 1);
	while (!line_reader_next(&reader, &length))
		ck_assert_int_gt(line_reader_fill(&reader, fileno(file)), 0);
	ck_assert_uint_eq(length, 5);
	line_reader_finish(&reader);
	ck_assert_uint_eq(reader.limit, ANSWER_LIMIT);
	fclose(file);
	free(line);
}
END_TEST

START_TEST(endless_line)
{
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	long n;

	do {
		n = line_reader_fill(&reader, fd);
		check_none();
	} while (n > 0);
	ck_assert_int_eq(n, -EMSGSIZE);
	ck_assert_uint_le(reader.size, LINE_LIMIT + 16384);
	close(fd);
}
END_TEST

START_TEST(write_lines)
{
	ck_assert_int_eq(line_write(ends[1], "one", 3), 0);
	ck_assert_int_eq(line_write(ends[1], "", 0), 0);
	ck_assert_int_eq(line_write(ends[1], "a\0b...", 3), 0);
	ck_assert_int_eq(line_reader_fill(&reader, ends[0]), 9);
	check_next("one", 3);
	check_next("", 0);
	check_next("a\0b", 3);
	check_none();
}
END_TEST

START_TEST(write_to_nobody)
{
	close(ends[0]);
	ends[0] = -1;
	ck_assert_int_eq(line_write(ends[1], "x", 1), -EPIPE); /* and no SIGPIPE */
	ck_assert_int_eq(line_write(-1, "x", 1), -EBADF);
}
END_TEST

/* A process that reads what comes, in uneven portions; exits 0 when it was the line of LINE_LIMIT
 * bytes, each in its place, and nothing else. */
static pid_t start_reading(void)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	close(ends[1]);
	for (size_t at = 0, portion = 1;; portion = portion * 7 % 5003 + 1) {
		char bytes[5004];
		ssize_t n = read(ends[0], bytes, portion);

		if (n <= 0)
			_exit(n == 0 && at == LINE_LIMIT ? 0 : 1);
		for (ssize_t i = 0; i < n; i++, at++)
			if (bytes[i] != (at == LINE_LIMIT - 1 ? '\n' : (char)('a' + at % 23)))
				_exit(2);
	}
}

/* The longest line through a socket that takes little at once, blocking and not. */
START_TEST(write_waits)
{
	char *line = malloc(LINE_LIMIT - 1);
	int size = 4096, status;
	pid_t pid;

	ck_assert_int_eq(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
	if (_i)
		ck_assert_int_eq(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
	for (size_t i = 0; i < LINE_LIMIT - 1; i++)
		line[i] = (char)('a' + i % 23);
	pid = start_reading();
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(line_write(ends[1], line, LINE_LIMIT - 1), 0);
	end_stream();
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	free(line);
}
END_TEST

/* Whatever the portions, the lines are those between the newlines. */
START_TEST(any_portions)
{
	struct mutator random;
	char text[3000];

	mutator_init(&random, (uint64_t)_i, NULL);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = "\n\nab\0"[mutator_below(&random, 5)];
	text[sizeof(text) - 1] = '\n';
	for (size_t sent = 0, taken = 0, some; sent < sizeof(text); sent += some) {
		size_t length;
		char *line;

		some = 1 + mutator_below(&random, 40);
		if (some > sizeof(text) - sent)
			some = sizeof(text) - sent;
		send_bytes(text + sent, some);
		ck_assert_int_eq(line_reader_fill(&reader, ends[0]), (long)some);
		while ((line = line_reader_next(&reader, &length))) {
			ck_assert_uint_le(taken + length, sent + some);
			ck_assert_int_eq(memcmp(line, text + taken, length), 0);
			ck_assert(line[length] == '\0' && text[taken + length] == '\n');
			ck_assert_ptr_null(memchr(line, '\n', length));
			taken += length + 1;
		}
		if (sent + some == sizeof(text))
			ck_assert_uint_eq(taken, sizeof(text));
	}
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("line");
	TCase *tcase = tcase_create("line");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, nothing_read_yet);
	tcase_add_test(tcase, whole_lines);
	tcase_add_test(tcase, lines_in_parts);
	tcase_add_test(tcase, bytes_that_are_no_text);
	tcase_add_test(tcase, end_of_stream);
	tcase_add_test(tcase, errors_of_reading);
	tcase_add_loop_test(tcase, longest_line, 0, LENGTH(pieces));
	tcase_add_loop_test(tcase, too_long_line, 0, LENGTH(pieces));
	tcase_add_test(tcase, long_answer);
	tcase_add_test(tcase, endless_line);
	tcase_add_test(tcase, write_lines);
	tcase_add_test(tcase, write_to_nobody);
	tcase_add_loop_test(tcase, write_waits, 0, 2);
	tcase_add_loop_test(tcase, any_portions, 0, 10);
	suite_add_tcase(suite, tcase);
	return suite;
}
