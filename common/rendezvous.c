/* rendezvous.c: reads the files in a state directory by which clients find dracod. */
#include "common/rendezvous.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/un.h>

#include "common/cleanup.h"
#include "common/err.h"
#include "common/json.h"
#include "common/parse.h"
#include "common/paths.h"
#include "common/trust.h"
#include "common/visible.h"

enum kind { KIND_TEXT, KIND_HOST, KIND_ADDRESS, KIND_PATH, KIND_SOCKET, KIND_PID, KIND_NUMBER };

struct field {
	const char *name;
	enum kind kind;
	bool needed; /* must be present and not null */
};

static const struct field daemon_fields[] = {
	{"pid", KIND_PID, true},
	{"host", KIND_HOST, true},
	{"socket", KIND_SOCKET, true},
	{"dask_socket", KIND_SOCKET, false},
	{"boot", KIND_TEXT, false},
	{"version", KIND_TEXT, false},
	{"started", KIND_NUMBER, false},
	{"locks", KIND_TEXT, false},
	{"taken_over_by", KIND_HOST, false},
	{"taken_over_at", KIND_NUMBER, false},
	{0},
};

static const struct field connect_fields[] = {
	{"pid", KIND_PID, false},
	{"host", KIND_HOST, false},
	{"boot", KIND_TEXT, false},
	{"version", KIND_TEXT, false},
	{"protocol", KIND_NUMBER, false},
	{"scheduler", KIND_TEXT, false},
	{"daemon", KIND_ADDRESS, false},
	{"no_daemon", KIND_TEXT, false},
	{"ca", KIND_PATH, false},
	{"certificate", KIND_PATH, false},
	{"key", KIND_PATH, false},
	{0},
};

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	"0123456789"

bool rendezvous_is_host(const char *text)
{
	return *text && *text != '-' && strlen(text) <= HOST_NAME_MAX &&
		text[strspn(text, LETTERS DIGITS "._-")] == '\0';
}

static bool is_address(const char *text)
{
	char address[INET_ADDRSTRLEN] = "";
	size_t length = strcspn(text, ":");
	struct in_addr ignored;
	int64_t port;

	if (length >= sizeof(address) || text[strspn(text, DIGITS ".:")])
		return false;
	memcpy(address, text, length);
	return text[length] && inet_pton(AF_INET, address, &ignored) == 1 &&
		parse_integer(text + length + 1, 1, 65535, &port, NULL) == 0;
}

/* The name of the kind that the value should have; NULL: it has that kind. */
static const char *wanted(const json_t *value, enum kind kind)
{
	static const size_t socket_max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
	const char *text = json_string_value(value);
	json_int_t number = json_integer_value(value);

	switch (kind) {
	case KIND_PID:
		return number > 0 && number <= INT_MAX ? NULL : "the number of a process";
	case KIND_NUMBER:
		return json_is_integer(value) && number >= 0 ? NULL : "a number";
	case KIND_HOST:
		return text && rendezvous_is_host(text) ? NULL : "the name of a host";
	case KIND_ADDRESS:
		return text && is_address(text) ? NULL : "an IPv4 address with a port";
	case KIND_PATH:
		return text && text[0] == '/' && visible_is_clean(text) ? NULL
									: "an absolute path";
	case KIND_SOCKET:
		return text && text[0] == '/' && strlen(text) <= socket_max &&
				visible_is_clean(text)
			? NULL
			: "the absolute path of a socket";
	case KIND_TEXT:
	default:
		return text && visible_is_clean(text) ? NULL : "a text of one line";
	}
}

static int check(
	const char *path, const json_t *object, const struct field *fields, struct err *err)
{
	for (; fields->name; fields++) {
		const json_t *value = json_object_get(object, fields->name);
		const char *kind = wanted(value, fields->kind);

		if (kind && (fields->needed || (value && !json_is_null(value))))
			return err_set(err, -EBADMSG,
				"%s is not as dracod writes it: \"%s\" is not %s", path,
				fields->name, kind);
	}
	return 0;
}

static int load(const char *path, const struct field *fields, json_t **ret, struct err *err)
{
	_cleanup_json_ json_t *object = NULL;
	int r = trust_load(path, &object, err);

	if (r == 0)
		r = check(path, object, fields, err);
	if (r == 0)
		*ret = json_incref(object);
	return r;
}

int rendezvous_daemon(const struct paths *paths, json_t **ret, struct err *err)
{
	return load(paths->daemon_file, daemon_fields, ret, err);
}

int rendezvous_connect(const struct paths *paths, json_t **ret, struct err *err)
{
	static const char *const files[] = {"ca", "certificate", "key"};
	_cleanup_json_ json_t *object = NULL;
	int r = load(paths->connect_file, connect_fields, &object, err);

	for (size_t i = 0; r == 0 && i < sizeof(files) / sizeof(files[0]); i++) {
		const char *file = json_get_text(object, files[i], NULL);

		r = file ? trust_file(file, err) : 0;
		if (r == -ENOENT)
			err_set(err, -EBADMSG, "%s names %s, which is not there",
				paths->connect_file, file),
				r = -EBADMSG;
	}
	if (r == 0)
		*ret = json_incref(object);
	return r;
}
