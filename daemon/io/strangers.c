/* strangers.c: connections to dracod's port that have not shown the certificate yet. Everyone in
 * the network can connect as often as they like. Bytes that are no ClientHello cost one look.
 * admission.c decides who gets a handshake. */
#include "daemon/io/strangers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/knock.h"
#include "common/log.h"
#include "common/queue.h"
#include "common/secure.h"
#include "common/tcp.h"
#include "daemon/io/client_hello.h"
#include "daemon/io/loop.h"
#include "daemon/policy/admission.h"

#define DEADLINE_MS	 10000
#define WARN_INTERVAL_MS 60000
#define DESCRIPTORS_PART 4 /* silent connections may use this part of dracod's descriptors */

enum stage {
	SILENT,	 /* has not sent a whole ClientHello */
	GUEST,	 /* in the handshake; it has not knocked */
	KNOCKED, /* in the handshake; it has knocked */
	STAGES
};

static const size_t limits[STAGES] = {[SILENT] = 256, [GUEST] = 16, [KNOCKED] = 64};

struct stranger {
	TAILQ_ENTRY(stranger) link; /* strangers.list of its stage, oldest first */
	struct strangers *strangers;
	enum stage stage;
	int fd; /* valid in SILENT; later the connection owns it */
	struct loop_watch *watch;
	struct bufferevent *connection;
	ssize_t seen; /* bytes that the last look saw */
	struct loop_timer *deadline;
	struct sockaddr_in peer;
};

TAILQ_HEAD(stranger_list, stranger);

struct strangers {
	struct loop *loop;
	struct admission *admission;
	const struct secure *secure;
	struct knock_key key;
	struct stranger_list list[STAGES];
	size_t count[STAGES];
	size_t silent_max;
	int64_t refused; /* since the last warning */
	int64_t no_warning_before_ms;
	remote_fn fn;
	void *arg;
};

static void write_peer(const struct sockaddr_in *peer, char text[64])
{
	char address[INET_ADDRSTRLEN] = "?";

	inet_ntop(AF_INET, &peer->sin_addr, address, sizeof(address));
	snprintf(text, 64, "%s:%d", address, ntohs(peer->sin_port));
}

/* Limit the warnings: the log must not grow as fast as a peer can connect. */
static void note_refusal(
	struct strangers *strangers, const struct sockaddr_in *peer, const char *why)
{
	int64_t now = loop_now_ms();
	char text[64];

	strangers->refused++;
	if (now < strangers->no_warning_before_ms)
		return;
	write_peer(peer, text);
	log_warning("remote: %s rejected: %s (%" PRId64 " since the last such line)", text, why,
		strangers->refused);
	strangers->refused = 0;
	strangers->no_warning_before_ms = now + WARN_INTERVAL_MS;
}

