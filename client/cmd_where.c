/* cmd_where.c: dracoctl where: the files and sockets of a cluster, and its Slurm. */
#include <stdio.h>
#include <string.h>

#include "client/ctl.h"
#include "client/output.h"
#include "client/where.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/holder.h"
#include "common/json.h"
#include "common/rendezvous.h"
#include "common/slurm_site.h"

static void print_line(const char *label, const char *value)
{
	printf("%s%-10s%s %s\n", output_colour(COLOUR_FAINT), label, output_colour(COLOUR_NONE),
		value);
}

/* The directory of the sockets of the dracod that lives, or may live; NULL: there is none. */
static char *find_sockets(const struct paths *paths)
{
	_cleanup_json_ json_t *daemon = NULL;
	struct holder holder;
	char *path;

	if (rendezvous_daemon(paths, &daemon, NULL) < 0)
		return NULL;
	holder_look(paths->lock_file, daemon, &holder);
	if (holder.state != HOLDER_ALIVE && holder.state != HOLDER_UNKNOWN)
		return NULL;
	path = xstrdup(json_get_text(daemon, "socket", "/"));
	*strrchr(path, '/') = '\0';
	return path;
}

static void print_all(const struct ctl *ctl)
{
	const struct paths *paths = &ctl->paths;
	_cleanup_free_ char *sockets = find_sockets(paths);
	_cleanup_free_ char *slurm = NULL;
	struct slurm_site site;

	slurm_site_decode(ctl->slurm, &site);
	slurm = slurm_site_text(&site);
	slurm_site_finish(&site);
	print_line("cluster", paths->name);
	print_line("slurm", slurm);
	print_line("state", paths->state_dir);
	print_line("sockets", sockets ? sockets : "none: no dracod runs");
	print_line("log", paths->log_file);
	print_line("settings", paths->config_file);
}

int cmd_where(struct ctl *ctl, int argc, char **argv)
{
	const struct paths *paths = &ctl->paths;
	struct err err = ERR_INIT;

	while (command_option(ctl, argc, argv) != -1)
		;
	command_no_more_arguments(ctl, argc, argv);
	if (where_find(ctl, &err) < 0) {
		output_error(ctl, "%s", err.text);
		return CTL_USAGE;
	}
	if (ctl->json) {
		_cleanup_free_ char *sockets = find_sockets(paths);
		_cleanup_json_ json_t *object = json_pack("{s:s, s:O, s:o, s:o, s:o, s:o}",
			"name", paths->name, "slurm", ctl->slurm, "state_directory",
			json_text(paths->state_dir), "runtime_directory", json_text(sockets),
			"log", json_text(paths->log_file), "settings",
			json_text(paths->config_file));

		output_json(object);
	} else {
		print_all(ctl);
	}
	return CTL_DONE;
}
