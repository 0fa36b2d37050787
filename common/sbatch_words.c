/* sbatch_words.c: interprets the output of sbatch(1). Pure. */
#include "common/sbatch_words.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/json.h"
#include "common/strv.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* Before the text of a line. If a site's wrapper calls sbatch by another name, that name stays. */
static const char *const prefixes[] = {"sbatch: ", "error: ", "fatal: ", "warning: "};

/* Before the reason. */
static const char *const failures[] = {
	"Batch job submission failed: ",
	"allocation failure: ",
	"Allocation failure: ",
};

/* Reasons without information: a plugin has refused the job, and its own message says why. */
static const char *const empty_reasons[] = {"Unspecified error", "Unknown error -1", "Error"};

/* From Slurm 22.05 to 26.05. */
static const char *const busy_texts[] = {
	"Slurm job queue full, sleeping and retrying",
	"Slurm temporarily unable to accept job, sleeping and retrying",
	"Job step creation temporarily disabled, retrying",
};

static const char *skip(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

static const char *skip_prefixes(const char *line)
{
	for (size_t i = 0; i < LENGTH(prefixes); i++) {
		const char *rest = skip(line, prefixes[i]);

		if (rest)
			line = rest;
	}
	return line;
}

static bool is_in(const char *const *list, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (strncmp(list[i], text, strlen(list[i])) == 0)
			return true;
	return false;
}

static const char *find_reason(const char *line)
{
	for (size_t i = 0; i < LENGTH(failures); i++) {
		const char *rest = skip(line, failures[i]);

		if (rest)
			return rest;
	}
	return NULL;
}

/* Read "Job 12 to start at 1795986193 using 2 processors ...", which sbatch writes with
 * SLURM_TIME_FORMAT=%s. */
static bool read_prediction(const char *line, time_t *ret)
{
	static const char before[] = " to start at ";
	const char *at = strstr(line, before);
	long long number;
	char *end;

	if (!at || !skip(line, "Job "))
		return false;
	number = strtoll(at + strlen(before), &end, 10);
	if (*end == ' ' && number > 0 && number <= JSON_TIME_MAX)
		*ret = (time_t)number;
	return true;
}

static void read_line(const char *line, struct strv *lines, struct sbatch_words *ret)
{
	const char *reason, *text = skip_prefixes(line);

	if (!*text || skip(text, "Try \"sbatch --help\"") ||
		is_in(busy_texts, LENGTH(busy_texts), text) ||
		read_prediction(text, &ret->start))
		return;
	reason = find_reason(text);
	if (!reason)
		strv_add(lines, text);
	else
		xreplace(&ret->reason, reason);
}

void sbatch_words_read(const char *words, struct sbatch_words *ret)
{
	struct strv all = STRV_INIT, lines = STRV_INIT;

	*ret = (struct sbatch_words){0};
	strv_split(&all, words, '\n');
	for (size_t i = 0; i < all.count; i++)
		read_line(all.item[i], &lines, ret);
	if (ret->reason &&
		(lines.count == 0 || !is_in(empty_reasons, LENGTH(empty_reasons), ret->reason)))
		strv_add(&lines, ret->reason);
	ret->text = strv_join(&lines, "\n");
	strv_finish(&lines);
	strv_finish(&all);
}

void sbatch_words_finish(struct sbatch_words *words)
{
	free(words->text);
	free(words->reason);
	*words = (struct sbatch_words){0};
}

bool sbatch_words_tell_busy(const char *words)
{
	for (size_t i = 0; i < LENGTH(busy_texts); i++)
		if (strstr(words, busy_texts[i]))
			return true;
	return false;
}

/* Read the last line: a site's wrapper may have written others before. */
uint32_t sbatch_job_id(const char *out)
{
	struct strv lines = STRV_INIT;
	unsigned long long id = 0;

	strv_split(&lines, out, '\n');
	if (lines.count > 0) {
		const char *last = lines.item[lines.count - 1];
		char *end;

		id = isdigit((unsigned char)*last) ? strtoull(last, &end, 10) : 0;
		if (id > 0 && ((*end && *end != ';') || id > UINT32_MAX))
			id = 0;
	}
	strv_finish(&lines);
	return (uint32_t)id;
}

/* From Slurm's protocol, the same in all versions. */
static const struct {
	const char *text; /* the beginning of the reason */
	enum sbatch_reason means;
} reasons[] = {
	{"Unable to contact slurm controller (connect failure)", SBATCH_REASON_NOT_REACHED},
	{"Unable to contact slurm controller", SBATCH_REASON_LOST},
	{"Communication connection failure", SBATCH_REASON_NOT_REACHED},
	{"Communication ", SBATCH_REASON_LOST},
	{"Message ", SBATCH_REASON_LOST},
	{"Socket timed out", SBATCH_REASON_LOST},
	{"Zero Bytes were transmitted or received", SBATCH_REASON_LOST},
	{"Insane message length", SBATCH_REASON_LOST},
	{"Unexpected message", SBATCH_REASON_LOST},
	{"Unexpected missing socket", SBATCH_REASON_LOST},
	{"Received zero length message", SBATCH_REASON_LOST},
	{"Received message length", SBATCH_REASON_LOST},
	{"Failed to send entire message", SBATCH_REASON_LOST},
	{"Header lengths are longer", SBATCH_REASON_LOST},
	{"Can't find an address", SBATCH_REASON_NOT_REACHED},
	{"Protocol authentication error", SBATCH_REASON_UNUSABLE},
	{"Invalid authentication credential", SBATCH_REASON_UNUSABLE},
	{"Authentication credential invalid", SBATCH_REASON_UNUSABLE},
	{"Failed to connect to authentication agent", SBATCH_REASON_UNUSABLE},
	{"Incompatible versions of client and server code", SBATCH_REASON_UNUSABLE},
	{"Slurm backup controller in standby mode", SBATCH_REASON_BUSY},
	{"Requested nodes are busy", SBATCH_REASON_BUSY},
	{"Requested operation is presently disabled", SBATCH_REASON_BUSY},
	{"Unable to create job record, try again", SBATCH_REASON_BUSY},
};

/* System errors with which a connection can fail after the job was sent. */
static const int lost[] = {ECONNRESET, EPIPE, ETIMEDOUT, ECONNABORTED, EINTR, EIO, ENOTCONN,
	ESHUTDOWN, EPROTO, EBADMSG};
static const int not_reached[] = {ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN};

static bool is_error(const int *list, size_t count, const char *reason)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(strerror(list[i]), reason) == 0)
			return true;
	return false;
}

enum sbatch_reason sbatch_reason_find(const struct sbatch_words *words)
{
	const char *reason = words->reason;

	if (!reason)
		return strstr(words->text, "configuration source") ||
				strstr(words->text, "configuration file")
			? SBATCH_REASON_UNUSABLE
			: SBATCH_REASON_ANSWER;
	for (size_t i = 0; i < LENGTH(reasons); i++)
		if (skip(reason, reasons[i].text))
			return reasons[i].means;
	if (skip(reason, strerror(EAGAIN))) /* scontrol adds " for job 2" */
		return SBATCH_REASON_BUSY;
	if (is_error(not_reached, LENGTH(not_reached), reason))
		return SBATCH_REASON_NOT_REACHED;
	return is_error(lost, LENGTH(lost), reason) ? SBATCH_REASON_LOST : SBATCH_REASON_ANSWER;
}
