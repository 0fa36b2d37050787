/* check_settings_yaml.c: tests of common/settings_yaml.c: files good and bad, and any bytes. */
#include "unit.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/problems.h"
#include "common/settings.h"
#include "common/settings_yaml.h"
#include "mutate.h"

static struct settings settings;
static char *directory;

/* Read one file into settings, as settings_resolve() does. 0, or -EINVAL with the first error
 * in err. */
static int load_path(const char *path, struct err *err)
{
	struct problems problems = {0};
	struct settings_file file;
	int r = 0;

	settings_file_read(&file, path, false, &problems);
	for (size_t i = 0; i < file.count; i++) {
		char *source = xasprintf("%s:%u", path, file.entries[i].line);

		if (file.entries[i].value && file.entries[i].section == SECTION_PLAIN)
			unit_require(settings_set_value(&settings, file.entries[i].id,
					     file.entries[i].value, source, NULL) == 0);
		free(source);
	}
	if (problems.errors)
		r = err_set(err, -EINVAL, "%s: %s", problems.items[0].place,
			problems.items[0].text);
	problems_finish(&problems);
	settings_file_finish(&file);
	return r;
}

static void setup(void)
{
	settings_init(&settings);
	directory = unit_directory();
}

static void teardown(void)
{
	settings_finish(&settings);
	free(directory);
}

static int load(const char *content, size_t length, struct err *err)
{
	char *path = unit_file(directory, "draco.yaml", content, length);
	int r = load_path(path, err);

	free(path);
	return r;
}

static void check_value(const char *name, const char *expected)
{
	int id = settings_find(name, NULL);
	char *text;

	ck_assert_int_ge(id, 0);
	text = settings_format(&settings, (enum setting_id)id);
	ck_assert_str_eq(text, expected);
	free(text);
}

static const struct {
	const char *content;
	const char *values[6]; /* name, value, ... */
} good[] = {
	{"", {"cores", "40"}},
	{"\n\n", {"cores", "40"}},
	{"# only a comment\n", {"cores", "40"}},
	{"---\n", {"cores", "40"}},
	{"---\n...\n", {"cores", "40"}},
	{"{}", {"cores", "40"}},
	{"cores: 8", {"cores", "8"}},
	{"cores: 8\n", {"cores", "8"}},
	{"cores: 8\r\nprocesses: 4\r\n", {"cores", "8", "processes", "4"}},
	{"\xef\xbb\xbf"
	 "cores: 8\n",
		{"cores", "8"}}, /* a byte order mark */
	{"---\ncores: 8 # of the node\n...\n", {"cores", "8"}},
	{"cores: \"8\"\nmemory: '2 GiB'\n", {"cores", "8", "memory", "2 GiB"}},
	{"memory: 80 GiB\nwalltime: 01:00:00\n", {"memory", "80 GiB", "walltime", "01:00:00"}},
	{"walltime: 1-12\n", {"walltime", "1-12:00:00"}},
	{"use-scratch-dir: no\n", {"use_scratch_dir", "false"}},
	{"queues_to_try: [fast, slow]\n", {"queues_to_try", "fast, slow"}},
	{"queues_to_try:\n  - fast\n  - slow\n", {"queues_to_try", "fast, slow"}},
	{"queues_to_try: fast, slow\n", {"queues_to_try", "fast, slow"}},
	{"queues_to_try: &q [a]\n", {"queues_to_try", "a"}},
	{"queues_to_try: []\n", {"queues_to_try", "none"}},
	{"queues_to_try: [{partition: a, qos: b, exclusive: true}, c]\n",
		{"queues_to_try", "a qos=b exclusive=true, c"}},
	{"queues_to_try: {partition: a, qos: ~}\n", {"queues_to_try", "a qos=none"}},
	{"queues_to_try: a gres=gpu:1 mail_type=END, b\n",
		{"queues_to_try", "a gres=gpu:1 mail-type=END, b"}},
	{"queue_options:\n  a:\n    qos: b\n    account: c\n  d: {nice: 5}\n",
		{"queue_options", "a qos=b account=c, d nice=5"}},
	{"reservation: r\n", {"reservation", "r"}},
	{"reservation:\n", {"reservation", "none"}},
	{"reservation: ~\ncores: 8\n", {"reservation", "none", "cores", "8"}},
	{"reservation: null\n", {"reservation", "none"}},
	{"{cores: 8, processes: 2}", {"cores", "8", "processes", "2"}},
	{"? cores\n: 8\n", {"cores", "8"}},
	{"python: >-\n  /opt/p\n", {"python", "/opt/p"}},
	{"python: \"/opt/caf\\u00e9/python3\"\n", {"python", "/opt/caf\xc3\xa9/python3"}},
};

