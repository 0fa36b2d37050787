"""Workers by Dask's forkserver, and the fall-back to spawn when that does not work."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from harness import Draco, Starting, wait_for

#: How each worker process came about: forked from a "copy" of the process of Dask that starts
#: workers, from a new "forkserver", or a "spawn".
METHOD = """
import json
from distributed import Client

def method(dask_worker):
    own = open("/proc/self/cmdline").read()  # a copy of a process has that of the other
    ways = {"multiprocessing.spawn": "spawn", "multiprocessing.forkserver": "forkserver"}
    return next((way for mark, way in ways.items() if mark in own), "copy")

with Client() as client:
    print(json.dumps(list(client.run(method).values())))
"""

#: Libraries that do not bear forkserver, as sitecustomize.py of the jobs' Python. Each is real
#: trouble of the kind that a library's import can make: in the process that workers are forked
#: from, be it a copy or a new one, or in the workers after the fork.
TROUBLE = {
    # In the process that starts the workers, as it happens now and then when children die.
    "all ends": (
        "    pass\n"
        "if 'distributed.cli.dask_worker' in sys.orig_argv and os.environ.get(\n"
        "    'DASK_DISTRIBUTED__WORKER__MULTIPROCESSING_METHOD') == 'forkserver':\n"
        "    os._exit(0)"
    ),
    "dies": "    os._exit(9)",
    "dies when told": (
        "    while not os.path.exists(os.path.join(os.path.dirname(__file__), 'now')):\n"
        "        time.sleep(0.1)\n"
        "    os._exit(9)"
    ),
    "raises": "    raise SystemExit('no forkserver, please')",
    "hangs": "    hang()",
    "children die": "    in_workers(lambda: os._exit(9))",
    "children hang": "    in_workers(hang)",
    "workers die": "    in_workers(die_soon)",
}
#: What a job does then; it depends on distributed's version whether it ends or stays without
#: workers.
NONE_CAME = (
    r"(failed before any of its workers connected|runs, but none of its workers has connected)"
)
ALL_DIE = r"loses its workers as soon as they have connected"


def make_trouble(draco: Draco, kind: str) -> str:
    folder = draco.root / "trouble"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(
        "import os, sys, threading, time\n"
        "def hang():\n"  # as long as there is somebody whom it matters
        "    parent = os.getppid()\n"
        "    while os.getppid() == parent:\n"
        "        time.sleep(0.1)\n"
        "def die_soon():\n"  # after they have connected
        "    def look():\n"
        "        while not any(\n"
        "            worker.status.name == 'running'\n"
        "            for worker in getattr(\n"
        "                sys.modules.get('distributed.worker'), '_global_workers', ())\n"
        "        ):\n"
        "            time.sleep(0.1)\n"
        "        time.sleep(1)\n"
        "        os._exit(9)\n"
        "    threading.Thread(target=look, daemon=True).start()\n"
        "def in_workers(what):\n"
        "    os.register_at_fork(after_in_child=what)\n"
        "def trouble():\n"
        f"{TROUBLE[kind]}\n"
        "once = []\n"
        "def in_copy():\n"
        "    if not once:\n"
        "        once.append(True)\n"
        "        try:\n"
        "            trouble()\n"
        "        except SystemExit:\n"
        "            os._exit(1)\n"
        "if any('multiprocessing.forkserver' in word for word in sys.orig_argv):\n"
        "    trouble()\n"
        "elif 'distributed.cli.dask_worker' in sys.orig_argv:\n"
        "    os.register_at_fork(after_in_child=in_copy)\n"
    )
    return f"--environment=PYTHONPATH={folder}"


def methods(draco: Draco) -> list[str]:
    draco.wait_for_workers(2)
    return json.loads(draco.python(METHOD))


def test_forkserver_is_the_default(draco: Draco) -> None:
    draco.start()
    assert methods(draco) == ["copy"] * 2
    assert draco.status()["cluster"]["notices"] == []


def test_a_class_of_ones_own(draco: Draco) -> None:
    (draco.home / "mine.py").write_text(
        "from distributed import Worker\nclass Mine(Worker):\n    mine = True\n"
    )
    draco.start(
        "--worker-options=--worker-class=mine.Mine", "--minimum=2", PYTHONPATH=str(draco.home)
    )
    classes = draco.python(
        "from distributed import Client\n"
        "with Client(timeout=20) as client:\n"
        "    client.wait_for_workers(2, timeout=60)\n"
        "    print(*client.run(lambda dask_worker: dask_worker.mine).values())"
    )
    assert classes.split() == ["True", "True"]


def test_spawn_when_asked_for(draco: Draco) -> None:
    draco.start("--worker-start=spawn")
    assert methods(draco) == ["spawn"] * 2


def test_restarts_that_a_client_asks_for(draco: Draco) -> None:
    """They are no deaths, however many there are while the job is young."""
    draco.start()
    (job,) = draco.jobs()
    draco.python(
        "from distributed import Client\n"
        "with Client() as client:\n"
        "    for _ in range(4):\n"
        "        client.restart()\n"
        "        client.wait_for_workers(2, timeout=60)\n"
    )
    wait_for(lambda: draco.status()["cluster"]["workers"] == 2, "all are back")
    assert [j["id"] for j in draco.jobs()] == [job["id"]]
    assert draco.status()["cluster"]["notices"] == []


@pytest.mark.parametrize("kind", [kind for kind in TROUBLE if kind != "dies when told"])
def test_fall_back(draco: Draco, kind: str) -> None:
    result = draco.start(make_trouble(draco, kind), "--worker-timeout=30", "--minimum=2")
    wait_for(lambda: draco.status()["cluster"]["notices"], "the user is told")
    draco.wait_for_workers(2)
    wait_for(lambda: len(draco.jobs()) == 1, "the job is replaced")
    wait_for(lambda: draco.status()["cluster"]["workers"] == 2, "its workers are there")
    first, second = sorted((job["id"] for job in draco.all_jobs()), key=int)
    happened = ALL_DIE if kind == "workers die" else NONE_CAME
    notice = rf"job {first} {happened}: from now on workers are started by spawn"
    assert len(re.findall(notice, draco.log.read_text())) == 1
    assert re.search(f"  note: {notice}", draco.run("status").stdout)
    if kind != "workers die":  # which is found out later
        assert re.search(f"  note: {notice}", result.stdout)
        assert "is ready: 1 job, 2 workers" in result.stdout
    assert draco.jobs()[0]["id"] == second
    wait_for(lambda: methods(draco) == ["spawn"] * 2, "both are spawned")
    # What comes later is spawned at once, and the user is not told again.
    draco.sandbox.command("scancel", second)
    wait_for(lambda: [j["id"] for j in draco.jobs()] not in ([], [second]), "it is replaced")
    draco.wait_for_workers(2)
    assert methods(draco) == ["spawn"] * 2
    assert draco.log.read_text().count("workers are started by spawn instead of") == 1


def test_jobs_that_wait_already_are_spawned_too(draco: Draco) -> None:
    """Four jobs run and three wait when the first fails: only those that ran are lost."""
    options = [
        "--processes=1",
        "--cores=8",
        "--minimum=7",
        "--maximum=9",
        "--worker-timeout=30",
    ]
    with Starting(draco, *options, make_trouble(draco, "dies when told")):
        wait_for(lambda: len(draco.sandbox.active_jobs()) == 7, "jobs are in the queue")
        wait_for(lambda: len(draco.sandbox.jobs("RUNNING")) == 4, "four run")
        array = draco.jobs()[0]["id"].partition("_")[0]
        # Slurm would start them as soon as the others end, sooner than dracod can know why.
        waiting = f"{array}_[4-6]"
        draco.sandbox.command("scontrol", "hold", waiting)
        (draco.root / "trouble" / "now").touch()
        wait_for(lambda: draco.status()["cluster"]["notices"], "the user is told")
        wait_for(lambda: draco.status()["cluster"]["workers"] == 4, "others run instead")
        draco.sandbox.command("scontrol", "release", waiting)
        # One makes room for one of those that waited: more would be taken for somebody's wish.
        draco.sandbox.command("scancel", draco.sandbox.jobs("RUNNING")[0]["id"])
        wait_for(
            lambda: re.search(rf"job {array}_[456]: starting -> ready", draco.log.read_text()),
            "one that waited runs, too",
        )
        assert not re.search(rf"job {array}_[456]: .*failed", draco.log.read_text())
        draco.run("stop")


def test_a_failure_of_another_kind(draco: Draco) -> None:
    """Workers that cannot start either way: one try with spawn, then the error."""
    result = draco.start("--worker-options=--preload,no_such_module", check=False)
    assert result.returncode == 1
    first, second = sorted((job["id"] for job in draco.all_jobs()), key=int)
    assert f"job {second} failed with exit status 1 on n1" in result.stderr
    assert "before any of its workers connected" in result.stderr
    assert "no_such_module" in result.stderr
    assert f"  note: job {first} failed before any of its workers connected" in result.stderr


def test_a_failure_that_spawn_would_not_help(draco: Draco) -> None:
    """Dask does not take the command line: the error at once."""
    result = draco.start("--worker-options=--no-such-option", check=False)
    assert result.returncode == 1
    (job,) = (job["id"] for job in draco.all_jobs())
    assert f"job {job} failed with exit status 2 on n1" in result.stderr
    assert "before any of its workers connected" in result.stderr
    assert "No such option" in result.stderr
    assert "note: " not in result.stderr


def test_a_restart_by_a_client_is_no_trouble(draco: Draco) -> None:
    draco.start()
    draco.python(
        "from distributed import Client\n"
        "with Client() as client:\n"
        "    client.restart()\n"
        "    client.restart()"
    )
    draco.wait_for_workers(2)
    assert draco.status()["cluster"]["notices"] == []
    assert len(draco.all_jobs()) == 1


def test_tasks_that_kill_workers_are_no_trouble(draco: Draco) -> None:
    """Jobs whose workers die by what they compute are left to compute."""
    draco.start("--maximum=2")  # one job
    code = (
        "import os\n"
        "from distributed import Client\n"
        "from distributed.scheduler import KilledWorker\n"
        "with Client() as client:\n"
        "    for future in client.map(lambda x: os._exit(1), range(4), pure=False):\n"
        "        try:\n"
        "            future.result()\n"
        "        except KilledWorker:\n"
        "            pass\n"
    )
    draco.python(code)
    draco.wait_for_workers(2)
    assert draco.status()["cluster"]["notices"] == []
    assert len(draco.all_jobs()) == 1


def test_long_path_of_tmpdir(draco: Draco) -> None:
    """A forkserver needs a socket in TMPDIR, whose path may be too long for one."""
    long = draco.root / ("x" * 100)
    long.mkdir()
    result = draco.start(f"--environment=TMPDIR={long}", "--minimum=2")
    assert "is ready: 1 job, 2 workers" in result.stdout
    used = methods(draco)
    notices = draco.status()["cluster"]["notices"]
    # Newer versions of Python take another directory for it.
    assert (used == ["copy"] * 2) != bool(notices)
    assert Path(long).exists()
