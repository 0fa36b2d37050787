"""What packaging/ makes of its templates; tests/packages and tests/wheel try whole packages."""

from __future__ import annotations

import ast
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from harness import SOURCE


@pytest.fixture
def recipes(tmp_path: Path) -> Path:
    """A tree with the recipes of some tarball."""
    shutil.copytree(SOURCE / "packaging", tmp_path / "packaging")
    shutil.copy(SOURCE / "configure.ac", tmp_path)
    (tmp_path / "draco.tar.xz").write_text("a tarball\n")
    subprocess.run(
        [tmp_path / "packaging/recipes/build", tmp_path / "draco.tar.xz"],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return tmp_path


def test_recipes(recipes: Path) -> None:
    """They have the version, and tarball and checksum where they need them; nothing is open."""
    made = {path.name: path for path in recipes.glob("build/recipes/**/*") if path.is_file()}
    version = re.search(
        r"AC_INIT\(\[draco\], \[(.*?)\]", (recipes / "configure.ac").read_text()
    )
    assert version
    digest = hashlib.sha256(b"a tarball\n").hexdigest()
    assert set(made) == {
        "package.py", "repo.yaml", "meta.yaml", f"{version[1]}.lua", version[1],
        f"dracod-{version[1]}-GCCcore-13.2.0.eb",
    }  # fmt: skip
    for name, path in made.items():
        text = path.read_text()
        assert not re.search(r"@[A-Z0-9]+@", text), name
        if name != "repo.yaml":
            assert version[1] in text, name
        if name.endswith((".py", "meta.yaml", ".eb")):
            assert digest in text and f"{recipes}/draco.tar.xz" in text, name
        if name.endswith((".py", ".eb")):
            ast.parse(text)


class Recorder:
    """Stands in for Spack: records directives, and is the base class of packages."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple, dict]] = []

    def directive(self, name: str):
        def record(*args, **kwargs):
            self.calls.append((name, args, kwargs))
            return lambda function: function

        return record


class Spec:
    """A spec of Spack with some variants."""

    def __init__(self, *variants: str) -> None:
        self.variants = variants

    def __contains__(self, variant: str) -> bool:
        return variant in self.variants

    def __getitem__(self, name: str) -> Spec:
        return Spec()

    prefix = "/spack/slurm"

    @property
    def command(self) -> Spec:
        return self

    path = "/spack/python/bin/python3"


@pytest.mark.parametrize(
    ("variants", "expected"),
    [
        ((), ["--without-libslurm", "PYTHON=:"]),
        (("+slurm",), ["--with-slurm=/spack/slurm", "PYTHON=:"]),
        (("+python",), ["PYTHON=/spack/python/bin/python3", "pythondir=/site"]),
    ],
)
def test_spack_configures(
    recipes: Path, variants: tuple[str, ...], expected: list[str]
) -> None:
    """With Spack's parts replaced, as Spack itself is not here."""
    recorder = Recorder()

    class AutotoolsPackage:
        spec = Spec(*variants)

        def with_or_without(self, name: str) -> list[str]:
            return [f"--without-{name}"]

    scope: dict = {"AutotoolsPackage": AutotoolsPackage, "python_purelib": "/site"}
    for name in "license version variant depends_on extends run_after".split():
        scope[name] = recorder.directive(name)
    scope["on_package_attributes"] = recorder.directive("on_package_attributes")
    text = (recipes / "build/recipes/spack/packages/dracod/package.py").read_text()
    exec(text.replace("from spack.package import *", ""), scope)
    args = scope["Dracod"]().configure_args()
    assert args[0] == "--sysconfdir=/etc"
    for argument in expected:
        assert argument in args
    needed = {args[0].split("@")[0] for name, args, _ in recorder.calls if name == "depends_on"}
    assert {"libevent", "jansson", "libyaml", "openssl"} <= needed
