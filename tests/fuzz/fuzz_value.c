/* fuzz_value.c: the values that people write: settings, durations, sizes, times, amounts,
 * options of sbatch, lists, versions. What is read is written so that it is read as the same
 * again. The first byte of an input chooses the reader, the rest is the text. */
#include "fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/amount.h"
#include "common/cleanup.h"
#include "common/directives.h"
#include "common/err.h"
#include "common/json.h"
#include "common/parse.h"
#include "common/problems.h"
#include "common/settings.h"
#include "common/settings_list.h"
#include "common/strv.h"

#define NOW	  1800000000
#define TEN_YEARS (10LL * 366 * 24 * 3600)
#define MIB_MAX	  (1LL << 40) /* 1 EiB */

const char fuzz_name[] = "value";
const char *const fuzz_words[] = {"80 GiB", "80G", "1.5 TiB", "GB", " MiB", "KB", "01:30:00",
	"1-12", "1-00:00:00", "5 min", "1h 30m", "250 ms", "14 days", "infinite", "unlimited",
	"none", "auto", "true", "now+2hours", "tomorrow", "16:00", "4pm", "noon", "teatime",
	"2030-12-24T18:00", "NAME=value", "\\\"", "--mail-type=END,FAIL", "-L matlab",
	"-w n[1-3]", "gpus=a100:2", "signal=B:USR1@60", "switches=2@01:00", "nice=-5", "tmp=4G",
	"hint=", "gres-flags=", "exclusive=user", "9223372036854775807", "99999999999999999999",
	"0.0000001", "1e5", "0x10", "$USER", "~/", NULL};

/* A reader that failed says why, in one error. */
static void check_result(int r, const struct err *err)
{
	fuzz_require(r == 0 || r == -EINVAL || r == -ERANGE || r == -ENOENT || r == -EPERM);
	fuzz_require(err->code == r && !err->text[0] == !r);
	if (r == 0)
		fuzz_took();
}

static void take_setting(const char *text, int id)
{
	static struct settings settings; /* made once: it takes long */
	struct problems problems = {0};
	struct err err = ERR_INIT;
	int r;

	if (!settings.processes)
		settings_init(&settings);
	r = settings_set(&settings, id, text, "here", &err);
	check_result(r, &err);
	if (r == 0) {
		_cleanup_free_ char *written = settings_format(&settings, id), *again = NULL;
		_cleanup_json_ json_t *json = settings_value_to_json(&settings, id);

		fuzz_require(settings_set(&settings, id, written, "again", NULL) == 0);
		again = settings_format(&settings, id);
		fuzz_require(strcmp(written, again) == 0);
		fuzz_require(settings_set_value(&settings, id, json, "again", NULL) == 0);
		free(again);
		again = settings_format(&settings, id);
		fuzz_require(strcmp(written, again) == 0);
		settings_check_all(&settings, NULL, &problems);
		problems_finish(&problems);
	}
	fuzz_require(settings_set(&settings, id, settings_table[id].default_value, "default",
			     NULL) == 0);
}

static void take_duration(const char *text)
{
	struct err err = ERR_INIT;
	int64_t ms = -1, again;
	char written[FORMAT_MAX];
	int r = parse_duration(text, &ms, &err);

	check_result(r, &err);
	fuzz_require(r == 0 ? ms >= 0 && ms <= TEN_YEARS * 1000 : ms == -1);
	if (r == 0) {
		fuzz_require(parse_duration(format_duration(ms, written), &again, NULL) == 0);
		fuzz_require(
			strcmp(format_duration(again, (char[FORMAT_MAX]){0}), written) == 0);
	}
}

static void take_size(const char *text)
{
	struct err err = ERR_INIT;
	int64_t mib = -1, again;
	char written[FORMAT_MAX];
	int r = parse_size(text, &mib, &err);

	check_result(r, &err);
	fuzz_require(r == 0 ? mib >= 0 && mib <= MIB_MAX : mib == -1);
	if (r == 0)
		fuzz_require(parse_size(format_size(mib, written), &again, NULL) == 0);
}

