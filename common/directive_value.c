/* directive_value.c: the values of sbatch options, by their kinds. Pure. */
#include "common/directive_value.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/directives.h"
#include "common/err.h"
#include "common/parse.h"
#include "common/strv.h"
#include "common/when.h"

#define TEXT_MAX	4096
#define SMALL_MAX	65533
#define SIGNAL_BEFORE_S 60 /* sbatch's own default */

static int check_text(const char *text, struct err *err)
{
	if (!*text)
		return err_set(err, -EINVAL, "the value is empty");
	if (strlen(text) > TEXT_MAX)
		return err_set(
			err, -EINVAL, "the value is longer than %d characters", TEXT_MAX);
	for (const char *c = text; *c; c++)
		if (iscntrl((unsigned char)*c))
			return err_set(err, -EINVAL,
				"the value must be one line without control characters");
	return 0;
}

static int parse_flag(const char *text, int64_t ret[3], struct err *err)
{
	bool value;
	int r = parse_boolean(text, &value, err);

	if (r < 0)
		return err_set(err, r, "\"%s\" is not needed: the option has no value", text);
	ret[0] = value;
	return 0;
}

static int parse_priority(
	const struct directive_type *type, const char *text, int64_t ret[3], struct err *err)
{
	if (strcasecmp(text, "top") == 0) {
		ret[0] = -1;
		return 0;
	}
	return parse_integer(text, type->minimum, type->maximum, ret, err);
}

/* As parse_size(), but a bare number and a single letter are right, too: sbatch's forms. */
static int parse_mebibytes(const char *text, int64_t ret[3], struct err *err)
{
	_cleanup_free_ char *with_unit = xasprintf("%s MiB", text);
	bool bare = *text && strspn(text, "0123456789") == strlen(text);
	int64_t size;
	int r = parse_size(bare ? with_unit : text, &size, err);

	if (r < 0)
		return r;
	if (size > UINT32_MAX / 2)
		return err_set(err, -ERANGE, "%s is too much", text);
	ret[0] = size;
	return 0;
}

static int find_word(const char *const *words, const char *text)
{
	for (int i = 0; words[i]; i++)
		if (strcasecmp(words[i], text) == 0)
			return i;
	return -EINVAL;
}

static int parse_words(
	const struct directive_type *type, const char *text, int64_t ret[3], struct err *err)
{
	bool one = type->kind == DIRECTIVE_KIND_WORD;
	struct strv given = STRV_INIT, known = STRV_INIT;
	int64_t bits = 0;
	int which = -EINVAL;

	strv_split(&given, text, one ? '\0' : ',');
	if (given.count == 0)
		strv_add(&given, text);
	for (size_t i = 0; i < given.count; i++) {
		which = find_word(type->words, given.item[i]);
		if (which < 0)
			break;
		bits |= INT64_C(1) << which;
	}
	if (which < 0) {
		_cleanup_free_ char *list = NULL;

		for (int i = 0; type->words[i]; i++)
			strv_add(&known, type->words[i]);
		list = strv_join(&known, ", ");
		err_set(err, -EINVAL, "\"%s\" is not one of %s", text, list);
		strv_finish(&known);
	} else {
		ret[0] = one ? which : bits;
	}
	strv_finish(&given);
	return which < 0 ? which : 0;
}

/* "2", "a100:2", "a100:1,v100:1" */
static int check_gpus(const char *text, struct err *err)
{
	struct strv parts = STRV_INIT;
	bool right = true;

	strv_split(&parts, text, ',');
	for (size_t i = 0; i < parts.count; i++) {
		const char *type = parts.item[i];
		const char *colon = strchr(type, ':');
		int64_t count;

		for (const char *c = type; colon && c < colon; c++)
			right &= isalnum((unsigned char)*c) || strchr("._-", *c);
		right &= colon != type &&
			parse_integer(colon ? colon + 1 : type, 1, SMALL_MAX, &count, NULL) ==
				0;
	}
	right &= parts.count > 0;
	strv_finish(&parts);
	if (!right)
		return err_set(
			err, -EINVAL, "\"%s\" is not a number of GPUs: give 2 or a100:2", text);
	return 0;
}

