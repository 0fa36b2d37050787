/* utf8.c: the length of UTF-8 sequences (Unicode, table 3-7). */
#include "common/utf8.h"

size_t utf8_length(const char *begin)
{
	const unsigned char *text = (const unsigned char *)begin;
	unsigned char low = 0x80, high = 0xbf; /* bounds of the second byte */
	size_t length = *text < 0x80 ? 1 : *text < 0xe0 ? 2 : *text < 0xf0 ? 3 : 4;

	if (length == 1)
		return 1;
	if (*text < 0xc2 || *text > 0xf4)
		return 0;
	if (*text == 0xe0)
		low = 0xa0;
	else if (*text == 0xed)
		high = 0x9f;
	else if (*text == 0xf0)
		low = 0x90;
	else if (*text == 0xf4)
		high = 0x8f;
	for (size_t i = 1; i < length; i++, low = 0x80, high = 0xbf)
		if (text[i] < low || text[i] > high)
			return 0;
	return length;
}
