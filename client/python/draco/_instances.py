"""Find the state directory that a cluster's name means: a name has one for each Slurm.

The rule is in ``common/instances.c``, and ``common/slurm_conf.c`` reads slurm.conf. Neither is
repeated here. If a ``slurm.json`` says that this environment was used with its directory before,
that directory is meant. Otherwise this module asks dracoctl.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import socket
import subprocess
from pathlib import Path
from typing import Any

from draco._dracoctl import run_dracoctl
from draco._seek import Seeking
from draco._trust import NotTrusted, load
from draco._visible import visible
from draco.errors import DaemonNotRunning, SettingError

WHERE_TIMEOUT = 30

#: The variables that choose the Slurm, as in ``common/slurm_find.c``.
_VARIABLES = ("SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_CLUSTERS", "SBATCH_CLUSTERS")

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}"

#: The answers of dracoctl in this process, by question.
_answers: dict[tuple[Any, ...], str] = {}


def is_name(name: str) -> bool:
    """Whether a cluster, or a state directory, can have this name."""
    return re.fullmatch(_NAME + r"(@[A-Za-z0-9._-]{1,48})?", name) is not None


def state_directory() -> Path:
    """The directory with the state directories of all dracods."""
    state = os.environ.get("XDG_STATE_HOME", "")
    if state.startswith("/"):
        return Path(state, "draco")
    home = os.environ.get("HOME", "")
    if not home.startswith("/"):
        home = pwd.getpwuid(os.getuid()).pw_dir
    return Path(home, ".local/state/draco")


def read_record(directory: Path) -> dict[str, Any]:
    """Read ``slurm.json``, which describes the Slurm of a state directory; empty without it."""
    try:
        return load(str(directory / "slurm.json"))
    except OSError:
        return {}


def slurm_of(directory: Path) -> str | None:
    """The name of the Slurm cluster that a state directory belongs to."""
    cluster = read_record(directory).get("cluster")
    return visible(cluster) if isinstance(cluster, str) else None


def remembers_jobs(directory: Path) -> bool:
    """Whether a state directory lists clusters whose jobs may be left in Slurm."""
    try:
        return bool(load(str(directory / "state.json")).get("clusters"))
    except OSError:
        return False


def _candidates(name: str) -> list[Path]:
    base = name.partition("@")[0]
    root = state_directory()
    return sorted(path for path in (root / base, *root.glob(f"{base}@*")) if is_name(path.name))


def _key() -> list[str] | None:
    """Identify this host and these variables; equal for all programs with the same ones."""
    values = [os.environ.get(variable, "") for variable in _VARIABLES]
    if values[0] and not values[0].startswith("/"):
        return None
    return [socket.gethostname(), *values]


def look_up(name: str) -> str | None:
    """Find the state directory of a name in the files; None when dracoctl must be asked."""
    if "@" in name:
        return name if (state_directory() / name).is_dir() else None
    key = _key()
    records = {path.name: read_record(path) for path in _candidates(name)}
    seen = [
        directory
        for directory, record in records.items()
        if key is not None and key in (record.get("seen") or [])
    ]
    if len(seen) == 1:
        return seen[0]
    if len(records) == 1 and not any(records.values()):
        return name  # there is no record of any Slurm
    return None


def ask(name: str) -> str:
    """Ask dracoctl which state directory the name means in this environment.

    Raises
    ------
    SettingError
        When the name is not valid, or could mean several clusters.
    """
    stamps = []
    for path in _candidates(name):
        try:
            stamps.append((path.name, (path / "slurm.json").stat().st_mtime_ns))
        except OSError:
            stamps.append((path.name, 0))
    question = (name, os.getcwd(), *(_key() or ()), *stamps)
    if question not in _answers:
        _answers[question] = _where(name)
    return _answers[question]


def _where(name: str) -> str:
    try:
        result = run_dracoctl(name, ["where"], WHERE_TIMEOUT)
        answer = json.loads(result.stdout)
    except (DaemonNotRunning, OSError, subprocess.TimeoutExpired, ValueError, RecursionError):
        return _only_alive(name)
    found = answer.get("name")
    if isinstance(found, str) and is_name(found):
        return found
    raise SettingError(visible(str(answer.get("error") or f"{result.args[0]} failed")))


def _only_alive(name: str) -> str:
    """Choose without dracoctl, as in a container: the only directory with a running dracod."""
    alive = {_address(path): path.name for path in _candidates(name) if _may_live(path)}
    if "@" in name:
        return alive.get(name, name)
    if len(alive) > 1:
        raise SettingError(
            f'"{name}" runs for several Slurm clusters, and nothing here says which is meant (no '
            f"slurm.conf): give {' or '.join(alive)} as the name"
        )
    return next(iter(alive.values()), name)


def _may_live(path: Path) -> bool:
    try:
        return Seeking(path).lives()
    except NotTrusted:
        return False


def _address(path: Path) -> str:
    """The name of a directory's cluster that is valid in any environment."""
    slurm = slurm_of(path)
    if slurm is None or "@" in path.name:
        return path.name
    full = f"{path.name}@{slurm}"
    return f"{full}.1" if path.with_name(full).is_dir() else full
