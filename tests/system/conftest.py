"""Fixtures of the system tests: real Slurm, real Dask, the real programs of draco.

``DRACO_BUILD`` names the build directory (default: ``build`` of the source tree).
``DRACO_WRAPPER`` names a command that dracod is run by, such as valgrind.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Draco, Sandbox

SOURCE = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    """One private Slurm of 4 nodes for all tests that do no harm to it."""
    with Sandbox("--nodes", "4", "--shared") as sandbox:
        yield sandbox


@pytest.fixture
def own_sandbox() -> Iterator[Sandbox]:
    """A private Slurm for one test, which may kill its daemons."""
    with Sandbox("--nodes", "2", "--shared") as sandbox:
        yield sandbox


@pytest.fixture
def draco(shared_sandbox: Sandbox) -> Iterator[Draco]:
    """A user of draco with a home of its own; afterwards nothing of it may be left."""
    with Draco(shared_sandbox) as user:
        yield user
    user.check_nothing_left()


@pytest.fixture
def draco_alone(own_sandbox: Sandbox) -> Iterator[Draco]:
    """As ``draco``, on the Slurm of ``own_sandbox``."""
    with Draco(own_sandbox) as user:
        yield user
    user.check_nothing_left()


def pytest_report_header() -> str:
    build = os.environ.get("DRACO_BUILD", str(SOURCE / "build"))
    return f"draco: programs of {build}"
