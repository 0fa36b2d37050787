/* variables.h: checks the variables from dracod, and quotes values for each shell. */
#ifndef DRACO_CLIENT_VARIABLES_H
#define DRACO_CLIENT_VARIABLES_H

#include <jansson.h>

struct err;

/* Does the answer to the request "environment" hold only variables of Dask, DASK_[A-Z0-9_]+, with
 * values of one line? 0, or -EPERM with err, which names the first other one. */
int variables_check(const json_t *answer, struct err *err) __attribute__((warn_unused_result));

/* Keep the user's own preloads for Dask's clients, which a variable of this environment may name:
 * remove the preload variable from answer then. A preload from another cluster's answer is
 * replaced, or cleared if this answer has none. */
void variables_keep_preloads(json_t *answer);

/* text, which is one line, as one word for the shell. The caller frees. */
char *variables_quote_sh(const char *text);
char *variables_quote_csh(const char *text);
char *variables_quote_fish(const char *text);

#endif
