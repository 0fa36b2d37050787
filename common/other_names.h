/* other_names.h: the names that sbatch, Dask and dask-jobqueue have for settings. */
#ifndef DRACO_COMMON_OTHER_NAMES_H
#define DRACO_COMMON_OTHER_NAMES_H

struct other_name {
	const char *name;    /* with '_' */
	const char *setting; /* that does it here; NULL: there is none, and advice says why */
	const char *advice;  /* behind the setting's name; NULL: nothing more to say */
};

/* What draco has for this name of another program ('-' counts as '_'); NULL: not known. */
const struct other_name *other_name_find(const char *name);

/* The long name of a short option of sbatch, such as "partition" for 'p'; NULL: not known. */
const char *other_name_of_letter(char letter);

#endif
