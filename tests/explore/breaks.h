/* breaks.h: rules that can be taken away from dracod, to see that the exploration notices. */
#ifndef DRACO_TESTS_EXPLORE_BREAKS_H
#define DRACO_TESTS_EXPLORE_BREAKS_H

struct explore_break {
	const char *name, *what;
	const char *scene; /* where it shows */
	int depth;	   /* after so many events at most */
};

extern const struct explore_break breaks[];		  /* without a name: the last */
extern const struct explore_break *break_now;		  /* NULL: dracod is whole */
const struct explore_break *break_find(const char *name); /* NULL: there is none */

#endif
