/* world.h: a dracod without the world around it, for the fuzz targets: its clock and timers,
 * what it asks of draco-slurm, its child processes and its connections are plain memory, which
 * the target looks at and acts on. world*.c have the functions that the linker puts in place of
 * the real ones (fuzz_world_wraps in Makefile.am); the names with __wrap_ are the linker's. */
#ifndef DRACO_TESTS_WORLD_H
#define DRACO_TESTS_WORLD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/slurm_msg.h"

struct cluster;
struct err;

#define WORLD_PID 4711 /* of each child process; unless world_lasts, of the first one */

/* The world outlives its dracod: state files are kept, each process and each cluster has a number
 * of its own, and the scheduler can be adopted. Set it before the first daemon is made. */
extern bool world_lasts;

/* dracod's log goes to standard error. Set it before the first daemon is made. */
extern bool world_logs;

/* dracod is killed, as SIGKILL does it: nothing of it is left but files and the scheduler. The
 * memory of the daemon is given up. */
void world_kill(void);

/* The cluster of the daemon that was made last. */
extern struct cluster *world_cluster;

/* What is in each state file; NULL: there is none. Borrowed. */
extern json_t *world_file;

/* Nothing is asked, no process runs, and it is a fixed time. Frees all that the last world had. */
void world_reset(void);

/* Let so much time pass; timers that are due fire in their order. Ends the process when they
 * keep firing and no time passes: such a dracod would use a whole core. */
void world_pass(int64_t ms);

/* draco-slurm answers the oldest request with this method; false: there is none. result is
 * borrowed. */
bool world_answer_slurm(const char *method, enum slurm_outcome outcome, const json_t *result,
	const struct err *err);

/* The oldest request to draco-slurm, with its parameters; NULL: none. Borrowed. */
const char *world_question(const json_t **ret_params);

/* Rises with each request to draco-slurm or to the preload, and with each process. */
extern unsigned world_deeds;

/* Until the next timer is due: in ms; -1: none runs. */
int64_t world_next_ms(void);

/* Call add() for each running timer: what it calls, and in how many ms. */
void world_timers(void (*add)(void *arg, uintptr_t fn, int64_t in_ms), void *arg);

/* The scheduler that runs: its process; 0: none. And the cluster it is of; borrowed. It ends. */
int world_scheduler(const char **ret_cluster_id);
void world_end_scheduler(int status);

/* The oldest child process ends. False: there is none. */
bool world_end_child(int status);

/* The command whose output is captured has ended. False: there is none. */
bool world_end_capture(int status, bool timed_out, const char *output);

/* The sockets of a daemon without a world. */
#define WORLD_CONTROL "/nonexistent/control.sock"
#define WORLD_DASK    "/nonexistent/dask.sock"

/* The files that a world that lasts keeps. */
#define WORLD_CLUSTER_FILE "/nonexistent/cluster.json"
#define WORLD_STATE_FILE   "/nonexistent/state.json"

/* Connections to such a socket: how many, one more (false: nobody listens there), and a line,
 * or the end, of the one with this number, from 0, the oldest (false: there are not so many). */
size_t world_peers(const char *path);
bool world_connect(const char *path);
void world_say(const char *path, size_t peer, const char *line, size_t length);
bool world_hang_up(const char *path, size_t peer, const char *why);

/* Take the oldest request that dracod has sent over them and has no answer to: its number; 0:
 * none. */
json_int_t world_take_request(void);

/* The oldest such request, which stays: its method and parameters; NULL: none. Borrowed. */
const char *world_request(const json_t **ret_params);

/* How often dracod has answered the preload with an error: it refuses its hello. */
extern unsigned world_refusals;

/* What is in the state files of a world that lasts, by path. Borrowed. */
json_t *world_files(void);

/* A daemon has left its loop, and ends. */
bool world_has_exited(void);

void world_reset_sockets(void); /* for world_reset() and world_kill() */
void world_reset_slurm(void);	/* the same */

#endif
