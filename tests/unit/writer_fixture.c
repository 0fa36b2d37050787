/* writer_fixture.c: the threads of daemon/io/writer.h with a loop, and work that hangs in one. */
#include "writer_fixture.h"

#include <unistd.h>

#include "common/err.h"
#include "daemon/io/loop.h"
#include "daemon/io/writer.h"
#include "unit.h"

struct loop *writer_loop;
static int gate[2]; /* work waits until something is written to it */

void writer_setup(void)
{
	struct err err = ERR_INIT;

	ck_assert_int_eq(pipe(gate), 0);
	writer_loop = loop_create(&err);
	ck_assert_ptr_nonnull(writer_loop);
	ck_assert_int_eq(writer_begin(writer_loop, &err), 0);
}

void writer_teardown(void)
{
	ck_assert(writer_end(10000));
	loop_destroy(writer_loop);
	close(gate[0]);
	close(gate[1]);
}

void hang(void *arg)
{
	char letter;

	(void)arg;
	ck_assert_int_eq(read(gate[0], &letter, 1), 1);
}

void let_go(void)
{
	ck_assert_int_eq(write(gate[1], "x", 1), 1);
}
