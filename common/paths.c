/* paths.c: the paths of a dracod's sockets, state, log and settings. */
#include "common/paths.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/home.h"
#include "common/trust.h"

#define NAME_LENGTH_MAX	 32
#define SLURM_LENGTH_MAX 48 /* length of Slurm's cluster name and a number after it */

static bool is_good_part(const char *text, size_t length, size_t most)
{
	bool good = length > 0 && length <= most;

	for (size_t i = 0; i < length; i++)
		good = good && (isalnum((unsigned char)text[i]) || strchr("._-", text[i]));
	return good;
}

static int check_name(const char *name, struct err *err)
{
	size_t length = strcspn(name, "@");
	const char *slurm = name + length;

	if (!is_good_part(name, length, NAME_LENGTH_MAX) || !isalnum((unsigned char)name[0]) ||
		(*slurm && !is_good_part(slurm + 1, strlen(slurm + 1), SLURM_LENGTH_MAX)))
		return err_set(err, -EINVAL,
			"\"%s\" cannot name a cluster: 1 to %d letters, digits, '.', '_' and '-', "
			"beginning with a letter or digit (and @SLURM behind them, for the "
			"cluster of another Slurm)",
			name, NAME_LENGTH_MAX);
	return 0;
}

char *paths_config_file(const char *xdg_config_home, const char *home)
{
	if (xdg_config_home && xdg_config_home[0] == '/')
		return xasprintf("%s/draco/draco.yaml", xdg_config_home);
	home = home_or_known(home);
	return home ? xasprintf("%s/.config/draco/draco.yaml", home) : NULL;
}

/* The directory of an XDG variable. A relative value is ignored, as the XDG base directory
 * specification asks. NULL: there is neither a variable nor a home. The caller frees. */
static char *xdg_directory(const char *variable, const char *below_home)
{
	const char *value = getenv(variable);
	const char *home = home_directory();

	if (value && value[0] == '/')
		return xstrdup(value);
	return home ? xasprintf("%s/%s", home, below_home) : NULL;
}

char *paths_state_root(void)
{
	_cleanup_free_ char *state = xdg_directory("XDG_STATE_HOME", ".local/state");

	return state ? xasprintf("%s/draco", state) : NULL;
}

char *paths_job_prefix(const char *name)
{
	return xasprintf("draco-%.*s-", (int)strcspn(name, "@"), name);
}

char *paths_command(const char *name, const char *words)
{
	bool named = strcmp(name, PATHS_NAME_DEFAULT) != 0;

	return xasprintf("dracoctl %s%s%s%s", named ? "--name " : "", named ? name : "",
		named ? " " : "", words);
}

int paths_init(struct paths *paths, const char *name, struct err *err)
{
	_cleanup_free_ char *state = xdg_directory("XDG_STATE_HOME", ".local/state");
	_cleanup_free_ char *config =
		paths_config_file(getenv("XDG_CONFIG_HOME"), getenv("HOME"));
	int r;

	r = check_name(name, err);
	if (r < 0)
		return r;
	if (!state || !config)
		return err_set(err, -ENOENT,
			"no home directory: HOME is not set and user %u has none in the user "
			"database",
			(unsigned)getuid());
	*paths = (struct paths){
		.name = xstrdup(name),
		.state_dir = xasprintf("%s/draco/%s", state, name),
		.lock_file = xasprintf("%s/draco/%s/lock", state, name),
		.daemon_file = xasprintf("%s/draco/%s/daemon.json", state, name),
		.connect_file = xasprintf("%s/draco/%s/connect.json", state, name),
		.state_file = xasprintf("%s/draco/%s/state.json", state, name),
		.cluster_file = xasprintf("%s/draco/%s/cluster.json", state, name),
		.basis_file = xasprintf("%s/draco/%s/cluster-basis.json", state, name),
		.nodes_file = xasprintf("%s/draco/%s/nodes.json", state, name),
		.slurm_file = xasprintf("%s/draco/%s/slurm.json", state, name),
		.pauses_file = xasprintf("%s/draco/%s/pauses.json", state, name),
		.log_file = xasprintf("%s/draco/%s/dracod.log", state, name),
		.events_file = xasprintf("%s/draco/%s/events.jsonl", state, name),
		.logs_link = xasprintf("%s/draco/%s/logs", state, name),
		.tls_dir = xasprintf("%s/draco/%s/tls", state, name),
		.config_file = TAKE_PTR(config),
	};
	return 0;
}

