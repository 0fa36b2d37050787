"""Share the directories of this program's own modules with the cluster, and compare the two."""

from __future__ import annotations

import asyncio
import contextlib
import filecmp
import logging
import os
import platform
import site
import stat
import sys
import sysconfig
from collections.abc import Iterator
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

import distributed
from distributed import Client
from distributed.client import CancelledError

from draco._versions import differences, is_same_version, own_cluster, own_versions
from draco.errors import OtherPython

if TYPE_CHECKING:
    from draco._join import Joined

#: The most directories that are sent, and the most modules that are checked.
PATHS_MAX, MODULES_MAX = 100, 500

#: The most modules that a warning names.
NAMES_MAX = 3
_SHARE_TIMEOUT = 20.0  # seconds

#: Time for a client of another version to connect, and the pause between tries, in seconds.
TRIAL_TIMEOUT, TRIAL_PAUSE = 20, 0.05

#: The remedy if other modules of the same names are there.
OWN_CLUSTER = 'name="OTHER" makes a cluster of its own.'

#: Files in many directories that no task imports.
_NEVER_SENT = {"__main__", "conftest", "setup"}


def own_paths() -> dict[str, int]:
    """Find the directories on ``sys.path`` that are not a part of Python.

    Directories that every user can write to, such as ``/tmp``, are left out: on a node they hold
    other files.

    Returns
    -------
    dict of str to int
        Absolute paths in the order of ``sys.path``, and the user id of the owner of each.
    """
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    of_python = tuple(os.path.join(p, lib, "") for p in prefixes for lib in ("lib", "lib64"))
    libraries = {*sysconfig.get_paths().values(), *site.getsitepackages()}
    libraries.add(site.getusersitepackages())
    paths: dict[str, int] = {}
    for entry in sys.path:
        try:
            path = os.path.abspath(entry)
            found = os.stat(path)
        except (OSError, ValueError):
            continue
        if path in libraries or path.startswith(of_python) or found.st_mode & stat.S_IWOTH:
            continue
        paths[path] = found.st_uid
    return dict(list(paths.items())[:PATHS_MAX])


def hidden_modules(own: list[str], theirs: list[str]) -> list[str]:
    """Find the modules for which workers would import another file.

    Parameters
    ----------
    own : list of str
        The directories of this program, in their order.
    theirs : list of str
        The directories of the workers.

    Returns
    -------
    list of str
        "NAME from FILE" for each of which this program has another file.
    """
    if theirs[: len(own)] == own:
        return []
    names: dict[str, None] = {}
    for path in own:
        try:
            with os.scandir(path) as entries:
                names.update((entry.name.removesuffix(".py"), None) for entry in entries)
        except OSError:
            continue
    names_wanted = [n for n in names if n.isidentifier() and n not in _NEVER_SENT]
    found = []
    for name in names_wanted[:MODULES_MAX]:
        here, there = (_file_of(name, paths) for paths in (own, theirs))
        if here and there and not _is_same(here, there):
            found.append(f"{name} from {there}")
    return found


def _file_of(name: str, paths: list[str]) -> str | None:
    spec = PathFinder.find_spec(name, paths)
    return spec.origin if spec is not None else None


def _is_same(one: str, other: str) -> bool:
    try:
        if os.path.samefile(one, other):
            return True
        is_package = os.path.basename(one) == "__init__.py"
        return not is_package and filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


