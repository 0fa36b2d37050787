/* paths.h: where a dracod of a name keeps its sockets, state, log and settings.
 *
 *	RUNTIME/NAME/			control.sock, dask.sock, http.sock; runtime_dir.h tells
 *					which directory RUNTIME is
 *	$XDG_STATE_HOME/draco/NAME/	lock, daemon.json, connect.json, state.json, nodes.json,
 *					pauses.json, slurm.json, dracod.log, events.jsonl, tls/,
 *					logs -> the present log directory
 *	$XDG_CONFIG_HOME/draco/		draco.yaml
 *	PATHS_SITE_FILE			the settings of the site
 *
 * NAME is that of a directory: the name of a cluster, or NAME@SLURM (instances.h).
 */
#ifndef DRACO_COMMON_PATHS_H
#define DRACO_COMMON_PATHS_H

struct err;

#define PATHS_NAME_DEFAULT "default"
#define PATHS_SITE_FILE	   SYSCONFDIR "/draco/draco.yaml"

struct paths {
	char *name;
	char *runtime_dir; /* this and the sockets only after paths_set_runtime() */
	char *control_socket;
	char *dask_socket;
	char *http_socket; /* of the dashboard, where it has one */
	char *state_dir;
	char *lock_file;
	char *daemon_file;  /* who runs, and where: for clients */
	char *connect_file; /* how other hosts reach it, and its cluster */
	char *state_file;   /* what a dracod needs after a crash */
	char *nodes_file;   /* which nodes jobs avoid, and until when */
	char *slurm_file;   /* which Slurm all this belongs to */
	char *pauses_file;  /* for how long jobs were not needed */
	char *log_file;
	char *tls_dir; /* certificates */
	char *events_file;
	char *logs_link; /* to the log directory of the present or last start */
	char *config_file;
};

/* Compute all paths for the cluster name (1 to 32 letters, digits, '.', '_', '-', and @SLURM
 * behind them); creates nothing. -EINVAL for a bad name, -ENOENT without a home directory.
 * paths_finish() frees. */
int paths_init(struct paths *paths, const char *name, struct err *err);
void paths_finish(struct paths *paths);

/* The sockets are below base/NAME/ from now on. */
void paths_set_runtime(struct paths *paths, const char *base);

/* Create the state directory, 0700, where it is missing, and check that it belongs to this user
 * and is closed to all others. */
int paths_make(const struct paths *paths, struct err *err);

/* Create path and its missing parents with the mode; an existing directory is left as it is. */
int paths_make_directories(const char *path, unsigned mode, struct err *err);

/* The settings file of a user with these values of XDG_CONFIG_HOME and HOME (each may be NULL;
 * one that is not absolute does not count); without both it is below the home directory of the
 * user database. NULL where there is none. The caller frees. */
char *paths_config_file(const char *xdg_config_home, const char *home);

/* The directory that has a state directory for each name; NULL without a home. The caller frees. */
char *paths_state_root(void);

/* What the names of all jobs of a name's clusters begin with, in each Slurm; the caller frees. */
char *paths_job_prefix(const char *name);

#endif
