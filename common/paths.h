/* paths.h: the paths of a dracod's sockets, state, log and settings.
 *
 *	RUNTIME/NAME/			control.sock, dask.sock, http.sock; runtime_dir.h
 *					chooses the directory RUNTIME
 *	$XDG_STATE_HOME/draco/NAME/	lock, daemon.json, connect.json, state.json,
 *					cluster.json, cluster-basis.json, nodes.json,
 *					pauses.json, slurm.json, dracod.log, events.jsonl, tls/,
 *					logs -> the present log directory
 *	$XDG_CONFIG_HOME/draco/		draco.yaml
 *	PATHS_SITE_FILE			the settings of the site
 *
 * NAME is the name of a directory: the name of a cluster, or NAME@SLURM (instances.h).
 */
#ifndef DRACO_COMMON_PATHS_H
#define DRACO_COMMON_PATHS_H

struct err;

#define PATHS_NAME_DEFAULT "default"
#define PATHS_SITE_FILE	   SYSCONFDIR "/draco/draco.yaml"

struct paths {
	char *name;
	char *runtime_dir; /* this and the sockets are set by paths_set_runtime() */
	char *control_socket;
	char *dask_socket;
	char *http_socket; /* of the dashboard, with dashboard mode socket */
	char *state_dir;
	char *lock_file;
	char *daemon_file;  /* tells clients which process runs, and where */
	char *connect_file; /* the addresses of dracod and its cluster, for other hosts */
	char *state_file;   /* needed after a crash */
	char *cluster_file; /* the running cluster, for the dracod that follows this one */
	char *basis_file;   /* what changes seldom of it, should cluster_file be damaged */
	char *nodes_file;   /* the nodes that jobs avoid, and until when */
	char *slurm_file;   /* the Slurm that all this belongs to */
	char *pauses_file;  /* how long jobs were not needed */
	char *log_file;
	char *tls_dir; /* certificates */
	char *events_file;
	char *logs_link; /* link to the log directory of the present or last start */
	char *config_file;
};

/* Compute all paths for a cluster name: 1 to 32 letters, digits, '.', '_' and '-', and optionally
 * @SLURM. Creates nothing. -EINVAL: invalid name. -ENOENT: there is no home directory.
 * paths_finish() frees. */
int paths_init(struct paths *paths, const char *name, struct err *err);
void paths_finish(struct paths *paths);

/* In $XDG_RUNTIME_DIR, has a socket NAME for each unit dracod@NAME.socket. */
#define PATHS_WAKE_DIR "draco-wake"

/* Set the runtime directory to base/NAME, and the sockets in it. */
void paths_set_runtime(struct paths *paths, const char *base);

/* Create the state directory (0700) if it is missing. Check that it belongs to this user and is
 * closed to all others. */
int paths_make(const struct paths *paths, struct err *err);

/* Create path and its missing parents with this mode. Existing directories stay unchanged. */
int paths_make_directories(const char *path, unsigned mode, struct err *err);

/* The settings file for these values of XDG_CONFIG_HOME and HOME. Each may be NULL, and one that is
 * not absolute is ignored. Without both it is below the home directory of the user database. NULL:
 * there is none. The caller frees. */
char *paths_config_file(const char *xdg_config_home, const char *home);

/* The directory above the state directories of all names; NULL: there is no home. The caller
 * frees. */
char *paths_state_root(void);

/* A command of dracoctl for the user, for the cluster of this name, or of the directory of this
 * name: "dracoctl --name X resume", or "dracoctl resume". The caller frees. */
char *paths_command(const char *name, const char *words);

/* The beginning of all names of jobs of this cluster name, in every Slurm. The caller frees. */
char *paths_job_prefix(const char *name);

#endif
