/* munge.c: checks that the authentication service of this host runs.
 *
 * Of slurm.conf it reads only AuthType and AuthInfo=socket=PATH. In doubt (no file, an Include,
 * another type) it reports no error, and libslurm decides. */
#include "daemon/draco-slurm/munge.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/sock.h"

#define MUNGE_SOCKET_DEFAULT "/run/munge/munge.socket.2"

struct auth {
	bool doubtful;
	char *socket;
};

static void read_line(const char *line, struct auth *auth)
{
	const char *value, *socket;

	while (isspace((unsigned char)*line))
		line++;
	value = strchr(line, '=');
	if (strncasecmp(line, "Include", strlen("Include")) == 0)
		auth->doubtful = true;
	if (!value)
		return;
	value++;
	if (strncasecmp(line, "AuthType", strlen("AuthType")) == 0) {
		auth->doubtful |= !strstr(value, "munge");
	} else if (strncasecmp(line, "AuthInfo", strlen("AuthInfo")) == 0) {
		socket = strstr(value, "socket=");
		if (!socket)
			return;
		socket += strlen("socket=");
		free(auth->socket);
		auth->socket = xstrndup(socket, strcspn(socket, ", \t\n"));
	}
}

static void read_conf(struct auth *ret)
{
	const char *conf = getenv("SLURM_CONF");
	_cleanup_fclose_ FILE *file = fopen(conf ? conf : SLURM_CONF_DEFAULT, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	*ret = (struct auth){.doubtful = !file};
	while (file && getline(&line, &size, file) > 0)
		read_line(line, ret);
}

char *munge_socket(bool *ret_sure)
{
	struct auth auth;

	read_conf(&auth);
	*ret_sure = !auth.doubtful;
	return auth.socket ? auth.socket : xstrdup(MUNGE_SOCKET_DEFAULT);
}

int munge_check(struct err *err)
{
	_cleanup_close_ int fd = -1;
	struct err why = ERR_INIT;
	struct auth auth;

	read_conf(&auth);
	fd = sock_connect(auth.socket ? auth.socket : MUNGE_SOCKET_DEFAULT, &why);
	free(auth.socket);
	if (auth.doubtful || (fd != -ECONNREFUSED && fd != -ENOENT))
		return 0;
	return err_set(err, fd, "munged does not run on this host: %s", why.text);
}
