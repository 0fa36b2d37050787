/* err.h: an error for a program (a negative errno) with its text for a person. */
#ifndef DRACO_COMMON_ERR_H
#define DRACO_COMMON_ERR_H

#define ERR_TEXT_MAX 2048

struct err {
	int code; /* negative errno; 0: no error */
	char text[ERR_TEXT_MAX];
};

#define ERR_INIT                      \
	{                             \
		.code = 0, .text = "" \
	}

/* Fill err (which may be NULL) and return code, so that a function can say
 *	return err_set(err, -EINVAL, "walltime %s is ...", text);
 * The text may refer to err->text itself. Too long a text is cut, with "..." at its end. */
int err_set(struct err *err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Put "prefix: " in front of err's text. Returns err's code, or 0 if err is NULL. */
int err_prefix(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
