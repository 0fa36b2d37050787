/* helper_words.h: draco-slurm's standard error. Its end is kept, because libslurm writes there why
 * it ends the process. */
#ifndef DRACO_DAEMON_SLURM_HELPER_WORDS_H
#define DRACO_DAEMON_SLURM_HELPER_WORDS_H

struct helper_words;
struct loop;

struct helper_words *helper_words_create(struct loop *loop);
struct helper_words *helper_words_destroy(struct helper_words *words);

/* A new process starts: forget the output of the one before. Returns the descriptor for its
 * standard error, which the caller closes, or -errno. */
int helper_words_begin(struct helper_words *words);

/* The process has ended: read the rest of its output. Idempotent. */
void helper_words_end(struct helper_words *words);

/* Stop reading, and close the descriptor. */
void helper_words_close(struct helper_words *words);

/* The last line that is not empty; "": none. The caller frees. */
char *helper_words_last(const struct helper_words *words);

#endif
