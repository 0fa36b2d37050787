/* utf8.h: the length of UTF-8 sequences. */
#ifndef DRACO_COMMON_UTF8_H
#define DRACO_COMMON_UTF8_H

#include <stddef.h>

/* The number of bytes of the UTF-8 sequence at text; 0: it is invalid. */
size_t utf8_length(const char *text);

#endif
