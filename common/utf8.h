/* utf8.h: where characters end. */
#ifndef DRACO_COMMON_UTF8_H
#define DRACO_COMMON_UTF8_H

#include <stddef.h>

/* The bytes of the UTF-8 character at text; 0 when there is none. */
size_t utf8_length(const char *text);

#endif
