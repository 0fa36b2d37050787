"""Programs in other directories, and of another Python, that join a cluster."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest
from harness import PATIENT, PYTHON, SOURCE, Draco, wait_for
from kernels import PACKAGE, environment

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
import logging
import distributed
from distributed import Client
async def fail(self, *args, **kwargs):
    logging.getLogger("distributed.client").error("words of Dask's own")
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


#: What a program has installed, and imported, that the cluster does not have.
OTHER_PACKAGES = """
import importlib.metadata, sys
real = importlib.metadata.version
mine = {"cloudpickle": "99.1.2", "zarr": "3.1.0", "polars": "1.0"}
importlib.metadata.version = lambda name: mine.get(name) or real(name)
sys.modules["zarr"] = sys
"""


def test_other_versions_of_packages(draco: Draco, directories: tuple[Path, Path]) -> None:
    draco.start(PATIENT)
    assert "told" not in run(draco, directories[0], JOIN)
    told = run(draco, directories[0], OTHER_PACKAGES + JOIN)
    assert told.startswith(f'told: the cluster "{draco.name}" has cloudpickle ')
    assert "(here 99.1.2), no zarr (here 3.1.0); this program runs " in told
    assert " makes a cluster for this Python." in told and "\n" not in told


def run_with_package(code: str) -> str:
    """What this code prints that needs the package, but no cluster."""
    return subprocess.run(
        [PYTHON, "-c", code],
        env={**os.environ, "PYTHONPATH": str(PACKAGE)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize(
    ("here", "there", "told"),
    [
        ("2.1.0", "2.1.9", []),
        ("2.1.0", "1.26.4", ["numpy 1.26.4 (here 2.1.0)"]),
        ("2.1.0+ds1", "2.1.0", []),
        ("2.1.0", None, []),  # not imported here
    ],
)
def test_versions_that_differ(here: str, there: str | None, told: list[str]) -> None:
    code = (
        "from draco._versions import differences\n"
        f"print(differences({{'numpy': {here!r}}}, {{'numpy': {there!r}}}))"
    )
    assert run_with_package(code).strip() == str(told)


def test_both_sides_know_the_same_packages() -> None:
    def names(path: Path) -> set[str]:
        table = re.search(r"^PACKAGES = [({](.*?)^[)}]", path.read_text(), re.M | re.S)
        assert table is not None
        return set(re.findall(r'^    "([^"]+)"', table[1], re.M))

    client = names(PACKAGE / "draco" / "_versions.py")
    assert client and client == names(SOURCE / "daemon" / "dask" / "draco_paths.py")


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


#: The end of what joined so far takes long, as on a busy machine.
SLOW_END = """
import asyncio, platform
from draco import Cluster
platform.python_version = lambda: "3.99.1"
close = Cluster._close_dask
async def close_late(self):
    await asyncio.sleep(0.5)
    await close(self)
Cluster._close_dask = close_late
"""


def test_another_python(draco: Draco, directories: tuple[Path, Path]) -> None:
    """It is refused in one line, the last one, and the cluster goes on."""
    draco.start(PATIENT)
    refused = run(draco, directories[0], SLOW_END + JOIN, check=False).splitlines()[-1]
    assert refused.startswith(
        f'draco.errors.OtherPython: the cluster "{draco.name}" runs Python 3.'
    )
    assert ", which cannot run functions of Python 3.99.1 (" in refused
    assert "makes a cluster for this Python." in refused
    refused = run(draco, directories[0], OTHER_VERSION + JOIN, check=False)
    assert "words of Dask" not in refused
    line = refused.splitlines()[-1]
    assert line.startswith(
        f'draco.errors.OtherPython: the cluster "{draco.name}" has distributed'
    )
    assert "does not understand distributed 2099.1.0 of this program" in line
    assert draco.cluster_state() == "running"


@pytest.mark.parametrize(
    ("prefix", "files", "name"),
    [
        ("envs/geo", ["conda-meta/history"], "geo"),
        ("project/.venv", [], "project"),
        ("envs/a b", ["conda-meta/history"], None),
        ("envs/other", ["conda-meta/history"], "other-2"),  # the name of the cluster
    ],
)
def test_the_name_of_an_environment(
    tmp_path: Path, prefix: str, files: list[str], name: str | None
) -> None:
    for file in files:
        path = tmp_path / prefix / file
        path.parent.mkdir(parents=True)
        path.touch()
    code = (
        f"import sys\nsys.prefix = {str(tmp_path / prefix)!r}\n"
        "from draco._versions import own_cluster\nprint(own_cluster('other'))\n"
        "print('python%d.%d' % sys.version_info[:2])"
    )
    line, version = run_with_package(code).splitlines()
    assert line == f'name="{name or version}" makes a cluster for this Python.'
