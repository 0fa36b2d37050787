/* fuzz_reach.c: what a client does with daemon.json and connect.json, which may be damaged, of
 * another version, or written by somebody else: it never connects anywhere else than to a
 * socket or an address of the right kind, and says in plain text what is wrong.
 *
 * The first line of an input is daemon.json, the second connect.json. This host is
 * "login1". */
#include "fuzz.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/reach.h"
#include "client/seek.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/holder.h"
#include "common/host.h"
#include "common/json.h"
#include "common/paths.h"
#include "common/trust.h"

const char fuzz_name[] = "reach";
const char *const fuzz_words[] = {"pid", "host", "boot", "version", "socket", "started",
	"protocol", "scheduler", "daemon", "no_daemon", "ca", "certificate", "key", "login1",
	"login2", "/run/user/1000/draco/default/control.sock",
	"/home/u/.local/state/draco/default/tls/cert.pem", "10.0.0.1:18790", "10.0.0.1:99999",
	"tls://10.0.0.1:8786", "-oProxyCommand=id", "a b", "a;b", "\n", "..", NULL};

static char daemon_file[] = "/state/daemon.json", connect_file[] = "/state/connect.json";
static char control_socket[] = "/run/control.sock", lock_file[] = "/nonexistent/lock";
static char cluster[] = "default", state_dir[] = "/state";

static const uint8_t *daemon_text, *connect_text;
static size_t daemon_size, connect_size;
static int connections;
static bool was_patient;

int __wrap_trust_load(const char *path, json_t **ret, struct err *err);
int __wrap_trust_file(const char *path, struct err *err);
int __wrap_trust_connect(const char *path, struct err *err);
int __wrap_tcp_connect(const char *target, int timeout_ms, struct err *err);
void __wrap_host_get(struct host *ret);
void __wrap_holder_look(const char *lock, const json_t *daemon, struct holder *ret);
int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_usleep(useconds_t us);

int __wrap_trust_load(const char *path, json_t **ret, struct err *err)
{
	bool is_daemon = strcmp(path, daemon_file) == 0;
	size_t size = is_daemon ? daemon_size : connect_size;

	fuzz_require(is_daemon || strcmp(path, connect_file) == 0);
	if (size == 0)
		return -ENOENT;
	*ret = json_loadb(
		(const char *)(is_daemon ? daemon_text : connect_text), size, 0, NULL);
	if (json_is_object(*ret))
		return 0;
	json_decref(*ret);
	*ret = NULL;
	return err_set(err, -EBADMSG, "%s is damaged", path);
}

static void check_path(const char *path)
{
	fuzz_require(path[0] == '/' && strlen(path) < 4096);
	fuzz_require(fuzz_is_harmless(path, strlen(path)) && !strpbrk(path, "\n\t"));
}

int __wrap_trust_file(const char *path, struct err *err)
{
	(void)err;
	check_path(path);
	return strstr(path, "absent") ? -ENOENT : 0;
}

int __wrap_trust_connect(const char *path, struct err *err)
{
	check_path(path);
	connections++;
	return err_set(err, -EPERM, "%s belongs to somebody else", path);
}

int __wrap_tcp_connect(const char *target, int timeout_ms, struct err *err)
{
	size_t length = strspn(target, "0123456789.");

	fuzz_require(length > 0 && target[length] == ':' && timeout_ms > 0);
	fuzz_require(strspn(target + length + 1, "0123456789") == strlen(target + length + 1));
	connections++;
	return err_set(err, -ECONNREFUSED, "%s refuses", target);
}

void __wrap_host_get(struct host *ret)
{
	*ret = (struct host){.name = "login1", .boot = "b"};
}

/* A dracod of this host lives; nobody knows whether one of another host does. */
void __wrap_holder_look(const char *lock, const json_t *daemon, struct holder *ret)
{
	struct host here;

	(void)lock;
	__wrap_host_get(&here);
	*ret = (struct holder){.here = holder_is_here(daemon, &here), .file_system = "nfs"};
	ret->state = !daemon ? HOLDER_NONE : ret->here ? HOLDER_ALIVE : HOLDER_UNKNOWN;
}

/* Who waits once has waited for long. */
int __wrap_usleep(useconds_t us)
{
	(void)us;
	was_patient = true;
	return 0;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
	int r = __real_clock_gettime(clock, ret);

	if (was_patient && clock == CLOCK_MONOTONIC)
		ret->tv_sec += 60;
	return r;
}

/* What a person is told to type is made of words that a shell takes as they are. */
static void check_command(const char *text)
{
	static const char command[] = "\n  use it there: ssh ";
	const char *host = strstr(text, command);

	if (!host)
		return;
	host += strlen(command);
	fuzz_require(host[0] != '-' &&
		strspn(host,
			"abcdefghijklmnopqrstuvwxyz"
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strcspn(host, " "));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size > 0 ? memchr(data, '\n', size) : NULL;
	struct paths paths = {.name = cluster,
		.daemon_file = daemon_file,
		.connect_file = connect_file,
		.control_socket = control_socket,
		.lock_file = lock_file,
		.state_dir = state_dir};
	struct channel channel;
	struct err err = ERR_INIT;
	int r;

	daemon_text = data;
	daemon_size = newline ? (size_t)(newline - data) : size;
	connect_text = newline ? newline + 1 : data;
	connect_size = newline ? size - daemon_size - 1 : 0;
	connections = 0;
	was_patient = false;
	r = seek_dracod(&channel, &paths, &err);
	fuzz_require(r < 0 && channel.fd < 0 && !channel.session && !channel.secure);
	fuzz_require(connections <= 4); /* socket and port, twice */
	fuzz_require(r == -ENOENT || err.text[0]);
	fuzz_require(fuzz_is_harmless(err.text, strlen(err.text)));
	check_command(err.text);
	if (connections > 0 && daemon_size > 0)
		fuzz_took();
	return 0;
}
