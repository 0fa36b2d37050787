"""The setting python as a command: what it runs in, and what it runs by."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from harness import PYTHON, SMALL, Draco, wait_for
from steps import job_log
from test_doctor import doctor, failed

#: A variable of the scheduler and of all workers.
ASK = """
import json, os
from distributed import Client

def ask():
    return os.environ.get("WRAPPED")

with Client() as client:
    print(json.dumps([client.run_on_scheduler(ask), *client.run(ask).values()]))
"""


def program(draco: Draco, name: str, text: str) -> Path:
    """A shell script that stands for Python."""
    path = draco.root / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def wrapped(draco: Draco) -> set[str | None]:
    draco.wait_for_workers(2)
    return set(json.loads(draco.python(ASK)))


def test_words(draco: Draco) -> None:
    """As ``apptainer exec IMAGE python`` is: a name in PATH, and its arguments."""
    result = draco.start("--python", f"env 'WRAPPED=it is' {PYTHON}")
    assert "is ready" in result.stdout
    assert wrapped(draco) == {"it is"}
    status = json.loads(draco.run("status", "--json").stdout)
    assert status["scheduler"]["python"] == f"env 'WRAPPED=it is' {PYTHON}"
    draco.run("stop")
    assert [job["state"] for job in draco.all_jobs()] == ["COMPLETED"]


def test_words_in_a_file(draco: Draco) -> None:
    file = draco.home / ".config/draco/draco.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(f"python: [env, WRAPPED=yes, {PYTHON}]\n")
    script = draco.run("script", *SMALL).stdout
    assert f"draco_python=('env' 'WRAPPED=yes' '{PYTHON}')" in script
    found = doctor(draco, "--nodes")
    assert failed(found) == set()
    assert f"env WRAPPED=yes {PYTHON}: " in found["python"]["text"]
    assert f"env WRAPPED=yes {PYTHON} " not in found["node python"]["text"]


def test_wrapper_that_stays(draco: Draco) -> None:
    """As ``conda run`` and ``pixi run`` do: Python is its child, by another pid."""
    python = program(draco, "python", f'export WRAPPED=yes\n{PYTHON} "$@"\nexit $?')
    assert "is ready" in draco.start(f"--python={python}").stdout
    assert wrapped(draco) == {"yes"}
    status = json.loads(draco.run("status", "--json").stdout)
    assert status["scheduler"]["python"] == str(python)
    draco.run("stop")
    wait_for(lambda: not draco.jobs(), "no job is left")
    wait_for(lambda: "dask_scheduler" not in str(draco.processes()), "the scheduler is gone")


@pytest.mark.skipif(os.geteuid() != 0, reason="root only: a mount namespace")
def test_wrapper_that_enters_a_container(draco: Draco) -> None:
    """Inside, Python has a path that is not there outside."""
    image = draco.root / "image"
    image.mkdir()
    python = program(
        draco,
        "python3",
        "export WRAPPED=yes\n"
        f"exec unshare -m sh -c 'mount --bind /usr {image} && exec {image}/bin/python3 "
        '"$@"\' sh "$@"',
    )
    assert "is ready" in draco.start(f"--python={python}").stdout
    assert wrapped(draco) == {"yes"}


def test_that_cannot_be_executed_any_more(draco: Draco) -> None:
    """The start ends at once, and no job was submitted."""
    python = program(draco, "python", f'rm -- "$0"\nexec {PYTHON} "$@"')
    result = draco.start(f"--python={python}", check=False)
    assert result.returncode == 1
    assert re.search(
        rf"the Dask scheduler: cannot execute {python}: No such file", result.stderr
    )
    assert "times in a row" not in result.stderr
    assert not draco.all_jobs()


def test_that_the_node_does_not_have(draco: Draco) -> None:
    python = program(draco, "wrapper", f'exec {PYTHON} "$@"')
    result = draco.start(
        "--python=wrapper -s",
        f"--prologue=PATH=/usr/bin:/bin; rm {python}",
        check=False,
        PATH=f"{draco.root}:{os.environ['PATH']}",
    )
    job = draco.all_jobs()[-1]["id"]
    assert result.returncode == 1
    assert f"job {job} failed on n1: the node has no such Python" in result.stderr
    assert "there is no wrapper on this node" in job_log(draco, job)


@pytest.mark.parametrize("folder", ["env", "my envs"])
def test_first_in_path(draco: Draco, folder: str) -> None:
    """Without the setting: the Python of the environment in use, also with a blank in its path."""
    directory = draco.root / folder / "bin"
    directory.mkdir(parents=True)
    python = directory / "python3"
    python.symlink_to(PYTHON)
    draco.start(PATH=f"{directory}:{os.environ['PATH']}")
    draco.wait_for_workers(2)
    named = draco.status()["scheduler"]["python"]
    assert named == (str(python) if folder == "env" else f"'{python}'")
