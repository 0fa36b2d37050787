/* doctor_login.c: a check of dracoctl doctor: does dracod outlive the login session? */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/ctl.h"
#include "client/doctor.h"
#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/err.h"
#include "common/holder.h"
#include "common/json.h"
#include "common/rendezvous.h"
#include "common/sock.h"

#define LOGIND_ASK_S "3"
#define LOGIND_SET_S "5"
#define LOGIND \
	"org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"

/* Is the user in the property, a list of names as busctl prints it? */
static bool has_user(const char *list, const char *user)
{
	_cleanup_free_ char *quoted = xasprintf(" \"%s\"", user);

	return list && strstr(list, quoted);
}

/* Does logind kill this user's processes at logout? Not known counts as no, logind's default. */
static bool logout_kills(const char *user)
{
	const char *const argv[] = {"busctl", "--system", "--timeout=" LOGIND_ASK_S,
		"get-property", LOGIND, "KillUserProcesses", "KillOnlyUsers",
		"KillExcludeUsers", NULL};
	_cleanup_free_ char *text = NULL;
	char *rest, *kill, *only, *exclude;

	if (doctor_capture(UNCONST(argv), &text) != 0)
		return false;
	kill = strtok_r(text, "\n", &rest);
	only = strtok_r(NULL, "\n", &rest);
	exclude = strtok_r(NULL, "\n", &rest);
	if (!kill || strcmp(kill, "b true") != 0 || has_user(exclude, user))
		return false;
	return !only || strcmp(only, "as 0") == 0 || has_user(only, user);
}

/* Ask logind for lingering, as loginctl enable-linger does. Returns NULL, or what it says against
 * it, which the caller frees. */
static char *enable_lingering(void)
{
	/* By number: "the calling user" would be that of the session, of which cron jobs have none.
	 * The booleans: yes, and ask nobody for a password. */
	_cleanup_free_ char *user = xasprintf("%u", (unsigned)getuid());
	const char *const argv[] = {"busctl", "--system", "--timeout=" LOGIND_SET_S,
		"--allow-interactive-authorization=no", "call", LOGIND, "SetUserLinger", "ubb",
		user, "true", "false", NULL};
	_cleanup_free_ char *text = NULL;
	int status = doctor_capture(UNCONST(argv), &text);

	if (status == 0)
		return NULL;
	if (status < 0)
		return xasprintf("busctl: %s", strerror(-status));
	text[strcspn(text, "\n")] = '\0';
	if (*text)
		return TAKE_PTR(text);
	return xstrdup(WEXITSTATUS(status) == 127 ? "busctl is not there" : "busctl failed");
}

static bool has_user_manager(void)
{
	_cleanup_free_ char *path =
		xasprintf("/run/user/%u/systemd/private", (unsigned)getuid());
	_cleanup_close_ int fd = sock_connect(path, NULL);

	return fd >= 0;
}

/* Is dracod a service of the user manager, which ends with the last session? */
static bool dracod_is_service(const struct doctor *doctor)
{
	const struct paths *paths = &doctor->ctl->paths;
	_cleanup_json_ json_t *daemon = NULL;
	_cleanup_free_ char *path = NULL, *unit = NULL;
	_cleanup_fclose_ FILE *file = NULL;
	struct holder holder;
	char line[4096];

	if (!paths->name || rendezvous_daemon(paths, &daemon, NULL) < 0)
		return false;
	holder_look(paths->lock_file, daemon, &holder);
	if (holder.state != HOLDER_ALIVE || !holder.here)
		return false;
	path = xasprintf("/proc/%d/cgroup", (int)json_get_integer(daemon, "pid", 0));
	unit = xasprintf("/user@%u.service/", (unsigned)getuid());
	file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file))
		if (strstr(line, unit))
			return true;
	return false;
}

/* Lingering is off, and the cluster would end with the session: why is a part of a sentence. */
static void report_danger(const struct doctor *doctor, struct report *report, const char *why)
{
	_cleanup_free_ char *problem = NULL;

	if (!doctor->fix) {
		report_finding(report, FINDING_WARNING, "lingering",
			"dracoctl doctor --fix turns it on (or ask the administrators for it)",
			"off, and %s when you log out: the cluster ends with your session",
			why);
		return;
	}
	report_progress(report, "asking logind for lingering");
	problem = enable_lingering();
	if (problem)
		report_finding(report, FINDING_WARNING, "lingering",
			"ask the administrators for loginctl enable-linger",
			"off, and %s when you log out; it cannot be turned on: %s", why,
			problem);
	else
		report_finding(report, FINDING_OK, "lingering", NULL,
			"turned on: dracod keeps running when you log out (loginctl "
			"disable-linger turns it off)");
}

void check_lingering(const struct doctor *doctor, struct report *report)
{
	const struct passwd *user = getpwuid(getuid());
	const char *name = user ? user->pw_name : "";
	_cleanup_free_ char *flag = xasprintf("/var/lib/systemd/linger/%s", name);
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	bool manager = has_user_manager();

	if (access("/run/systemd/system", F_OK) < 0)
		report_finding(report, FINDING_OK, "lingering", NULL,
			"no systemd on this host: nothing ends dracod when you log out");
	else if (user && access(flag, F_OK) == 0)
		report_finding(report, FINDING_OK, "lingering", NULL,
			"on: dracod keeps running when you log out%s",
			manager ? "" : " (there is no user manager at this moment, though)");
	else if (logout_kills(name))
		report_danger(doctor, report, "this host ends all your processes");
	else if (dracod_is_service(doctor))
		report_danger(
			doctor, report, "systemd ends your services, of which dracod is one,");
	else if (runtime && strncmp(runtime, "/run/user/", strlen("/run/user/")) == 0)
		report_finding(report, FINDING_OK, "lingering", NULL,
			"off, but this host ends no processes when you log out; dracod makes its "
			"sockets elsewhere when %s is removed",
			runtime);
	else
		report_finding(report, FINDING_OK, "lingering", NULL,
			"off, but this host ends no processes when you log out%s",
			manager ? "" : "; there is no systemd user manager");
}
