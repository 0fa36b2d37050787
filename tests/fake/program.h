/* program.h: programs that talk to dracod's control socket, as dracoctl and notebooks do. */
#ifndef DRACO_TESTS_FAKE_PROGRAM_H
#define DRACO_TESTS_FAKE_PROGRAM_H

#include <jansson.h>
#include <stdbool.h>

struct program;

/* Connect and say hello. */
struct program *program_come(void);
void program_leave(struct program *program); /* as one that is killed */

/* Ask, without waiting; takes params over. Returns the number of the request. */
int begin(struct program *program, const char *method, json_t *params);

bool is_answered(struct program *program, int number);
const char *error_of(struct program *program, int number); /* NULL: none, or not answered */
json_t *result_of(struct program *program, int number);	   /* borrowed; NULL likewise */

/* Ask and wait; the result, borrowed. An error fails the scenario. */
#define ask(program, method, params) program_ask(HERE, program, method, params)
json_t *program_ask(
	const char *where, struct program *program, const char *method, json_t *params);

/* Ask and wait; what is said of why not. */
const char *ask_in_vain(struct program *program, const char *method, json_t *params);

/* The last message of "progress"; "": none. */
const char *progress_of(struct program *program);

/* The world's. */
void programs_begin(const char *socket);
void programs_end(void);

#endif
