/* writer_fixture.h: the threads of daemon/io/writer.h with a loop, and work that hangs in one. */
#ifndef DRACO_TESTS_WRITER_FIXTURE_H
#define DRACO_TESTS_WRITER_FIXTURE_H

/* Made anew for each test. */
extern struct loop *writer_loop;

void writer_setup(void);
void writer_teardown(void);

/* Work that waits for a let_go(), which may come before. arg is not used. */
void hang(void *arg);
void let_go(void);

#endif