START_TEST(good_files)
{
	struct err err = ERR_INIT;
	int r = load(good[_i].content, strlen(good[_i].content), &err);

	ck_assert_msg(r == 0, "%s", err.text);
	for (int i = 0; good[_i].values[i]; i += 2)
		check_value(good[_i].values[i], good[_i].values[i + 1]);
}
END_TEST

START_TEST(sources)
{
	static const char content[] = "# mine\n\ncores: 8\nqueues_to_try:\n  - a\n";
	char *path = unit_file(directory, "mine.yaml", content, strlen(content)), *source;

	ck_assert_int_eq(load_path(path, NULL), 0);
	source = xasprintf("%s:3", path);
	ck_assert_str_eq(settings.source[SETTING_CORES], source);
	free(source);
	source = xasprintf("%s:4", path);
	ck_assert_str_eq(settings.source[SETTING_QUEUES_TO_TRY], source);
	free(source);
	ck_assert_str_eq(settings.source[SETTING_MEMORY], "default");
	free(path);
}
END_TEST

static const struct {
	const char *content;
	const char *place; /* line:column: */
	const char *texts[3];
} bad[] = {
	{"memroy: 80 GiB\n", ":1:1: ", {"\"memroy\"", "did you mean \"memory\""}},
	{"cores: 8\nxyzzy: 1\n", ":2:1: ", {"\"xyzzy\""}},
	{"\n\n  cores: eight\n", ":3:10: ", {"cores: ", "\"eight\""}},
	{"cores: 0\n", ":1:8: ", {"cores: ", "0 is out of range", "from 1"}},
	{"memory: 80\n", ":1:9: ", {"memory: ", "no unit", "80 GiB"}},
	{"memory: 80 apples\n", ":1:9: ", {"memory: ", "80 apples", "80 GiB"}},
	{"walltime: soon\n", ":1:11: ", {"walltime: ", "soon", "01:30:00"}},
	{"use_scratch_dir: perhaps\n", ":1:18: ", {"use_scratch_dir: ", "perhaps"}},
	{"queues_to_try: [a, [b]]\n", ":1:20: ", {"queues_to_try: ", "one plain value"}},
	{"queues_to_try:\n  - a: b\n", ":2:3: ", {"queues_to_try: ", "has no partition"}},
	{"queues_to_try: [{partition: a, memory: 1 GiB}]\n",
		":1:16: ", {"a: ", "memory is the same in all places"}},
	{"queues_to_try: [{partition: a, time: 5}]\n",
		":1:16: ", {"a: ", "--time is set by draco: use the setting walltime"}},
	{"queues_to_try: [{partition: a, qos: [b]}]\n", ":1:37: ", {"qos", "one plain value"}},
	{"queue_options: {a: {qos: [b]}}\n", ":1:26: ", {"qos", "one plain value"}},
	{"queue_options: {a: b}\n", ":1:16: ", {"a must be a mapping"}},
	{"queue_options: [a]\n", ":1:16: ", {"a has no options"}},
	{"environment: {a: {b: c}}\n", ":1:18: ", {"environment: a", "one plain value"}},
	{"n_workers: 3\n", ":1:1: ", {"\"n_workers\"; use \"minimum\" (in workers"}},
	{"header_skip: [x]\n", ":1:1: ", {"\"header_skip\": not needed"}},
	{"cores: [4, 8]\n", ":1:8: ", {"cores: ", "a list is not possible"}},
	{"cores: {a: b}\n", ":1:8: ", {"cores: "}},
	{"[cores]: 8\n", ":1:1: ", {"one plain value"}},
	{"{}: 8\n", ":1:1: ", {"one plain value"}},
	{"cores\n", ":1:1: ", {"setting: value"}},
	{"- cores\n", ":1:1: ", {"setting: value"}},
	{"cores: 8\nmemory 80\n", ":2:1: ", {"\"memory 80\"", "missing"}},
	{"cores: 8\n  memory: 1\n", ":2:9: ", {""}},
	{"cores: 8\n\tmemory: 1\n", ":2:1: ", {""}},
	{"cores: [8\n", ":2:1: ", {""}},
	{"cores: \"8\n", ":1:8: ", {"quote is missing"}},
	{"cores: *nothing\n", ":1:8: ", {""}},
	{"cores: 8\ncores: \xff\n", ":2:8: ", {"UTF-8"}},
	{"cores: 8 \x01\n", ":1:10: ", {""}},
	/* what a reader of C strings would not see */
	{"memory: \"80 GiB\\0 and apples\"\n", ":1:9: ", {"memory ", "NUL"}},
	{"\"memory\\0\": 80 GiB\n", ":1:1: ", {"NUL"}},
	{"queues_to_try: [\"a\\0b\"]\n", ":1:17: ", {"queues_to_try: ", "NUL"}},
	/* what a reader of one document would not see */
	{"cores: 8\n---\nmemory: 1 GiB\n", ":2:1: ", {"one document"}},
	{"cores: 8\n...\nmemory: 1 GiB\n", ":3:1: ", {""}},
	{"cores: 8\n---\n", ":2:1: ", {"one document"}},
	/* profiles and limits */
	{"profiles: 3\n", ":1:11: ", {"profiles must have a name"}},
	{"profiles:\n  a: [1]\n", ":2:6: ", {"profile \"a\"", "a list"}},
	{"profiles:\n  a:\n    cores: x\n", ":3:12: ", {"cores: ", "\"x\""}},
	{"profiles:\n  a: {cores: 50}\n  a: {cores: 50}\n", ":3:3: ", {"twice"}},
	{"profiles: {}\nprofiles: {}\n", ":2:1: ", {"twice", "line 1"}},
	{"profiles: {a: {profiles: {}}}\n", ":1:16: ", {"cannot be inside of profile \"a\""}},
	{"limits: {maximum: 3}\n", ":1:1: ", {"only be in the file of the site"}},
};

