"""Run Dask's command as ``python -m`` does, with a forkserver that need not import anything again.

The program of a job. Dask's forkserver, from which all workers of the job are forked, is a new
Python: it imports what this process has imported just before. Here it is a copy of this process
instead, made before there are threads or an event loop. The rest is multiprocessing's own, and
does what it always does when the copy dies: it starts a new one.

A new Python would also get the variables that Dask sets for workers. The job script has set
those of Dask's defaults, and names them in DRACO_FORESEEN. Where Dask is to set others, or runs
code of the user's before that may do so, it starts its forkserver itself. Without
DRACO_FORESEEN it does so, too.

DRACO_TLS_FIX names the program that keeps TLS connections, see its own text. It is run here, and in
each process that Dask starts from here.
"""

import gc
import importlib
import os
import runpy
import sys
import traceback
from multiprocessing import forkserver, resource_tracker, util
from threading import Lock

del sys.argv[0]  # of "python -c"
may_copy = "DRACO_FORESEEN" in os.environ
foreseen = {name: os.environ[name] for name in os.environ.pop("DRACO_FORESEEN", "").split()}
tls_fix = os.environ.pop("DRACO_TLS_FIX", None)
command = importlib.import_module(sys.argv[0])  # the first of all imports that take time

import dask  # noqa: E402
from distributed.utils import get_mp_context  # noqa: E402


def is_as_foreseen() -> bool:
    """Whether Dask would start workers in the environment that this process has."""
    seed = {"PYTHONHASHSEED": "6640"}  # newer versions set it where nothing else is configured
    variables = dask.config.get("distributed.nanny.pre-spawn-environ").items()
    wanted = {**seed, **{name: str(value) for name, value in variables}}
    return (
        foreseen.items() <= wanted.items()
        and wanted.keys() <= os.environ.keys()
        and seed.keys() <= foreseen.keys()
        and foreseen.keys().isdisjoint(dask.config.get("distributed.nanny.environ", {}))
        and not dask.config.get("distributed.nanny.preload")
    )


def forget() -> None:
    """Leave all variables to Dask."""
    for name in foreseen:
        os.environ.pop(name, None)


def become(arguments: list, descriptors: set, ready: int) -> None:
    """Go on, in a new process with these descriptors, as a Python with these arguments would."""

    def main(*args: object, **kwargs: object) -> None:
        os.write(ready, b"r")
        os.close(ready)
        forkserver.main = own_main
        own_main(*args, **kwargs)

    own_main, forkserver.main = forkserver.main, main
    util.spawnv_passfds = spawnv_passfds
    forkserver._forkserver._lock = Lock()  # held by the process that is starting this one
    resource_tracker._resource_tracker.__init__()
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in descriptors:
            try:
                os.close(int(name))
            except OSError:
                pass  # that of the list
    gc.freeze()
    # Behind the code there are arguments for it from Python 3.14.10 on.
    at = arguments.index("-c")
    sys.argv[:] = ["-c", *arguments[at + 2 :]]
    exec(arguments[at + 1], {})


def fork(path: str, arguments: list, descriptors: list) -> int:
    """Take the place of ``spawnv_passfds``: run what ``arguments`` say in a copy of this process.

    Raises
    ------
    RuntimeError
        When the copy has ended before it served; it has told why.
    """
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()  # else each worker writes it again
    ready, tell = os.pipe()
    pid = os.fork()
    if pid != 0:
        os.close(tell)
        with open(ready, "rb") as pipe:
            if pipe.read(1):
                return pid
        os.waitpid(pid, 0)
        raise RuntimeError("the copy of this process that should be it has failed")
    status = 1
    try:
        become(arguments, {*descriptors, tell}, tell)
    except SystemExit:
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


if tls_fix and runpy.run_path(tls_fix)["NEEDED"]:
    # multiprocessing has each new process run the file of the main module
    sys.modules["__main__"].__file__ = tls_fix
spawnv_passfds = util.spawnv_passfds
try:
    if may_copy and is_as_foreseen():
        get_mp_context()  # imports what Dask has its forkserver import
        for route in dask.config.get("distributed.worker.http.routes"):
            importlib.import_module(route)  # as each worker does
        resource_tracker.ensure_running()
        util.spawnv_passfds = fork
        forkserver.ensure_running()
    else:
        forget()
except Exception as error:
    forget()
    print(f"draco: Dask starts its forkserver itself: {error!r}", file=sys.stderr)
finally:
    util.spawnv_passfds = spawnv_passfds
command.main()