static void free_runtime(struct paths *paths)
{
	free(paths->runtime_dir);
	free(paths->control_socket);
	free(paths->dask_socket);
	free(paths->http_socket);
}

void paths_set_runtime(struct paths *paths, const char *base)
{
	free_runtime(paths);
	paths->runtime_dir = xasprintf("%s/%s", base, paths->name);
	paths->control_socket = xasprintf("%s/control.sock", paths->runtime_dir);
	paths->dask_socket = xasprintf("%s/dask.sock", paths->runtime_dir);
	paths->http_socket = xasprintf("%s/http.sock", paths->runtime_dir);
}

void paths_finish(struct paths *paths)
{
	free(paths->name);
	free_runtime(paths);
	free(paths->state_dir);
	free(paths->lock_file);
	free(paths->daemon_file);
	free(paths->connect_file);
	free(paths->state_file);
	free(paths->cluster_file);
	free(paths->basis_file);
	free(paths->nodes_file);
	free(paths->slurm_file);
	free(paths->pauses_file);
	free(paths->log_file);
	free(paths->tls_dir);
	free(paths->events_file);
	free(paths->logs_link);
	free(paths->config_file);
	*paths = (struct paths){0};
}

int paths_make_directories(const char *path, unsigned mode, struct err *err)
{
	_cleanup_free_ char *part = xstrdup(path);

	for (char *slash = part + (*part == '/');; slash++) {
		slash += strcspn(slash, "/");
		bool last = !*slash;

		*slash = '\0';
		if (mkdir(part, mode) < 0) {
			int code = errno;
			struct stat st;

			/* An existing directory is fine, also on a read-only or foreign file
			 * system. */
			if (stat(part, &st) == 0 && !S_ISDIR(st.st_mode))
				code = ENOTDIR;
			if (code == ENOTDIR || stat(part, &st) < 0)
				return err_set(err, -code, "cannot create the directory %s: %s",
					part, strerror(code));
		}
		if (last)
			return 0;
		*slash = '/';
	}
}

/* Check a directory that holds secrets: this user's own, and closed to all others. */
static int check_private(const char *path, struct err *err)
{
	int r = trust_directory(path, err);

	if (r < 0)
		return r == -ENOENT ? err_set(err, r, "%s is not there", path) : r;
	if (access(path, W_OK | X_OK) < 0)
		return err_set(err, -errno, "cannot write to the directory %s: %s", path,
			strerror(errno));
	return 0;
}

/* After su or sudo HOME may be another user's. Directories that root made there would lock that
 * user out. */
static int check_ground(const char *path, struct err *err)
{
	_cleanup_free_ char *part = xstrdup(path);
	struct stat st;
	int r;

	if (geteuid() != 0)
		return 0;
	while ((r = stat(part, &st)) < 0 && strrchr(part, '/') > part)
		*strrchr(part, '/') = '\0';
	if (r < 0 || st.st_uid == 0)
		return 0;
	return err_set(err, -EPERM,
		"%s belongs to another user (uid %u), who could not use the files that root makes "
		"there: su - and sudo -i use root's own directories",
		part, (unsigned)st.st_uid);
}

static int make_private(const char *path, struct err *err)
{
	_cleanup_free_ char *parent = xstrdup(path);
	int r;

	*strrchr(parent, '/') = '\0';
	r = check_ground(path, err);
	if (r == 0)
		r = paths_make_directories(parent, 0700, err);
	if (r == 0)
		r = check_private(parent, err);
	if (r == 0)
		r = paths_make_directories(path, 0700, err);
	if (r == 0)
		r = check_private(path, err);
	return r;
}

int paths_make(const struct paths *paths, struct err *err)
{
	return make_private(paths->state_dir, err);
}
