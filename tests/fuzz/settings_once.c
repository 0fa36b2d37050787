/* settings_once.c: what the linker puts in the place of settings_init(), which parses each default
 * anew: they are parsed once, and copied. */
#include "common/settings.h"

void __wrap_settings_init(struct settings *settings);
void __real_settings_init(struct settings *settings);

void __wrap_settings_init(struct settings *settings)
{
	static struct settings all;

	if (!all.processes)
		__real_settings_init(&all);
	*settings = (struct settings){0};
	settings_copy(settings, &all);
}
