"""Run Dask's command as ``python -m`` does, with a forkserver that imports nothing again.

This is the program of a job. Dask forks all workers of the job from a forkserver, which is a new
Python and imports again what this process has just imported. Here the forkserver is a copy of this
process instead, made before it has threads or an event loop. All else is multiprocessing's own
code. If the copy dies, multiprocessing starts a new forkserver as usual.

Dask sets variables for a new Python. The job script has set those of Dask's defaults and names them
in DRACO_FORESEEN. Dask starts its forkserver itself if its configuration sets other variables, if
code of the user may set some, or without DRACO_FORESEEN.

Before the fork, modules are imported that tasks are likely to need, and those that DRACO_PREIMPORT
names. So all workers share them in memory, and no two threads of a worker import one at the same
time, with which some modules fail.

DRACO_TLS_FIX names the program that keeps TLS connections alive (_tls_fix.py). It runs in this
process, and in each process that Dask starts from it.

Where variables name the GPUs of the job, each worker sees its share of them.
"""

import gc
import importlib
import itertools
import os
import runpy
import sys
import traceback
from multiprocessing import forkserver, resource_tracker, util
from threading import Lock

# What imports make is no garbage: looking for some takes a seventh of their time. A module may set
# thresholds of its own.
thresholds = gc.get_threshold()
gc.set_threshold(0)
del sys.argv[0]  # of "python -c"
may_copy = "DRACO_FORESEEN" in os.environ
foreseen = {name: os.environ[name] for name in os.environ.pop("DRACO_FORESEEN", "").split()}
wanted_modules = os.environ.pop("DRACO_PREIMPORT", "").split()
usual_modules = ["numpy", "pandas", "xarray", "dask.array", "dask.dataframe"]
tls_fix = os.environ.pop("DRACO_TLS_FIX", None)
command = importlib.import_module(sys.argv[0])  # the first import that takes time

import dask  # noqa: E402
import distributed  # noqa: E402
from distributed.utils import get_mp_context  # noqa: E402


def is_as_foreseen() -> bool:
    """Whether Dask would start workers in the environment that this process has."""
    seed = {"PYTHONHASHSEED": "6640"}  # the default of newer versions
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
    """Unset the variables, so that Dask sets them."""
    for name in foreseen:
        os.environ.pop(name, None)


def import_early() -> None:
    """Import the modules, as far as they can be imported."""
    for name in [*usual_modules, *wanted_modules]:
        try:
            importlib.import_module(name)
        except (Exception, SystemExit) as error:
            if name in wanted_modules:
                why = f"{type(error).__name__}: {error}"
                print(f"draco: preimport: cannot import {name}: {why}", file=sys.stderr)


def collect_again() -> None:
    """Look for garbage from now on, unless a module has decided otherwise."""
    if gc.get_threshold()[0] == 0:
        gc.set_threshold(*thresholds)


def become(arguments: list, descriptors: set, ready: int) -> None:
    """Continue, in a new process, as a Python with these arguments and descriptors."""

    def main(*args: object, **kwargs: object) -> None:
        os.write(ready, b"r")
        os.close(ready)
        forkserver.main = own_main
        own_main(*args, **kwargs)

    own_main, forkserver.main = forkserver.main, main
    util.spawnv_passfds = spawnv_passfds
    forkserver._forkserver._lock = Lock()  # the copied lock is held by the parent
    resource_tracker._resource_tracker.__init__()
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in descriptors:
            try:
                os.close(int(name))
            except OSError:
                pass  # the descriptor of the listing itself
    gc.freeze()
    collect_again()
    # From Python 3.14.10 on, arguments follow the code.
    at = arguments.index("-c")
    sys.argv[:] = ["-c", *arguments[at + 2 :]]
    exec(arguments[at + 1], {})


def fork(path: str, arguments: list, descriptors: list) -> int:
    """Replace ``spawnv_passfds``: run ``arguments`` in a copy of this process.

    Raises
    ------
    RuntimeError
        When the copy has ended before it was ready. It has printed the reason.
    """
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()  # otherwise each worker would write the buffer again
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


def devices() -> dict:
    """Return the variables by which programs see the GPUs of the job, as lists of the GPUs."""
    names = ["CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ZE_AFFINITY_MASK"]
    lists = {name: os.environ[name].split(",") for name in names if os.environ.get(name)}
    # On AMD's GPUs the numbers of the first two count what ROCR_VISIBLE_DEVICES leaves.
    if not lists.keys() & {*names[:2]} and os.environ.get("ROCR_VISIBLE_DEVICES"):
        lists["ROCR_VISIBLE_DEVICES"] = os.environ["ROCR_VISIBLE_DEVICES"].split(",")
    return lists


def share_devices(lists: dict, workers: int) -> None:
    """Have each worker see its own devices; with fewer devices than workers, several see one."""

    def init(nanny: distributed.Nanny, *args: object, **kwargs: object) -> None:
        number = next(numbers) % workers
        env = {}
        for name, items in lists.items():
            first, end = (i * len(items) // workers for i in (number, number + 1))
            env[name] = ",".join(items[first : max(end, first + 1)])
        kwargs["env"] = {**env, **(kwargs.get("env") or {})}
        own_init(nanny, *args, **kwargs)

    numbers = itertools.count()
    own_init, distributed.Nanny.__init__ = distributed.Nanny.__init__, init


if tls_fix and runpy.run_path(tls_fix)["NEEDED"]:
    # multiprocessing runs the file of the main module in each new process
    sys.modules["__main__"].__file__ = tls_fix
spawnv_passfds = util.spawnv_passfds
try:
    if may_copy and is_as_foreseen():
        get_mp_context()  # imports the modules of Dask's forkserver
        for route in dask.config.get("distributed.worker.http.routes"):
            importlib.import_module(route)  # as each worker does
        import_early()
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
    collect_again()
if gpus := devices():
    share_devices(gpus, int(sys.argv[sys.argv.index("--nworkers") + 1]))
command.main()
