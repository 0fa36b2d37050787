/* events.h: records the events of the fake world: dracod's events and the actions of the fakes. */
#ifndef DRACO_TESTS_FAKE_EVENTS_H
#define DRACO_TESTS_FAKE_EVENTS_H

#include <jansson.h>
#include <stdint.h>

void events_hear(const json_t *event); /* record an event of dracod */
int64_t events_next_number(void);      /* of dracod's events, if none was missed */
void events_print(void);	       /* prints all events to standard error */
void events_clear(void);

#endif