START_TEST(bad_files)
{
	struct err err = ERR_INIT;
	char *path = xasprintf("%s/draco.yaml%s", directory, bad[_i].place);

	ck_assert_int_eq(load(bad[_i].content, strlen(bad[_i].content), &err), -EINVAL);
	ck_assert_int_eq(err.code, -EINVAL);
	ck_assert_msg(strncmp(err.text, path, strlen(path)) == 0,
		"\"%s\" does not begin with "
		"\"%s\"",
		err.text, path);
	ck_assert_uint_gt(strlen(err.text), strlen(path) + 5);
	for (int i = 0; i < 3 && bad[_i].texts[i]; i++)
		unit_assert_err(&err, -EINVAL, bad[_i].texts[i]);
	ck_assert_int_eq(load(bad[_i].content, strlen(bad[_i].content), NULL), -EINVAL);
	free(path);
}
END_TEST

START_TEST(no_file)
{
	char *path = xasprintf("%s/none.yaml", directory);
	struct err err = ERR_INIT;

	ck_assert_int_eq(load_path(path, &err), 0);
	ck_assert_int_eq(err.code, 0);
	check_value("cores", "40");
	ck_assert_str_eq(settings.source[SETTING_CORES], "default");
	free(path);
}
END_TEST

START_TEST(unreadable_files)
{
	char *below = xasprintf("%s/file/draco.yaml", directory);
	char *loop = xasprintf("%s/loop", directory);
	const char *const paths[] = {directory, below, loop};

	free(unit_file(directory, "file", "", 0));
	ck_assert_int_eq(symlink("loop", loop), 0);
	for (size_t i = 0; i < LENGTH(paths); i++) {
		struct err err = ERR_INIT;
		int r = load_path(paths[i], &err);

		ck_assert_msg(r < 0, "%s was read", paths[i]);
		unit_assert_err(&err, r, paths[i]);
		ck_assert_ptr_null(strstr(err.text, "1 MiB"));
		ck_assert_int_eq(load_path(paths[i], NULL), r);
	}
	free(below);
	free(loop);
}
END_TEST

START_TEST(too_large_files)
{
	size_t length = 1024 * 1024 + 1;
	char *content = malloc(length);
	struct err err = ERR_INIT;

	memset(content, '#', length);
	ck_assert_int_eq(load(content, length - 1, &err), 0);
	ck_assert_int_eq(load(content, length, &err), -EINVAL);
	unit_assert_err(&err, -EINVAL, "draco.yaml");
	unit_assert_err(&err, -EINVAL, "1 MiB");
	free(content);
}
END_TEST

