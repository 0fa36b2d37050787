"""Workers forked from a copy of the process that has imported Dask: they find what others find."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from harness import PYTHON, SOURCE, Draco, is_alive, wait_for
from standins import starters

#: What a worker finds. Of the variables that Dask sets for it, two act as a process starts
#: only: that of the C library, which shows in blocks from 128 KiB on being mapped whatever was
#: freed before, and the seed of hash(), which must be the same in all workers.
FIND = """
import json
from distributed import Client

def find(dask_worker):
    import ctypes, gc, os, subprocess, sys

    class Info(ctypes.Structure):
        _fields_ = [(name, ctypes.c_size_t) for name in "abcdefghij"]

    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    libc.mallinfo2.restype = Info
    libc.free(libc.malloc(20 << 20))
    before = libc.mallinfo2().d
    block = libc.malloc(10 << 20)
    mapped = libc.mallinfo2().d - before
    libc.free(block)
    own = open("/proc/self/cmdline").read()  # a copy of a process has that of the other
    ways = {"multiprocessing.spawn": "spawn", "multiprocessing.forkserver": "forkserver"}
    new = subprocess.run([sys.executable, "-c", "print(hash('draco'))"], capture_output=True)
    return {
        "way": next((way for mark, way in ways.items() if mark in own), "copy"),
        "mapped": mapped,
        "hash": hash("draco"),
        "hash of a new process": int(new.stdout),
        "variables": {
            name: value
            for name, value in os.environ.items()
            if name.endswith("_NUM_THREADS") or name.startswith(("MALLOC", "DRACO_", "OF_"))
        },
        "main": sorted(vars(sys.modules["__main__"])),
        "descriptors": len(os.listdir("/proc/self/fd")),
        "garbage": [gc.isenabled(), *gc.get_threshold()],
    }

with Client() as client:
    print(json.dumps(list(client.run(find).values())))
"""

DEFAULTS = {
    "MALLOC_TRIM_THRESHOLD_": "65536",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


def find(draco: Draco, way: str) -> dict[str, Any]:
    """What the workers find, which must have started this way."""
    found = json.loads(draco.python(FIND))
    assert [worker["way"] for worker in found] == [way] * 2
    assert draco.status()["cluster"]["notices"] == []
    first, second = found
    assert first["variables"] == second["variables"]
    return first


def test_same_as_spawned(draco: Draco) -> None:
    variable = "DRACO_LOCAL_DIRECTORY"
    draco.start("--minimum=2")
    copy = find(draco, "copy")
    draco.run("stop")
    draco.start("--minimum=2", "--worker-start=spawn")
    spawned = find(draco, "spawn")
    assert copy["variables"].pop(variable) != spawned["variables"].pop(variable)
    assert copy["variables"] == spawned["variables"] == {"DRACO_NAME": draco.name, **DEFAULTS}
    assert copy["mapped"] == spawned["mapped"] == 1
    assert abs(copy["descriptors"] - spawned["descriptors"]) <= 4  # those of a forkserver
    assert not {"fork", "foreseen", "thresholds", "command"} & set(copy["main"])
    assert copy["garbage"] == spawned["garbage"]


def test_modules_are_imported_before_the_fork(draco: Draco) -> None:
    """Those that the setting names, and those of Dask's that are installed."""
    (draco.home / "early.py").write_text("import os\nPID = os.getpid()\n")
    (draco.home / "broken.py").write_text("raise LookupError('no such luck')\n")
    draco.start("--minimum=2", "--preimport=early,broken", PYTHONPATH=str(draco.home))
    code = """
import json
from distributed import Client

def find():
    import importlib, os, sys
    names = ["numpy", "pandas", "xarray", "dask.array", "dask.dataframe", "early"]
    late = {name for name in names if name not in sys.modules}
    for name in set(late):
        try:
            importlib.import_module(name)
        except ImportError:
            late.discard(name)  # it is not there
    return sorted(late), sys.modules["early"].PID, os.getpid()

print(json.dumps(list(Client().run(find).values())))
"""
    (late, parent, pid), (others, same, other) = json.loads(draco.python(code))
    assert late == others == []
    assert parent == same and parent not in (pid, other)
    (log,) = draco.home.glob(".draco_logs/*/job-*.log")
    told = [line for line in log.read_text().splitlines() if "preimport" in line]
    assert told == ["draco: preimport: cannot import broken: LookupError: no such luck"]


def test_seed_of_hash(draco: Draco) -> None:
    """All workers have the same, which is the one that Dask means them to have."""
    draco.start("--minimum=2")
    found = json.loads(draco.python(FIND))
    assert len({worker["hash"] for worker in found}) == 1
    assert {w["hash"] for w in found} == {w["hash of a new process"] for w in found}


def test_a_worker_that_is_killed_comes_back(draco: Draco) -> None:
    draco.start("--minimum=2")
    code = """
import os, signal
from distributed import Client
with Client() as client:
    before = client.run(os.getpid)
    os.kill(min(before.values()), signal.SIGKILL)
    while len(now := set(client.run(os.getpid, on_error="ignore").values())) < 2 or (
        min(before.values()) in now
    ):
        pass
"""
    draco.python(code)
    find(draco, "copy")