static int find_signal(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} signals[] = {
		{"HUP", SIGHUP},
		{"INT", SIGINT},
		{"QUIT", SIGQUIT},
		{"ABRT", SIGABRT},
		{"KILL", SIGKILL},
		{"ALRM", SIGALRM},
		{"TERM", SIGTERM},
		{"USR1", SIGUSR1},
		{"USR2", SIGUSR2},
		{"URG", SIGURG},
		{"CONT", SIGCONT},
		{"STOP", SIGSTOP},
		{"TSTP", SIGTSTP},
		{"TTIN", SIGTTIN},
		{"TTOU", SIGTTOU},
		{"XCPU", SIGXCPU},
	};
	int64_t number;

	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (strcasecmp(signals[i].name, name) == 0)
			return signals[i].number;
	return parse_integer(name, 1, NSIG - 1, &number, NULL) == 0 ? (int)number : -EINVAL;
}

static int parse_signal(const char *text, int64_t ret[3], struct err *err)
{
	const char *colon = strchr(text, ':'), *at = strchr(text, '@');
	const char *name = colon ? colon + 1 : text;
	_cleanup_free_ char *word = xstrndup(name, strcspn(name, "@"));
	int64_t before_s = SIGNAL_BEFORE_S, to = 0;
	int number = find_signal(word);

	for (const char *c = text; colon && c < colon; c++)
		if (toupper((unsigned char)*c) == 'B')
			to |= SIGNAL_TO_BATCH;
		else if (toupper((unsigned char)*c) == 'R')
			to |= SIGNAL_TO_RESERVATION;
		else
			number = -EINVAL;
	if (number < 0 || (at && parse_integer(at + 1, 0, SMALL_MAX, &before_s, NULL) < 0))
		return err_set(err, -EINVAL,
			"\"%s\" is not of the form B:USR1@60 (where, signal, seconds before "
			"the end)",
			text);
	ret[0] = number;
	ret[1] = before_s;
	ret[2] = to;
	return 0;
}

static int parse_switches(
	const struct directive_type *type, const char *text, int64_t ret[3], struct err *err)
{
	const char *at = strchr(text, '@');
	_cleanup_free_ char *count = xstrndup(text, strcspn(text, "@"));
	int64_t number, wait_s = -1;

	if (parse_integer(count, type->minimum, type->maximum, &number, NULL) < 0 ||
		(at && parse_walltime(at + 1, &wait_s, NULL) < 0))
		return err_set(err, -EINVAL,
			"\"%s\" is not of the form 1@00:10:00 (switches, longest wait for them)",
			text);
	ret[0] = number;
	ret[1] = wait_s;
	return 0;
}

static int parse_sockets(const char *text, int64_t ret[3], struct err *err)
{
	struct strv parts = STRV_INIT;
	int64_t numbers[3] = {-1, -1, -1};
	bool right;

	strv_split(&parts, text, ':');
	right = parts.count >= 1 && parts.count <= 3;
	for (size_t i = 0; right && i < parts.count; i++)
		right = strcmp(parts.item[i], "*") == 0 ||
			parse_integer(parts.item[i], 1, SMALL_MAX, &numbers[i], NULL) == 0;
	strv_finish(&parts);
	if (!right)
		return err_set(err, -EINVAL,
			"\"%s\" is not of the form SOCKETS:CORES:THREADS, such as 2:8:1", text);
	memcpy(ret, numbers, sizeof(numbers));
	return 0;
}

int directive_value_parse(const struct directive_type *type, const char *text, time_t now,
	int64_t ret_number[3], struct err *err)
{
	time_t when;
	int r = check_text(text, err);

	if (r < 0)
		return r;
	switch (type->kind) {
	case DIRECTIVE_KIND_TEXT:
		return 0;
	case DIRECTIVE_KIND_FLAG:
		return parse_flag(text, ret_number, err);
	case DIRECTIVE_KIND_NUMBER:
		return parse_integer(text, type->minimum, type->maximum, ret_number, err);
	case DIRECTIVE_KIND_PRIORITY:
		return parse_priority(type, text, ret_number, err);
	case DIRECTIVE_KIND_SIZE:
		return parse_mebibytes(text, ret_number, err);
	case DIRECTIVE_KIND_SPAN:
		return parse_walltime(text, ret_number, err);
	case DIRECTIVE_KIND_WHEN:
		r = parse_when(text, now, &when, err);
		if (r == 0)
			ret_number[0] = when;
		return r;
	case DIRECTIVE_KIND_WORD:
	case DIRECTIVE_KIND_WORDS:
		return parse_words(type, text, ret_number, err);
	case DIRECTIVE_KIND_GPUS:
		return check_gpus(text, err);
	case DIRECTIVE_KIND_SIGNAL:
		return parse_signal(text, ret_number, err);
	case DIRECTIVE_KIND_SWITCHES:
		return parse_switches(type, text, ret_number, err);
	case DIRECTIVE_KIND_SOCKETS:
		return parse_sockets(text, ret_number, err);
	}
	return -EINVAL;
}
