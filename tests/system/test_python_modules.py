"""Programs in other directories, and of another Python, that join a cluster."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from harness import PATIENT, PYTHON, Draco, wait_for
from kernels import environment

JOIN = """
import warnings
from draco import Cluster
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    cluster = Cluster()
for warning in told:
    if warning.category.__name__ == "DracoWarning":
        print("told:", warning.message)
client = cluster.get_client()
"""

USE = JOIN + "import mine\nprint(client.submit(mine.name, pure=False).result(timeout=60))\n"

#: As a client of a newer distributed does at a scheduler that it does not understand.
OTHER_VERSION = """
import distributed
from distributed import Client
async def fail(self, *args, **kwargs):
    raise TypeError("identity() got an unexpected keyword argument")
distributed.__version__ = "2099.1.0"
Client._ensure_connected = fail
"""


def run(draco: Draco, directory: Path, code: str, check: bool = True) -> str:
    """Run a program in this directory; returns what it printed, or else its error."""
    script = directory / "program.py"
    script.write_text(code)
    result = subprocess.run(
        [PYTHON, str(script)],
        cwd=directory,
        env=environment(draco),
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert not check or result.returncode == 0, result.stderr
    return result.stdout.strip() if check else result.stderr.strip()


@pytest.fixture
def directories(draco: Draco) -> tuple[Path, Path]:
    """Two of them, of which each has a module of its own."""
    made = draco.home / "first", draco.home / "second"
    for directory in made:
        directory.mkdir()
    (made[1] / "mine.py").write_text("def name():\n    return 'second'\n")
    return made


def worker_pids(draco: Draco) -> list[int]:
    return eval(
        draco.python(
            "from distributed import Client\nimport os\n"
            "with Client() as client: print(list(client.run(os.getpid).values()))"
        )
    )


def test_a_module_beside_each_program(draco: Draco, directories: tuple[Path, Path]) -> None:
    first, second = directories
    draco.start(PATIENT)
    assert run(draco, second, USE) == "second"
    # A worker that comes later has the directory before its first task.
    before = worker_pids(draco)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_for(
        lambda: len(pids := worker_pids(draco)) == 2 and not {*pids} & {*before},
        "new workers",
    )
    # What the workers found before comes first.
    last = JOIN + (
        "import json, sys\n"
        "for paths in client.run(lambda: sys.path).values(): print(json.dumps(paths[-3:]))\n"
    )
    run(draco, first, JOIN)
    package = environment(draco)["PYTHONPATH"]
    for line in run(draco, second, last).splitlines():
        assert json.loads(line) == [str(second), package, str(first)]
    assert run(draco, second, USE) == "second"


def test_two_modules_of_one_name(draco: Draco, directories: tuple[Path, Path]) -> None:
    first, second = directories
    (first / "mine.py").write_text("def name():\n    return 'first'\n")
    (first / "same.py").write_text("")
    (second / "same.py").write_text("")
    draco.start(PATIENT)
    assert run(draco, first, USE) == "first"
    told, result = run(draco, second, USE).splitlines()
    assert result == "first"
    assert f"import mine from {first}/mine.py, and not" in told
    assert "same" not in told
    assert run(draco, first, USE) == "first"


def test_a_new_scheduler_is_told(draco: Draco, directories: tuple[Path, Path]) -> None:
    draco.start(PATIENT)
    old = draco.status()["scheduler"]["pid"]
    end = (
        JOIN + f"import mine, os, signal, time\nos.kill({old}, signal.SIGKILL)\n"
        "while True:\n"
        "    try:\n"
        "        report = cluster.report()\n"
        f"        is_new = report['scheduler']['pid'] not in (None, {old})\n"
        "        known = cluster._watch._told_modules == cluster.scheduler_info['id']\n"
        "        if is_new and known and report['cluster']['workers']:\n"
        "            break\n"
        "    except Exception:\n        pass\n"
        "    time.sleep(0.2)\n"
        "from distributed import Client\n"
        "with Client(cluster) as client:\n"
        "    print(client.submit(mine.name, pure=False).result(timeout=60))\n"
    )
    assert run(draco, directories[1], end).splitlines()[-1] == "second"


OLDER = """
import asyncio
from draco import _modules
class Scheduler:
    async def call(self, paths): return None
setattr(Scheduler, "draco-paths", Scheduler.call)
print(asyncio.run(_modules.share(Scheduler(), "x")))
"""


def test_a_scheduler_of_an_older_draco(draco: Draco, directories: tuple[Path, Path]) -> None:
    assert run(draco, directories[0], OLDER) == "[]"


def test_another_python(draco: Draco, directories: tuple[Path, Path]) -> None:
    draco.start(PATIENT)
    other = "import platform\nplatform.python_version = lambda: '3.99.1'\n"
    told = run(draco, directories[0], other + JOIN)
    assert "runs Python 3." in told and "this program Python 3.99.1" in told
    assert 'name="OTHER" makes a cluster of its own.' in told
    refused = run(draco, directories[0], OTHER_VERSION + JOIN, check=False)
    line = refused.splitlines()[-1]
    assert line.startswith(
        f'draco.errors.DracoError: the cluster "{draco.name}" has distributed'
    )
    assert "does not understand distributed 2099.1.0 of this program" in line
    assert draco.cluster_state() == "running"
