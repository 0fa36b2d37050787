"""Kernels of two environments, each in its own directory: each computes, or is told how it can."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
from harness import PYTHON, SOURCE, Draco
from kernels import SMALL, Kernel

#: Environments with other versions of Dask, which ./check makes.
OTHERS = [
    str(path)
    for path in sorted((SOURCE / "build").glob("dask-*/bin/python"))
    if str(path) != PYTHON
]

pytestmark = pytest.mark.skipif(not OTHERS, reason="no environment build/dask-* of ./check")

USE = """
import warnings
from draco import Cluster
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    cluster = Cluster({settings}, quiet=True)
    client = cluster.get_client()
import {module}
print(client.submit({module}.name, pure=False).result(timeout=60))
print(client.gather(client.map(lambda x: x * x, range(5), pure=False)))
for warning in told:
    if warning.category.__name__ == "DracoWarning":
        print("told:", warning.message)
"""

AGAIN = "print(client.gather(client.map(lambda x: x + 1, range(3), pure=False)))"


def use(directory: Path, name: str = "") -> str:
    """A cell that imports the module of this directory, which is no one else's."""
    module = f"of_{directory.name}"
    (directory / f"{module}.py").write_text(f"def name():\n    return {directory.name!r}\n")
    return USE.format(module=module, settings=f"name={name!r}, {SMALL}" if name else SMALL)


@pytest.mark.parametrize("other", OTHERS, ids=[Path(path).parts[-3] for path in OTHERS])
def test_three_directories_and_two_environments(draco: Draco, other: str) -> None:
    directories = [draco.home / name for name in ("one", "two", "three")]
    with contextlib.ExitStack() as stack:
        kernels = []
        for python, directory in zip((PYTHON, PYTHON, other), directories):
            directory.mkdir()
            kernels.append(stack.enter_context(Kernel(draco, python, directory)))
        for kernel, directory in zip(kernels[:2], directories):
            out = kernel.run(use(directory)).splitlines()
            assert out == [directory.name, "[0, 1, 4, 9, 16]"], out
        kernel, directory = kernels[2], directories[2]
        kernel.send(use(directory))
        text, error = kernel.answer()
        if error is not None:
            line = error.splitlines()[-1]
            assert line.startswith(f'draco.errors.OtherPython: the cluster "{draco.name}" ')
            remedy = re.search(r'name="([^"]+)" makes a cluster for this Python\.$', line)
            assert remedy, line
            stack.callback(draco.run, "--name", remedy[1], "shutdown", check=False)
            text = kernel.run(use(directory, remedy[1]))
        out = text.splitlines()
        assert out[:2] == ["three", "[0, 1, 4, 9, 16]"], text
        assert error or any("distributed" in told for told in out[2:]), text
        for kernel in reversed(kernels):  # nobody was hurt
            assert kernel.run(AGAIN) == "[1, 2, 3]\n"
            kernel.run("client.close(); cluster.close()")