/* Brackets, indentation and aliases without end: an answer, in time. */
START_TEST(deep_and_wide_files)
{
	static const char *const parts[] = {"[", "{", "- ", "? ", "a: [", "&a [*a, ", "\n - "};
	size_t length = 100000;
	char *content = malloc(length + 16);

	for (size_t i = 0; i < LENGTH(parts); i++) {
		struct err err = ERR_INIT;
		size_t used = 0;

		while (used < length)
			used = (size_t)(stpcpy(content + used, parts[i]) - content);
		ck_assert_int_eq(load(content, used, &err), -EINVAL);
		ck_assert_uint_gt(strlen(err.text), strlen(directory));
	}
	free(content);
}
END_TEST

static const char whole[] =
	"---\n# mine\ncores: 8\nprocesses: \"4\"\nmemory: '2 GiB'\n"
	"queues_to_try: &q [fast, slow]\nreservation: ~\nwalltime: 01:00:00\n"
	"log_directory: ~/logs\nuse-scratch-dir: no\npython:\n  /opt/python3\n"
	"profiles:\n  a: {cores: 9}\n  b:\n    memory: 3 GiB\n...\n";

/* Load from memory; whatever the bytes, an error is complete and the settings are whole. */
static int load_bytes(const char *bytes, size_t length)
{
	int fd = memfd_create("yaml", MFD_CLOEXEC);
	char path[32];
	struct err err = ERR_INIT;
	json_t *object;
	int r;

	unit_require(fd >= 0 && fchmod(fd, 0600) == 0);
	unit_require(write(fd, bytes, length) == (ssize_t)length);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = load_path(path, &err);
	close(fd);
	unit_require(r == 0 || r == -EINVAL);
	unit_require(err.code == r && (err.text[0] != '\0') == (r < 0));
	unit_require(r == 0 || strncmp(err.text, path, strlen(path)) == 0);
	object = settings_to_json(&settings);
	unit_require(json_object_size(object) == SETTING_COUNT);
	json_decref(object);
	for (int id = 0; id < SETTING_COUNT; id++)
		unit_require(settings.source[id] != NULL);
	return r;
}

START_TEST(every_prefix)
{
	int read = 0;

	ck_assert_int_eq(load_bytes(whole, strlen(whole)), 0);
	for (size_t length = 0; length < strlen(whole); length++)
		read += load_bytes(whole, length) == 0;
	ck_assert_int_gt(read, 10); /* those that end with a line, at least */
	ck_assert_int_lt(read, (int)strlen(whole));
}
END_TEST

static const char *const words[] = {"\n", ": ", "- ", "? ", "&a", "*a", "!!str ", "|\n", ">-\n",
	"---\n", "...\n", "%YAML 1.1\n", "\"\\0\"", "\"\\x00\"", "{", "}", "[", "]", "~", "\t",
	"cores", "80 GiB", "\xff", "\xc3\xa9", "\xef\xbb\xbf", "<<: ", NULL};

START_TEST(mutations)
{
	struct mutator mutator;
	int read = 0, refused = 0;

	mutator_init(&mutator, (uint64_t)_i + 1, words);
	for (int i = 0; i < unit_rounds(1000); i++) {
		size_t length;
		char *mutant = mutate(&mutator, whole, strlen(whole), &length);
		int r = load_bytes(mutant, length);

		read += r == 0;
		refused += r < 0;
		free(mutant);
	}
	ck_assert_int_gt(read, unit_rounds(20));
	ck_assert_int_gt(refused, unit_rounds(200));
}
END_TEST

Suite *unit_suite(void)
{
	Suite *suite = suite_create("settings_yaml");
	TCase *tcase = tcase_create("files"), *bytes = tcase_create("bytes");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_loop_test(tcase, good_files, 0, LENGTH(good));
	tcase_add_test(tcase, sources);
	tcase_add_loop_test(tcase, bad_files, 0, LENGTH(bad));
	tcase_add_test(tcase, no_file);
	tcase_add_test(tcase, unreadable_files);
	tcase_add_test(tcase, too_large_files);
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(bytes, setup, teardown);
	tcase_add_test(bytes, deep_and_wide_files);
	tcase_add_test(bytes, every_prefix);
	tcase_add_loop_test(bytes, mutations, 0, 10);
	suite_add_tcase(suite, bytes);
	return suite;
}
