/* clock.c: the clock of the fake world.
 *
 * This program defines its own time(2), clock_gettime(2), gettimeofday(2) and epoll_wait(2). They
 * replace those of the C library for all linked code: dracod's, libevent's and OpenSSL's. libevent
 * lets epoll_wait() wait until the next timer. If no descriptor is readable, the wait returns at
 * once, and the clock has moved by its length. */
#include "clock.h"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define BEGIN_S	      INT64_C(1768467600) /* 2026-01-15 09:00:00 UTC */
#define UPTIME_MS     INT64_C(86400000)	  /* the host's uptime when the world begins */
#define WITHOUT_TIMER 1000		  /* the clock moves by this if no timer is planned */

static int64_t now_ms, wall_ms;
static int64_t waits;
static bool asked, waited;

int64_t clock_ms(void)
{
	return now_ms;
}

int64_t clock_waits(void)
{
	return waits;
}

void clock_restart(void)
{
	now_ms = wall_ms = 0;
}

bool clock_is_used(void)
{
	return asked && waited;
}

void clock_set_wall(int64_t by_ms)
{
	wall_ms += by_ms;
}

time_t clock_elsewhere(void)
{
	return (time_t)(BEGIN_S + now_ms / 1000);
}

time_t time(time_t *ret)
{
	time_t now = (time_t)(BEGIN_S + (now_ms + wall_ms) / 1000);

	if (ret)
		*ret = now;
	return now;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int64_t ms;

	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		ms = BEGIN_S * 1000 + now_ms + wall_ms;
		break;
	case CLOCK_MONOTONIC_COARSE: /* libevent uses it */
		asked = true;
		/* fallthrough */
	case CLOCK_BOOTTIME: /* dracod uses it */
		ms = UPTIME_MS + now_ms;
		break;
	default: /* Check measures the duration of a test by another clock */
		return (int)syscall(SYS_clock_gettime, clock, ret);
	}
	ret->tv_sec = (time_t)(ms / 1000);
	ret->tv_nsec = (long)(ms % 1000 * 1000000);
	return 0;
}

int gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
	int64_t ms = BEGIN_S * 1000 + now_ms + wall_ms;

	(void)zone;
	ret->tv_sec = (time_t)(ms / 1000);
	ret->tv_usec = (suseconds_t)(ms % 1000 * 1000);
	return 0;
}

static int wait_for(int fd, struct epoll_event *events, int count, int64_t timeout_ms)
{
	int ready = epoll_pwait(fd, events, count, 0, NULL);

	waited = true;
	waits++;
	if (ready == 0)
		now_ms += timeout_ms < 0 ? WITHOUT_TIMER : timeout_ms;
	return ready;
}

int epoll_wait(int fd, struct epoll_event *events, int count, int timeout_ms)
{
	return wait_for(fd, events, count, timeout_ms);
}

/* libevent 2.2 and later wait by this function. */
int epoll_pwait2(int fd, struct epoll_event *events, int count, const struct timespec *timeout,
	const sigset_t *mask)
{
	(void)mask;
	return wait_for(fd, events, count,
		timeout ? (int64_t)timeout->tv_sec * 1000 +
				(timeout->tv_nsec + 999999) / 1000000
			: -1);
}
