/* settings_fixture.h: what the tests of settings.c share. */
#ifndef DRACO_TESTS_SETTINGS_FIXTURE_H
#define DRACO_TESTS_SETTINGS_FIXTURE_H

#include "common/settings.h"

/* All values and sources, to see whether anything changed. The caller frees. */
char *settings_snapshot(const struct settings *settings);

void assert_value(const struct settings *settings, enum setting_id id, const char *expected);

#endif
