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