static void take_walltime(const char *text)
{
	struct err err = ERR_INIT;
	int64_t seconds = -1, again;
	char written[FORMAT_MAX];
	int r = parse_walltime(text, &seconds, &err);

	check_result(r, &err);
	fuzz_require(r == 0 ? seconds > 0 && seconds <= TEN_YEARS : seconds == -1);
	if (r == 0) {
		fuzz_require(
			parse_walltime(format_walltime(seconds, written), &again, NULL) == 0);
		fuzz_require(again == seconds);
	}
}

static void take_amount(const char *text, enum amount_unit unit)
{
	struct err err = ERR_INIT;
	int64_t amount = -1;
	int r = amount_parse(unit, text, &amount, &err);

	check_result(r, &err);
	fuzz_require(r == 0 ? amount >= 0 : amount == -1);
	if (r == 0) {
		free(amount_describe(unit, amount));
		free(amount_explain(unit, amount, amount_to_jobs(amount, 4), 4));
		fuzz_require(
			amount_to_jobs(amount, 7) == (amount > 0 ? (amount - 1) / 7 + 1 : 0));
	}
}

static void take_directive(const char *text)
{
	_cleanup_free_ char *name = NULL;
	struct err err = ERR_INIT;
	const char *value;
	int r = directive_split(text, &name, &value, &err);

	check_result(r, &err);
	if (r == 0) {
		fuzz_require(*name && !strpbrk(name, "= \t_"));
		fuzz_require(!value || (value >= text && value <= text + strlen(text)));
	}
}

static void take_list(const char *text)
{
	struct strv list = STRV_INIT, again = STRV_INIT, map = STRV_INIT;
	struct err err = ERR_INIT;
	int r = list_parse(text, &list, &err);

	check_result(r, &err);
	if (r == 0) {
		_cleanup_free_ char *written = list_format(&list);

		fuzz_require(list_parse(written, &again, NULL) == 0);
		fuzz_require(again.count == list.count);
		for (size_t i = 0; i < list.count; i++)
			fuzz_require(strcmp(list.item[i], again.item[i]) == 0);
		if (map_set_items(&map, MAP_VARIABLES, &list, NULL) == 0)
			for (size_t i = 0; i < map.count; i++)
				fuzz_require(strchr(map.item[i], '='));
	}
	strv_finish(&list);
	strv_finish(&again);
	strv_finish(&map);
}

static void take_number(const char *text)
{
	struct err err = ERR_INIT;
	int64_t number = 7;
	bool boolean;
	int r = parse_integer(text, -5, INT64_MAX, &number, &err);

	check_result(r, &err);
	fuzz_require(r == 0 ? number >= -5 : number == 7);
	err = (struct err)ERR_INIT;
	check_result(parse_boolean(text, &boolean, &err), &err);
}

static void read_text(uint8_t choice, const char *text)
{
	switch (choice) {
	case 'd':
		take_duration(text);
		break;
	case 's':
		take_size(text);
		break;
	case 'w':
		take_walltime(text);
		break;
	case 'o':
		take_directive(text);
		break;
	case 'l':
		take_list(text);
		break;
	case 'n':
		take_number(text);
		break;
	case 'a':
	case 'b':
	case 'c':
		take_amount(text, choice - 'a' + AMOUNT_JOBS);
		break;
	case 'm':
		take_amount(text, AMOUNT_MEMORY);
		break;
	default:
		take_setting(text, choice % SETTING_COUNT);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *json;
	char *text;

	if (size == 0)
		return 0;
	text = fuzz_text(data + 1, size - 1);
	json = json_text(
		text); /* all that reaches a reader is UTF-8: json_text() and libyaml see to it */
	read_text(data[0], json_string_value(json));
	json_decref(json);
	free(text);
	return 0;
}
