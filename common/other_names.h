/* other_names.h: the names that sbatch, Dask and dask-jobqueue have for settings. */
#ifndef DRACO_COMMON_OTHER_NAMES_H
#define DRACO_COMMON_OTHER_NAMES_H

struct other_name {
	const char *name;    /* written with '_' */
	const char *setting; /* the setting for it; NULL: none, and advice says why */
	const char *advice;  /* text for after the setting's name; NULL: none */
};

/* The entry for this name ('-' counts as '_'); NULL: not known. */
const struct other_name *other_name_find(const char *name);

/* The long name for a letter of sbatch's options, such as "partition" for 'p'; NULL: not known. */
const char *other_name_of_letter(char letter);

#endif
