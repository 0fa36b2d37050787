/* program.h: clients of dracod's control socket, as dracoctl and notebooks are. */
#ifndef DRACO_TESTS_FAKE_PROGRAM_H
#define DRACO_TESTS_FAKE_PROGRAM_H

#include <jansson.h>
#include <stdbool.h>

struct program;

/* Connect and say hello. */
struct program *program_come(void);
void program_leave(struct program *program); /* like a client that is killed */

/* Send a request, and take params over; does not wait. Returns the number of the request. */
int begin(struct program *program, const char *method, json_t *params);

bool is_answered(struct program *program, int number);
/* NULL: no error, or no answer yet. */
const char *error_of(struct program *program, int number);
/* Borrowed; NULL: no result, or no answer yet. */
json_t *result_of(struct program *program, int number);

/* Send a request and wait for its result, which is borrowed. An error fails the scenario. */
#define ask(program, method, params) program_ask(HERE, program, method, params)
json_t *program_ask(
	const char *where, struct program *program, const char *method, json_t *params);

/* Send a request and wait for its error, whose text is returned. */
const char *ask_in_vain(struct program *program, const char *method, json_t *params);

/* Forget all answers so far. The texts and results that were borrowed are gone. */
void forget_answers(struct program *program);

/* The message of the last "progress"; "": none. */
const char *progress_of(struct program *program);

/* Called by the world. */
void programs_begin(const char *socket);
void programs_end(void);

#endif
