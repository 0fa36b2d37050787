"""Fixtures of the system tests: real Slurm, real Dask, the real programs of draco.

``DRACO_BUILD`` names the build directory (default: ``build`` of the source tree).
``DRACO_WRAPPER`` names a command that dracod is run by, such as valgrind.
``DRACO_TEST_PATIENCE`` makes time limits of tests as many times as long.
``DRACO_TEST_SLURM_INTERFACE`` is the setting slurm_interface for all tests, such as ``commands``.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import BUILD, PYTHON, Draco, Sandbox
from preload import DaskCluster
from user import User
from user_manager import Manager, hindrance

SOURCE = Path(__file__).resolve().parents[2]

# Each process of Dask looks at its event loop 50 times a second, at its threads 100 times, at its
# memory 10 times and at its machine twice, which takes 2 % of a core even while there is nothing to
# do. No test needs what it learns, or not so soon.
for name, interval in {
    "ADMIN__TICK__INTERVAL": "500ms",
    "ADMIN__SYSTEM_MONITOR__INTERVAL": "2s",
    "WORKER__MEMORY__MONITOR_INTERVAL": "500ms",
    "WORKER__PROFILE__INTERVAL": "1s",
}.items():
    os.environ.setdefault(f"DASK_DISTRIBUTED__{name}", interval)

# To import distributed makes a TLS context, for which OpenSSL reads the certificates of all public
# authorities: a sixth of what the import costs. No test trusts one of them.
os.environ.setdefault("SSL_CERT_FILE", "/dev/null")
os.environ.setdefault("SSL_CERT_DIR", "/var/empty")


@pytest.fixture(scope="session")
def shared_sandbox() -> Iterator[Sandbox]:
    """One private Slurm of 4 nodes for all tests that do no harm to it."""
    with Sandbox("--nodes", "4", "--shared") as sandbox:
        yield sandbox


@pytest.fixture
def full(shared_sandbox: Sandbox) -> Iterator[Sandbox]:
    """A place where jobs stay pending: no node is free."""
    with shared_sandbox.full():
        yield shared_sandbox


@pytest.fixture
def own_sandbox() -> Iterator[Sandbox]:
    """A private Slurm for one test, which may kill its daemons."""
    with Sandbox("--nodes", "2", "--shared") as sandbox:
        yield sandbox


#: The Pythons whose distributed is tried.
PYTHONS = [PYTHON, *filter(None, os.environ.get("DRACO_TEST_PYTHONS", "").split(":"))]


@pytest.fixture(params=PYTHONS, ids=lambda python: str(Path(python).parent.parent.name))
def python(request: pytest.FixtureRequest) -> str:
    """Each of these Pythons."""
    return request.param


@pytest.fixture
def dask(python: str) -> Iterator[DaskCluster]:
    """A scheduler without workers."""
    with DaskCluster(python) as cluster:
        yield cluster


HAS_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo) -> Iterator[None]:
    """Let fixtures know that their test has failed."""
    outcome = yield
    if call.when == "call":
        item.stash[HAS_FAILED] = outcome.get_result().failed


def has_failed(request: pytest.FixtureRequest) -> bool:
    """Whether the test that a fixture is for has failed; not so when it was not reached."""
    return request.node.stash.get(HAS_FAILED, False)


@contextlib.contextmanager
def visit(sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[Draco]:
    """A user on this Slurm for one test; afterwards nothing of it may be left.

    After a failure the logs are shown, and what is left is removed by force.
    """
    with Draco(sandbox) as user:
        yield user
        failed = has_failed(request)
        if failed:
            user.give_up()
    if not failed:
        user.check_nothing_left()


@pytest.fixture
def draco(shared_sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[Draco]:
    """A user of draco with a home of its own."""
    with visit(shared_sandbox, request) as user:
        yield user


@pytest.fixture
def draco_alone(own_sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[Draco]:
    """As ``draco``, on the Slurm of ``own_sandbox``."""
    with visit(own_sandbox, request) as user:
        yield user


@pytest.fixture(scope="module")
def running(shared_sandbox: Sandbox) -> Iterator[Draco]:
    """A user with a small cluster, for all tests of a file that leave both as they were."""
    with Draco(shared_sandbox) as user:
        user.start()
        yield user
    user.check_nothing_left()


@pytest.fixture
def user(tmp_path: Path) -> User:
    """A user with settings files, but without Slurm."""
    return User(tmp_path)


#: Files that take minutes, the longest first: begun last, one of them would run alone in the end.
LONG = [
    "test_fair_share.py",
    "test_faults.py",
    "test_sites.py",
    "test_slurms.py",
    "test_hosts.py",
    "test_worker_start.py",
    "test_python_shared.py",
    "test_scratch.py",
    "test_python_end.py",
    "test_failure.py",
    "test_daemon.py",
    "test_size_commands.py",
    "test_systemd.py",
    "test_preload_requests.py",
    "test_runtime_dir.py",
    "test_worker_copies.py",
    "test_python_drop_in.py",
    "test_network.py",
    "test_walltime.py",
    "test_scaling.py",
    "test_preload.py",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the long files come first; the order within a file stays."""
    rank = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: rank.get(item.path.name, len(LONG)))


def pytest_report_header() -> str:
    build = os.environ.get("DRACO_BUILD", str(SOURCE / "build"))
    return f"draco: programs of {build}"


@pytest.fixture(scope="session")
def prefix() -> Iterator[Path]:
    """An installation: configured as the tested build was, for a directory of its own.

    ``DRACO_TEST_PREFIX`` names one that is there already.
    """
    why = hindrance()
    if why:
        pytest.skip(why)
    if there := os.environ.get("DRACO_TEST_PREFIX"):
        yield Path(there)
        return
    with tempfile.TemporaryDirectory(prefix="draco-install-") as directory:
        place = Path(directory)
        options = subprocess.run(
            [BUILD / "config.status", "--config"], check=True, text=True, stdout=subprocess.PIPE
        ).stdout
        (place / "build").mkdir()
        for command in (
            [SOURCE / "configure", "-q", *shlex.split(options), f"--prefix={place}/local"],
            ["make", "-s", f"-j{os.cpu_count()}", "CFLAGS=-O0", "install"],
        ):
            result = subprocess.run(
                command, cwd=place / "build", text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            assert result.returncode == 0, result.stdout
        yield place / "local"


@pytest.fixture
def manager(draco: Draco, prefix: Path) -> Iterator[Manager]:
    with Manager(draco, prefix) as manager:
        yield manager
