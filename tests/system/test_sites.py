"""Kinds of sites, tests/sites: a start, a computation, another job, and a stop on each."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomllib
from harness import Draco, Sandbox, wait_for

SITES = Path(__file__).resolve().parent.parent / "sites"

COMPUTE = """
from distributed import Client
with Client(timeout=60) as client:
    client.wait_for_workers(2, timeout=60)
    print(sum(client.gather(client.map(lambda x: x * x, range(10)))))
    for variables in client.run(lambda: dict(__import__("os").environ)).values():
        print(variables.get("CUDA_VISIBLE_DEVICES"))
"""


THREADS = """
import json
from distributed import Client
with Client(timeout=60) as client:
    print(json.dumps(sorted(client.nthreads().values())))
"""


def sites() -> list[str]:
    return sorted(path.stem for path in SITES.glob("*.toml"))


@pytest.fixture(scope="module")
def table(request: pytest.FixtureRequest) -> Iterator[list[tuple[str, float, str]]]:
    """Rows of the table that is printed in the end: site, seconds to ready, settings."""
    rows: list[tuple[str, float, str]] = []
    yield rows
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\n{'site':<16}{'ready after':>12}  settings there")
        for name, seconds, settings in sorted(rows):
            print(f"{name:<16}{seconds:>10.1f} s  {settings or 'none'}")


#: How the sandbox gives a slurmd a /run of its own.
OWN_RUN = ["unshare", "--mount", *(["--user", "--map-root-user"] if os.geteuid() else [])]
OWN_RUN += ["mount", "-t", "tmpfs", "tmpfs", "/run"]

#: What each site has unless its own settings say otherwise.
SMALL = ("processes: 2", "cores: 2", "memory: 1 GiB", "walltime: 00:50:00")


def configure(draco: Draco, settings: str) -> None:
    for line in SMALL:
        if not re.search(rf"^{line.split()[0]}", settings, re.MULTILINE):
            settings += f"\n{line}"
    path = draco.home / ".config/draco/draco.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(settings)


def one_line(text: str) -> str:
    return " ".join(text.split())


def check_refusals(draco: Draco, refused: list[dict[str, str]]) -> None:
    """What a user reads who sets something else is in the site's own words."""
    for row in refused:
        configure(draco, row["settings"])
        failed = draco.run("start", check=False)
        assert failed.returncode
        assert row["says"] in one_line(failed.stderr), failed.stderr


def check_job(draco: Draco, sandbox: Sandbox, patterns: list[str]) -> None:
    shown = sandbox.command("scontrol", "show", "job", draco.jobs()[0]["id"])
    for pattern in patterns:
        assert re.search(rf"\b{pattern}(\s|,|$)", shown), f"{pattern} is not in:\n{shown}"


@pytest.mark.parametrize("name", sites())
def test_site(name: str, table: list[tuple[str, float, str]]) -> None:
    site: dict[str, Any] = tomllib.loads((SITES / f"{name}.toml").read_text())
    settings, holds = site.get("user", {}).get("settings", ""), site.get("holds", {})
    if reason := missing(site):
        pytest.skip(reason)
    with Sandbox("--site", name) as sandbox:
        with Draco(sandbox) as draco:
            table.append((name, use(draco, sandbox, settings, holds), one_line(settings)))
        draco.check_nothing_left()


def use(draco: Draco, sandbox: Sandbox, settings: str, holds: dict[str, Any]) -> float:
    """Start, compute, scale and stop; returns the seconds until the cluster was ready."""
    check_refusals(draco, holds.get("refused", []))
    configure(draco, settings)
    begin = time.monotonic()
    started = draco.run("start", "--minimum=2")
    seconds = time.monotonic() - begin
    check_job(draco, sandbox, holds.get("job", []))
    for pattern in holds.get("progress", []):
        assert re.search(pattern, started.stderr), started.stderr
    total, *devices = draco.python(COMPUTE).split()
    assert total == "285"
    disturb(draco, sandbox, holds.get("disturbed", {}))
    if "devices" in holds:
        assert [len(each.split(",")) for each in devices] == [holds["devices"]] * 2
        assert len(set(devices)) == 2
    draco.run("scale", "--jobs", "2")
    wait_for(lambda: len(draco.jobs()) == 2, "there is a second job")
    check_threads(draco, holds.get("threads"))
    check_most(draco, holds.get("most"))
    draco.run("stop")
    wait_for(lambda: not sandbox.active_jobs(), "no job is left")
    return seconds


def disturb(draco: Draco, sandbox: Sandbox, by: dict[str, str]) -> None:
    """Another job disturbs draco's: that is told, and what was begun is finished."""
    if not by:
        return
    sandbox.command(*shlex.split(by["by"]))

    def told() -> bool:
        return re.search(by["says"], one_line(draco.run("status").stdout)) is not None

    wait_for(told, f"the status says: {by['says']}")
    assert draco.python(COMPUTE).split()[0] == "285"


def check_threads(draco: Draco, threads: list[int] | None) -> None:
    """The workers of both jobs have these threads, which tell the cores in the status."""
    if threads is None:
        return
    draco.wait_for_workers(len(threads))
    assert json.loads(draco.python(THREADS)) == threads
    assert sum(job["cores"] for job in draco.status()["jobs"]) == sum(threads)


def check_most(draco: Draco, most: int | None) -> None:
    """Where the site limits the jobs, more are wished for, and the status says what is so."""
    if most is None:
        return
    more = str(2 * (most + 1))
    draco.run("adapt", "--minimum", more, "--maximum", more)
    text = f"the site lets you have {most} job"
    wait_for(lambda: text in one_line(draco.run("status").stdout), f"the status says: {text}")
    assert len(draco.jobs()) == most


def missing(site: dict[str, Any]) -> str | None:
    """Why this site cannot be tried here; None when it can."""
    if "job_submit.lua" in site.get("files", {}) and not has_lua():
        return "Slurm has no plugin for lua here (liblua)"
    if "configless" in site and subprocess.run(OWN_RUN, stderr=subprocess.PIPE).returncode:
        return f"nodes cannot have a /run of their own here ({' '.join(OWN_RUN)} fails)"
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    for program in ("mariadbd", "slurmdbd") if "accounting" in site else ():
        if not shutil.which(program, path=path):
            return f"{program} is not installed (packages slurmdbd, mariadb-server-core)"
    return None


def has_lua() -> bool:
    """Whether Slurm's plugin for lua is there."""
    folders = [*Path("/usr/lib").glob("*/slurm-wlm"), Path("/usr/lib64/slurm")]
    return any((folder / "job_submit_lua.so").exists() for folder in folders)