/* Close with a reset, so that the kernel keeps no state of the connection. */
static void drop(int fd)
{
	static const struct linger at_once = {.l_onoff = 1};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

static void leave_stage(struct stranger *stranger)
{
	struct strangers *strangers = stranger->strangers;

	TAILQ_REMOVE(&strangers->list[stranger->stage], stranger, link);
	strangers->count[stranger->stage]--;
	if (stranger->stage == SILENT)
		admission_wait_no_more(strangers->admission, stranger->peer.sin_addr.s_addr);
}

static void enter_stage(struct stranger *stranger, enum stage stage)
{
	struct strangers *strangers = stranger->strangers;

	stranger->stage = stage;
	TAILQ_INSERT_TAIL(&strangers->list[stage], stranger, link);
	strangers->count[stage]++;
	if (stage == SILENT)
		admission_wait(strangers->admission, stranger->peer.sin_addr.s_addr);
}

static void stranger_free(struct stranger *stranger)
{
	leave_stage(stranger);
	loop_timer_destroy(stranger->deadline);
	loop_watch_destroy(stranger->watch);
	if (stranger->connection)
		bufferevent_free(stranger->connection);
	if (stranger->fd >= 0)
		drop(stranger->fd);
	free(stranger);
}

static void refuse(struct stranger *stranger, const char *why)
{
	note_refusal(stranger->strangers, &stranger->peer, why);
	stranger_free(stranger);
}

static void on_deadline(void *arg)
{
	refuse(arg, "it has not shown the certificate within 10 s");
}

/* The connection to drop: the oldest of this stage, if possible of the addresses with the most
 * connections. */
static struct stranger *superfluous(struct strangers *strangers, enum stage stage)
{
	struct stranger *stranger;

	TAILQ_FOREACH (stranger, &strangers->list[stage], link)
		if (stage != SILENT ||
			admission_waits_most(
				strangers->admission, stranger->peer.sin_addr.s_addr))
			return stranger;
	return TAILQ_FIRST(&strangers->list[stage]);
}

static void make_room(struct strangers *strangers, enum stage stage)
{
	size_t limit = stage == SILENT ? strangers->silent_max : limits[stage];

	if (strangers->count[stage] >= limit)
		refuse(superfluous(strangers, stage), "too many others are connecting");
}

static struct stranger *add(
	struct strangers *strangers, int fd, const struct sockaddr_in *peer, enum stage stage)
{
	struct stranger *stranger = xcalloc(1, sizeof(*stranger));

	stranger->strangers = strangers;
	stranger->fd = fd;
	stranger->peer = *peer;
	stranger->deadline = loop_timer_create(strangers->loop, on_deadline, stranger);
	loop_timer_start(stranger->deadline, DEADLINE_MS);
	enter_stage(stranger, stage);
	return stranger;
}

static void on_event(struct bufferevent *connection, short what, void *arg)
{
	struct stranger *stranger = arg;
	struct strangers *strangers = stranger->strangers;
	unsigned long code = bufferevent_get_openssl_error(connection);
	char peer[64];

	if (what & BEV_EVENT_CONNECTED) {
		stranger->connection = NULL;
		write_peer(&stranger->peer, peer);
		strangers->fn(strangers->arg, connection, peer);
		stranger_free(stranger);
	} else {
		refuse(stranger, code ? secure_text(code) : "it disconnected");
	}
}

static void shake_hands(struct stranger *stranger)
{
	struct loop *loop = stranger->strangers->loop;
	struct ssl_st *session = secure_session(stranger->strangers->secure);
	int fd = stranger->fd, one = 1;

	stranger->fd = -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &one, sizeof(one));
	tcp_keep_alive(fd);
	/* Deferred callbacks: none may run inside a call of this file. */
	stranger->connection = bufferevent_openssl_socket_new(loop_base(loop), fd, session,
		BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (!stranger->connection)
		abort(); /* only if memory is exhausted */
	if (stranger->stage == GUEST)
		bufferevent_priority_set(stranger->connection, LOOP_LAST);
	bufferevent_openssl_set_allow_dirty_shutdown(stranger->connection, 1);
	bufferevent_setcb(stranger->connection, NULL, NULL, on_event, stranger);
}

/* Find the next stage of a peer by its hello. Returns NULL, or why to drop it. */
static const char *judge(struct strangers *strangers, const struct sockaddr_in *peer,
	const struct client_hello *hello, enum stage *ret)
{
	int64_t now_ms = loop_now_ms();
	uint64_t nonce;

	if (hello->kind == CLIENT_HELLO_WRONG)
		return "it does not speak TLS";
	if (hello->kind == CLIENT_HELLO_PART) {
		*ret = SILENT;
		return NULL;
	}
	if (hello->name && knock_check(&strangers->key, hello->name, hello->length, &nonce)) {
		*ret = KNOCKED;
		return admission_knock(strangers->admission, now_ms, nonce);
	}
	*ret = GUEST;
	return admission_guest(strangers->admission, now_ms, peer->sin_addr.s_addr);
}

/* Look at the bytes that have arrived, and leave them for OpenSSL. *seen: their number in the last
 * look. Returns NULL, or why to drop the connection. */
static const char *look(struct strangers *strangers, int fd, const struct sockaddr_in *peer,
	ssize_t *seen, enum stage *ret)
{
	unsigned char bytes[CLIENT_HELLO_MAX];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
	struct client_hello hello;
	const char *why;
	int wanted;

	if (n < 0 && errno == EAGAIN)
		n = 0;
	else if (n <= *seen) /* the peer has closed its side */
		return "it disconnected";
	*seen = n;
	hello = client_hello_read(bytes, (size_t)n);
	why = judge(strangers, peer, &hello, ret);
	wanted = (int)hello.wanted;
	/* Do not wake up for each byte. */
	if (!why && *ret == SILENT)
		setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof(wanted));
	return why;
}

static void on_bytes(void *arg)
{
	struct stranger *stranger = arg;
	struct strangers *strangers = stranger->strangers;
	enum stage stage;
	const char *why =
		look(strangers, stranger->fd, &stranger->peer, &stranger->seen, &stage);

	if (why) {
		refuse(stranger, why);
	} else if (stage != SILENT) {
		stranger->watch = loop_watch_destroy(stranger->watch);
		leave_stage(stranger);
		make_room(strangers, stage);
		enter_stage(stranger, stage);
		shake_hands(stranger);
	}
}

void strangers_take(struct strangers *strangers, int fd, const struct sockaddr_in *peer)
{
	ssize_t seen = -1;
	enum stage stage;
	struct stranger *stranger;
	const char *why = look(strangers, fd, peer, &seen, &stage);

	if (why) {
		note_refusal(strangers, peer, why);
		drop(fd);
		return;
	}
	make_room(strangers, stage);
	stranger = add(strangers, fd, peer, stage);
	stranger->seen = seen;
	if (stage != SILENT) {
		shake_hands(stranger);
		return;
	}
	stranger->watch = loop_watch_create(strangers->loop, fd, on_bytes, stranger);
	loop_watch_set_last(stranger->watch);
}

static void forget(struct strangers *strangers, enum stage stage)
{
	while (!TAILQ_EMPTY(&strangers->list[stage]))
		stranger_free(TAILQ_FIRST(&strangers->list[stage]));
}

void strangers_forget_silent(struct strangers *strangers)
{
	forget(strangers, SILENT);
}

static size_t silent_max(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
		limit.rlim_cur / DESCRIPTORS_PART > limits[SILENT])
		return limits[SILENT];
	return limit.rlim_cur / DESCRIPTORS_PART;
}

struct strangers *strangers_create(struct loop *loop, struct admission *admission,
	const struct secure *secure, const struct knock_key *key, remote_fn fn, void *arg)
{
	struct strangers *strangers = xcalloc(1, sizeof(*strangers));

	strangers->loop = loop;
	strangers->admission = admission;
	strangers->secure = secure;
	strangers->key = *key;
	strangers->silent_max = silent_max();
	strangers->no_warning_before_ms = loop_now_ms();
	strangers->fn = fn;
	strangers->arg = arg;
	for (int stage = 0; stage < STAGES; stage++)
		TAILQ_INIT(&strangers->list[stage]);
	return strangers;
}

struct strangers *strangers_destroy(struct strangers *strangers)
{
	if (!strangers)
		return NULL;
	for (int stage = 0; stage < STAGES; stage++)
		forget(strangers, stage);
	free(strangers);
	return NULL;
}
