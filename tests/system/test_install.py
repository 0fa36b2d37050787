"""make install and uninstall: what is there is found, and what is gone leaves nothing."""

from __future__ import annotations

import os
import site
import subprocess
import sys
from pathlib import Path

import pytest
from harness import BUILD, SOURCE


def install(destination: Path, *arguments: str, target: str = "install") -> None:
    result = subprocess.run(
        ["make", "-s", "-C", str(BUILD), target, f"DESTDIR={destination}", *arguments],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=300,
    )
    assert result.returncode == 0, result.stdout


def test_uninstall_leaves_nothing(tmp_path: Path) -> None:
    """No file, and no directory that is draco's alone; those of others stay."""
    install(tmp_path)
    preload = next(tmp_path.glob("**/draco_scheduler.py")).parent
    (preload / "__pycache__").mkdir()  # as Python does, where it may write
    (preload / "__pycache__" / "draco_demand.cpython-399.pyc").touch()
    install(tmp_path, target="uninstall")
    left = list(tmp_path.rglob("*"))
    assert [path for path in left if not path.is_dir()] == []
    assert [path for path in left if "draco" in path.name] == []
    assert any(path.name == "bin" for path in left)


def test_install_says_what_is_where(tmp_path: Path) -> None:
    """And what the shell needs, when it does not find the programs."""
    prefix = tmp_path / "prefix"
    places = [f"{name}={prefix}/{name}" for name in ("sysconfdir", "pythondir")]

    def words(path: str) -> str:
        return subprocess.run(
            ["make", "-s", "-C", str(BUILD), "install", f"prefix={prefix}", *places],
            env={**os.environ, "PATH": path},
            text=True,
            capture_output=True,
            check=True,
            timeout=300,
        ).stdout

    path = os.environ["PATH"]
    text = words(path)
    assert f"programs        {prefix}/bin\n" in text
    assert f"site settings   {prefix}/sysconfdir/draco/draco.yaml\n" in text
    assert f"Python package  {prefix}/pythondir/draco\n" in text
    assert text.endswith(f"export PATH={prefix}/bin:$PATH\n")
    assert "export PATH" not in words(f"{path}:{prefix}/bin")


def test_prefix_is_moved(tmp_path: Path) -> None:
    """The programs find their parts where they lie now, as in a wheel or an unpacked archive."""
    prefix = tmp_path / "prefix"
    places = [f"{name}={prefix}/{name}" for name in ("sysconfdir", "pythondir")]
    install(Path("/"), f"prefix={prefix}", f"DESTDIR={tmp_path}/built", *places)
    moved = tmp_path / "moved"
    made = next((tmp_path / "built").glob("**/bin/dracoctl")).parents[1]
    made.rename(moved)
    environment = {**os.environ, "HOME": str(tmp_path), "SLURM_CONF": "/dev/null"}
    environment["DRACO_SLURM_INTERFACE"] = "commands"
    told = subprocess.run(
        [moved / "bin/dracoctl", "version"],
        env=environment,
        text=True,
        capture_output=True,
        timeout=60,
    )
    assert "slurm    by its commands" in told.stdout, told


def test_units_name_the_programs(tmp_path: Path) -> None:
    """Where this prefix has them, and not where the prefix of configure has."""
    install(tmp_path, "prefix=/opt/draco", "systemduserunitdir=/opt/units")
    unit = (tmp_path / "opt/units/dracod@.service").read_text()
    assert "\nExecStart=/opt/draco/bin/dracod --name %i\n" in unit
    unit = (tmp_path / "opt/units/draco-starter@.service").read_text()
    assert "\nExecStart=/opt/draco/bin/dracod --starter\n" in unit
    for path in tmp_path.rglob("org.draco.Manager1.service"):
        assert "\nExec=/opt/draco/bin/dracod --stay 600\n" in path.read_text()


def test_dask_and_jupyter_are_told(tmp_path: Path) -> None:
    """What pip tells of the package, make install tells, too."""
    install(tmp_path, "prefix=/opt/draco", "pythondir=/opt/python")
    told = (
        "from importlib.metadata import entry_points, version\n"
        "(point,) = entry_points(group='dask_cluster_discovery', name='draco')\n"
        "print(version('dracod'), point.value, point.load().__name__)"
    )
    out = subprocess.run(
        [sys.executable, "-c", told],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}/opt/python"},
        check=True, capture_output=True, text=True, timeout=60,
    ).stdout  # fmt: skip
    version = configured_version()
    assert out == f"{version} draco.discovery:discover discover\n"
    etc = tmp_path / "opt/draco/etc"
    assert "security-loader: draco." in (etc / "dask/draco.yaml").read_text()
    assert (etc / "jupyter/jupyter_server_config.d/draco.json").exists()
    metadata = (tmp_path / f"opt/python/dracod-{version}.dist-info/METADATA").read_text()
    assert "\nRequires-Dist: distributed" in metadata


def configured_version() -> str:
    """The version of the Makefile that the tests use."""
    lines = (BUILD / "Makefile").read_text().splitlines()
    return next(line for line in lines if line.startswith("VERSION = "))[len("VERSION = ") :]


def configured(directory: Path, *options: str) -> dict[str, str]:
    """The variables of a Makefile that configure has made with these options."""
    subprocess.run(
        [SOURCE / "configure", "-q", f"PYTHON={sys.executable}", *options],
        check=True, cwd=directory, timeout=300,
    )  # fmt: skip
    lines = (directory / "Makefile").read_text().splitlines()
    return dict(line.split(" = ", 1) for line in lines if " = " in line)


def test_python_finds_the_package(tmp_path: Path) -> None:
    """It goes where Python looks below the prefix, as on Debian dist-packages."""
    places = [place for place in site.getsitepackages() if "/lib/" in place]
    if not places:
        pytest.skip(f"{sys.executable} has no directory of packages below a lib: {places}")
    prefix = places[0].split("/lib/")[0]
    found = configured(tmp_path, f"--prefix={prefix}")
    assert found["PYTHON_PREFIX"] == "${prefix}"
    assert found["pythondir"].replace("${PYTHON_PREFIX}", prefix) == places[0]
