/* variables.h: what dracod may put into an environment, and the words of each shell for it. */
#ifndef DRACO_CLIENT_VARIABLES_H
#define DRACO_CLIENT_VARIABLES_H

#include <jansson.h>

struct err;

/* Is the answer to the request "environment" one of variables of Dask, DASK_[A-Z0-9_]+, with
 * values of one line? 0; -EPERM with err, which names the first that is not. */
int variables_check(const json_t *answer, struct err *err) __attribute__((warn_unused_result));

/* Leave the user's own preloads of Dask's clients as they are, which a variable of this
 * environment names; and take back what an answer of another cluster has put there. */
void variables_keep_preloads(json_t *answer);

/* text, one line, as one word of the shell. The caller frees. */
char *variables_quote_sh(const char *text);
char *variables_quote_csh(const char *text);
char *variables_quote_fish(const char *text);

#endif