#: What the user says, how workers start then, and a variable that they have then.
SAID = {
    "a variable of a job": ("--environment=OMP_NUM_THREADS=3", "copy", "OMP_NUM_THREADS=3"),
    "a seed": ("--environment=PYTHONHASHSEED=5", "forkserver", "OMP_NUM_THREADS=1"),
    "Dask's configuration": (
        "pre-spawn-environ: {{OMP_NUM_THREADS: 5}}", "forkserver", "OMP_NUM_THREADS=5",
    ),
    "that of workers": ("environ: {{OMP_NUM_THREADS: 8}}", "forkserver", "OMP_NUM_THREADS=8"),
    "one more variable": ("pre-spawn-environ: {{OF_MINE: 6}}", "forkserver", "OF_MINE=6"),
    "code that runs before": (
        "--worker-options=--preload-nanny,{}/before.py", "forkserver", "OF_BEFORE=7",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", SAID)
def test_what_the_user_says_holds(draco: Draco, kind: str) -> None:
    said, way, variable = SAID[kind]
    folder: Path = draco.root / "dask"
    folder.mkdir()
    (folder / "before.py").write_text("import os\nos.environ['OF_BEFORE'] = '7'\n")
    option = said.format(folder)
    if not said.startswith("--"):
        (folder / "mine.yaml").write_text(f"distributed:\n  nanny:\n    {option}\n")
        option = f"--environment=DASK_CONFIG={folder}"
    draco.start("--minimum=2", option)
    name, value = variable.split("=")
    variables = find(draco, way)["variables"]
    assert variables[name] == value
    assert {n: v for n, v in DEFAULTS.items() if n != name}.items() <= variables.items()


def test_multiprocessing_in_a_worker(draco: Draco) -> None:
    """No lock is held in it that its forebears held, and it knows its resource tracker."""
    draco.start("--minimum=2")
    draco.python(
        "from distributed import Client\n"
        "def use():\n"
        "    from multiprocessing import forkserver, shared_memory\n"
        "    forkserver.ensure_running()\n"
        "    memory = shared_memory.SharedMemory(create=True, size=10)\n"
        "    memory.close()\n"
        "    memory.unlink()\n"
        "Client().run(use)"
    )
    find(draco, "copy")
    (log,) = draco.home.glob(".draco_logs/*/job-*.log")
    assert "Traceback" not in log.read_text()


@pytest.mark.any_dask
def test_the_copy_ends_with_its_original(draco: Draco) -> None:
    draco.start("--minimum=2")
    code = (
        "from distributed import Client\nimport os\nprint(*Client().run(os.getppid).values())"
    )
    (copy,) = {int(pid) for pid in draco.python(code).split()}
    original = int(Path(f"/proc/{copy}/stat").read_text().rsplit(")", 1)[1].split()[1])
    assert starters(draco, draco.jobs()[0]["id"]) == [original]
    os.kill(original, signal.SIGKILL)
    wait_for(lambda: not is_alive(copy), "it has ended")


#: In the place of Dask's command: a forkserver that is started as Pythons of all ages do.
STAND_IN = """
import os, sys
from multiprocessing import forkserver, util

CODE, *MORE = {arguments!r}

def ensure_running():
    command = [sys.executable, "-E", "-c", CODE, *MORE]
    pid = util.spawnv_passfds(sys.executable, command, [])
    print("status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)

def serve():
    print("serves", sys.argv[1:], flush=True)
    raise SystemExit

forkserver.main = serve
forkserver.ensure_running = ensure_running

def main():
    print("command", sys.argv[1:], "DRACO_PROGRAM" in os.environ)
"""
SERVE = "from multiprocessing.forkserver import main; main()"

#: The code and what follows it on the command line of a forkserver, and what comes of it.
FORMS = {
    "up to 3.14.9": ([SERVE], "serves []\nstatus 0\n"),
    "since 3.14.10": ([SERVE, "-c", "x y"], "serves ['-c', 'x y']\nstatus 0\n"),
    "one that fails": (["raise LookupError('gone')"], ""),
    "one that leaves": (["raise SystemExit"], ""),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_code_of_a_forkserver_is_found(tmp_path: Path, form: str) -> None:
    """And when it fails, the job's log tells, and Dask goes on without a copy."""
    arguments, printed = FORMS[form]
    (program,) = SOURCE.glob("daemon/**/jobscript.py")
    (tmp_path / "stand_in.py").write_text(STAND_IN.format(arguments=arguments))
    foreseen = {**DEFAULTS, "PYTHONHASHSEED": "6640"}
    result = subprocess.run(
        [PYTHON, "-c", "import os; exec(os.environ.pop('DRACO_PROGRAM'), {})", "stand_in", "a"],
        env={
            **os.environ, **foreseen, "DRACO_FORESEEN": " ".join(foreseen),
            "DRACO_PROGRAM": program.read_text(), "PYTHONPATH": str(tmp_path),
        },
        text=True, capture_output=True, timeout=120,
    )  # fmt: skip
    assert result.stdout == printed + "command ['a'] False\n", result.stderr
    told = "draco: Dask starts its forkserver itself: RuntimeError"
    assert (told in result.stderr) == (printed == ""), result.stderr
    assert ("LookupError: gone" in result.stderr) == (form == "one that fails")
