/* err.c: an error for a program with its text for a person. */
#include "common/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ELLIPSIS "..."

static void put(struct err *err, const char *text, size_t length)
{
	if (length < sizeof(err->text)) {
		memmove(err->text, text, length + 1);
		return;
	}
	memmove(err->text, text, sizeof(err->text) - sizeof(ELLIPSIS));
	memcpy(err->text + sizeof(err->text) - sizeof(ELLIPSIS), ELLIPSIS, sizeof(ELLIPSIS));
}

int err_set(struct err *err, int code, const char *format, ...)
{
	char text[ERR_TEXT_MAX + 1];
	va_list args;
	int length;

	if (!err)
		return code;
	va_start(args, format);
	length = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (length < 0)
		length = 0, text[0] = '\0';
	put(err, text, (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1);
	err->code = code;
	return code;
}

int err_prefix(struct err *err, const char *format, ...)
{
	char text[2 * ERR_TEXT_MAX];
	va_list args;
	int length;

	if (!err)
		return 0;
	va_start(args, format);
	length = vsnprintf(text, ERR_TEXT_MAX, format, args);
	va_end(args);
	if (length < 0)
		return err->code;
	if (length >= ERR_TEXT_MAX) /* vsnprintf() has truncated it */
		length = ERR_TEXT_MAX - 1;
	length += snprintf(text + length, sizeof(text) - (size_t)length, ": %s", err->text);
	put(err, text, (size_t)length);
	return err->code;
}
