/* command_python.h: finds the Python that a command runs with. */
#ifndef DRACO_CLIENT_COMMAND_PYTHON_H
#define DRACO_CLIENT_COMMAND_PYTHON_H

#include <stdbool.h>

/* The directory of the Python that runs the command: a Python itself, or a script whose first line
 * names one. Both are searched for in path (a value of PATH, or NULL). NULL: it is neither,
 * or "python3" there is another Python. The caller frees. */
char *command_python_directory(const char *command, const char *path);

/* The name of a command for a person: for Python with a script the script, or the module behind -m;
 * else its first word. Borrowed from the command, which ends with NULL. */
const char *command_name(char *const *command);

/* Is this Python in this directory, as command_python_directory() gives it? */
bool command_python_is_in(const char *python, const char *directory);

/* Has python3 in this directory no distributed? Runs it. */
bool command_python_lacks_distributed(const char *directory);

/* "Python 3.11 with distributed 2024.12.1". Runs it. NULL: it has none. The caller frees. */
char *command_python_versions(const char *python);

#endif
