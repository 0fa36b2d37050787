/* token.h: the tokens that Slurm's auth/jwt takes, SLURM_JWT. Pure. */
#ifndef DRACO_DAEMON_SLURM_TOKEN_H
#define DRACO_DAEMON_SLURM_TOKEN_H

#include <stdint.h>

/* The time at which the token ends, in seconds since the epoch; 0: it does not tell, or it is no
 * JSON web token. Its signature is not checked. */
int64_t token_end(const char *token);

#endif
