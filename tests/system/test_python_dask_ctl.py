"""dask-ctl finds the cluster by the package's entry point: where it is installed, and works."""

from __future__ import annotations

import subprocess

import pytest
import tomllib
from harness import PYTHON, SOURCE, Draco, wait_for
from kernels import environment

try:
    import dask_ctl.cli  # noqa: F401
except ImportError as error:
    pytest.skip(f"no dask-ctl that works: {error}", allow_module_level=True)


def install(draco: Draco) -> dict[str, str]:
    """The environment of a Python in which the package is, as pip would tell."""
    project = tomllib.loads((SOURCE / "client/python/pyproject.toml").read_text())["project"]
    site = draco.root / "site"
    info = site / f"draco-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (site / "draco").symlink_to(SOURCE / "client/python/draco")
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: draco\nVersion: {project['version']}\n"
    )
    lines = []
    for group, entries in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return {**environment(draco), "PYTHONPATH": str(site), "COLUMNS": "200"}


def test_list_scale_and_let_go(draco: Draco) -> None:
    variables = install(draco)

    def ctl(*arguments: str) -> str:
        command = [PYTHON, "-m", "dask", "cluster", *arguments]
        return subprocess.run(
            command, env=variables, check=True, text=True, stdout=subprocess.PIPE, timeout=120
        ).stdout

    assert draco.name not in ctl("list")
    draco.start("--maximum=4")
    (line,) = [line for line in ctl("list").splitlines() if draco.name in line]
    assert "tls://" in line and "draco" in line and "Running" in line
    assert f'get_cluster("{draco.name}")' in ctl("snippet", draco.name)
    ctl("scale", draco.name, "4")
    wait_for(lambda: len(draco.jobs()) == 2, "2 jobs")
    # It closes the object only, whatever it says: another one's cluster is not stopped by that.
    ctl("delete", draco.name)
    assert draco.cluster_state() == "running"
