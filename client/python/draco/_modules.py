"""From where this program imports its own modules, and whether the cluster can import them, too."""

from __future__ import annotations

import asyncio
import contextlib
import filecmp
import os
import platform
import site
import stat
import sys
import sysconfig
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

import distributed
from distributed import Client

from draco.errors import DracoError

if TYPE_CHECKING:
    from draco._join import Joined

#: How many directories are told at most, and how many modules are looked for.
PATHS_MAX, MODULES_MAX = 100, 500

#: How many modules a warning names.
NAMES_MAX = 3

#: How long a client of another version may take to connect, and a pause, in seconds.
TRIAL_TIMEOUT, TRIAL_PAUSE = 20, 0.05

#: What helps where the cluster and the program do not fit.
OWN_CLUSTER = 'name="OTHER" makes a cluster of its own.'

#: Files that are in many directories, and that no task imports.
_NEVER_SENT = {"__main__", "conftest", "setup"}


def own_paths() -> dict[str, int]:
    """Find the directories on ``sys.path`` that belong to no Python.

    Those that every user can write to are left out, such as ``/tmp``: on a node, it holds other
    files than here.

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
    """Find the modules that workers would import from elsewhere.

    Parameters
    ----------
    own : list of str
        Where this program looks, in this order.
    theirs : list of str
        Where workers look.

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
        What the user should know.

    Raises
    ------
    OSError
        When the scheduler does not answer.
    """
    own = await asyncio.to_thread(own_paths)
    call = getattr(scheduler, "draco-paths")
    answer = await call(paths=own)
    texts = []
    here = platform.python_version()
    if not _is_alike(answer["python"], here):
        texts.append(
            f'the cluster "{name}" runs Python {answer["python"]}, and this program Python {here} '
            f"({sys.executable}): tasks with functions of this program may fail. "
            f"{OWN_CLUSTER}"
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


def _is_alike(one: str, other: str) -> bool:
    return one.split(".")[:2] == other.split(".")[:2]


async def try_other_version(joined: Joined, report: dict[str, Any], name: str) -> None:
    """Connect a client to a scheduler of another version of distributed, as a trial.

    Parameters
    ----------
    joined : Joined
        What the cluster gave.
    report : dict
        dracod's report.
    name : str
        Of the cluster.

    Raises
    ------
    DracoError
        When they do not understand each other. The text says what to do.
    """
    there = report.get("scheduler") or {}
    if there.get("distributed") in (None, distributed.__version__):
        return
    client = Client(
        joined.scheduler.address,
        security=joined.security,
        asynchronous=True,
        set_as_default=False,
        timeout=TRIAL_TIMEOUT,
    )
    try:
        await asyncio.wait_for(_submit(client), 2 * TRIAL_TIMEOUT)
    except Exception as error:  # whatever the difference of the versions has caused
        raise DracoError(
            f'the cluster "{name}" has distributed {there["distributed"]} ({there.get("python")}) '
            f"and does not understand distributed {distributed.__version__} of this program "
            f"({sys.executable}): {type(error).__name__}. {OWN_CLUSTER}"
        ) from None
    finally:
        with contextlib.suppress(Exception):
            await client.close()


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