async def share(scheduler: Any, name: str) -> list[str]:
    """Make the modules of this program importable in the scheduler and in the workers.

    Parameters
    ----------
    scheduler : distributed.core.rpc
        Makes calls to the scheduler.
    name : str
        Of the cluster.

    Returns
    -------
    list of str
        Warnings for the user.

    Raises
    ------
    OSError
        When the scheduler does not answer.
    OtherPython
        When it runs another Python, such as 3.11 and not 3.12.
    """
    own = await asyncio.to_thread(own_paths)
    call = getattr(scheduler, "draco-paths")
    try:
        answer = await asyncio.wait_for(call(paths=own), _SHARE_TIMEOUT)
    except asyncio.TimeoutError:  # a path hangs there; the scheduler goes on with it
        return []
    if answer is None:  # that of an older draco, which does not know the call
        return []
    there, here = answer["python"], platform.python_version()
    if not _is_alike(there, here):
        raise OtherPython(
            f'the cluster "{name}" runs Python {there}, which cannot run functions of Python '
            f"{here} ({sys.executable}). {own_cluster(name)}"
        )
    texts = []
    if different := await asyncio.to_thread(_find_versions, answer.get("packages")):
        texts.append(
            f'the cluster "{name}" has {", ".join(different)}; this program runs '
            f"{sys.executable}: tasks and results with objects of such packages may fail. "
            f"{own_cluster(name)}"
        )
    hidden = await asyncio.to_thread(hidden_modules, list(own), answer["paths"])
    if hidden:
        rest = len(hidden) - NAMES_MAX
        some = ", ".join(hidden[:NAMES_MAX]) + (f" and {rest} more" if rest > 0 else "")
        texts.append(
            f'the workers of the cluster "{name}" import {some}, and not the modules of these '
            f"names beside this program. {OWN_CLUSTER}"
        )
    return texts


def _find_versions(theirs: dict[str, str | None] | None) -> list[str]:
    return differences(own_versions(), theirs) if theirs else []


def _is_alike(one: str, other: str) -> bool:
    return one.split(".")[:2] == other.split(".")[:2]


async def try_other_version(joined: Joined, report: dict[str, Any], name: str) -> None:
    """Connect a client to a scheduler of another version of distributed, as a trial.

    Parameters
    ----------
    joined : Joined
        The facts about the cluster.
    report : dict
        dracod's report.
    name : str
        Of the cluster.

    Raises
    ------
    OtherPython
        When client and scheduler do not understand each other. The text names a remedy.
    """
    there = report.get("scheduler") or {}
    version = there.get("distributed")
    if version is None or is_same_version(version, distributed.__version__):
        return
    with _silent_dask():
        why = await _try_client(joined)
    if why:
        raise OtherPython(
            f'the cluster "{name}" has distributed {there["distributed"]} ({there.get("python")}) '
            f"and does not understand distributed {distributed.__version__} of this program "
            f"({sys.executable}): {why}. {own_cluster(name)}"
        )


async def _try_client(joined: Joined) -> str:
    """Connect a client, and give it a task; returns why that failed, or ""."""
    client = Client(
        joined.scheduler.address,
        security=joined.security,
        asynchronous=True,
        set_as_default=False,
        timeout=TRIAL_TIMEOUT,
    )
    try:
        await asyncio.wait_for(_submit(client), 2 * TRIAL_TIMEOUT)
        return ""
    except CancelledError:  # that of a future: an Exception
        return "the scheduler gave up a task"
    except Exception as error:  # the versions may cause any error
        return type(error).__name__
    finally:
        with contextlib.suppress(Exception):
            await client.close()


@contextlib.contextmanager
def _silent_dask() -> Iterator[None]:
    """Log nothing of Dask's meanwhile: what fails is told in one line."""
    names = [name for name in logging.root.manager.loggerDict if name.startswith("distributed")]
    loggers = [logging.getLogger(name) for name in names]
    before = [logger.disabled for logger in loggers]
    try:
        for logger in loggers:
            logger.disabled = True
        yield
    finally:
        for logger, disabled in zip(loggers, before):
            logger.disabled = disabled


async def _submit(client: Client) -> None:
    """Give a task to the scheduler, and wait until it has understood it, or raise an error."""
    await client
    future = client.submit(abs, -1, pure=False)
    while future.status == "pending":
        states = await client.scheduler.get_task_status(keys=[future.key])
        if states.get(future.key):
            return
        await asyncio.sleep(TRIAL_PAUSE)
    await future
