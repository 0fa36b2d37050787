/* helper_words.h: what draco-slurm writes to standard error, its end kept: libslurm says there
 * why it ends the process. */
#ifndef DRACO_DAEMON_SLURM_HELPER_WORDS_H
#define DRACO_DAEMON_SLURM_HELPER_WORDS_H

struct helper_words;
struct loop;

struct helper_words *helper_words_create(struct loop *loop);
struct helper_words *helper_words_destroy(struct helper_words *words);

/* A new process: the descriptor that becomes its standard error, for the caller to close; or
 * -errno. What the one before has written is forgotten. */
int helper_words_begin(struct helper_words *words);

/* The process has ended: read what is left. Idempotent. */
void helper_words_end(struct helper_words *words);

/* Listen no more. */
void helper_words_close(struct helper_words *words);

/* The newest line that is not empty; "" when there is none. The caller frees. */
char *helper_words_last(const struct helper_words *words);

#endif
