"""The package installs by make and by pip, and finds the programs; its examples run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from harness import BUILD, PYTHON, SOURCE, Draco
from kernels import SMALL, Kernel

START = f"from draco import Cluster\ncluster = Cluster({SMALL}, quiet=True)\n"


def test_make_install(draco: Draco) -> None:
    """With nothing in PATH the package finds the programs of its own prefix."""
    prefix = draco.root / "prefix"
    command = ["make", "-C", str(BUILD), "install", f"DESTDIR={prefix}"]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (package,) = prefix.glob("**/draco/cluster.py")
    assert (package.parent / "py.typed").exists()
    variables = {"PYTHONPATH": str(package.parents[1]), "DRACO_BIN": ""}
    with Kernel(draco, **variables) as kernel:
        found = kernel.run("from draco._dracoctl import find_dracoctl; print(find_dracoctl())")
        assert Path(found.strip()).name == "dracoctl" and str(prefix) in found
        assert str(prefix) in kernel.run("import draco; print(draco.__file__)")


def test_pip_install(draco: Draco) -> None:
    venv = draco.root / "venv"
    subprocess.run([PYTHON, "-m", "venv", "--system-site-packages", str(venv)], check=True)
    python = str(venv / "bin" / "python")
    command = [python, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    source = draco.root / "source"
    subprocess.run(["cp", "-r", str(SOURCE / "client" / "python"), str(source)], check=True)
    try:
        import setuptools  # noqa: F401
    except ImportError:
        pytest.skip("setuptools is not installed")
    subprocess.run([*command, str(source)], check=True)
    variables = {**os.environ, "PATH": f"{BUILD}:{os.environ['PATH']}"}
    variables.pop("DRACO_BIN", None)
    code = (
        "import draco._dracoctl as d, draco; print(d.find_dracoctl()); print(draco.__file__)\n"
        "from importlib.metadata import version; print(version('dracod') == draco.__version__)"
    )
    out = subprocess.run(
        [python, "-c", code], env=variables, check=True, text=True, stdout=subprocess.PIPE
    ).stdout.splitlines()
    assert out[0] == str(BUILD / "dracoctl") and str(venv) in out[1] and out[2] == "True"


@pytest.mark.parametrize("path", sorted((SOURCE / "client/python/examples").glob("*.ipynb")))
def test_examples(draco: Draco, path: Path) -> None:
    config = draco.home / ".config/draco/draco.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("processes: 2\ncores: 2\nmemory: 1 GiB\nwalltime: 00:50:00\n")
    cells = json.loads(path.read_text())["cells"]
    with Kernel(draco) as kernel:
        for cell in cells:
            if cell["cell_type"] == "code":
                kernel.run("".join(cell["source"]))
    assert draco.cluster_state() == "stopped"


def test_the_workers_run_the_callers_python(draco: Draco) -> None:
    """Also where another one comes first in PATH."""
    shadow = draco.root / "shadow"
    shadow.mkdir()
    (shadow / "python3").write_text("#!/bin/sh\nexit 1\n")
    (shadow / "python3").chmod(0o755)
    with Kernel(draco, PATH=f"{shadow}:{os.environ['PATH']}") as kernel:
        kernel.run(START)
        assert draco.status()["scheduler"]["python"].startswith(str(Path(PYTHON).parent))
        kernel.run("cluster.close()")
    assert sys.version_info >= (3, 11)
