/* events.h: what has happened in the fake world: dracod's events, and what the fakes did. */
#ifndef DRACO_TESTS_FAKE_EVENTS_H
#define DRACO_TESTS_FAKE_EVENTS_H

#include <jansson.h>

void events_hear(const json_t *event); /* as dracod tells it */
void events_print(void);	       /* all of it, to standard error */
void events_clear(void);

#endif
