"""The input of a start: settings, environment, and a label for the status."""

from __future__ import annotations

import contextlib
import math
import operator
import os
import pathlib
import re
import resource
import shutil
import socket
import sys
import uuid
from collections.abc import Mapping
from typing import Any, TypedDict, Union

from draco.errors import SettingError

#: A smaller number of bytes is probably meant in another unit.
_BYTES_MIN = 2**20


#: A partition, or one with options of sbatch that jobs have there alone:
#: ``{"partition": "short", "qos": "debug"}``, or ``"short qos=debug"``.
Place = Union[str, dict[str, Union[str, int, bool, None]]]


class NineSettings(TypedDict, total=False):
    """The settings that are parameters of :func:`draco.start_slurm_cluster`."""

    processes: int
    cores: int
    memory: str | int
    walltime: str
    wait_timeout: int | str
    adaptive_scale_factor: int
    use_scratch_dir: bool
    reservation: str | None
    queues_to_try: list[Place] | None


class OtherSettings(TypedDict, total=False):
    """All other settings."""

    threads: int
    queue_options: dict[str, dict[str, str | int | bool | None]]
    minimum: int
    maximum: int
    idle_hold: int | str
    idle_timeout: int | str
    idle_shutdown: int | str
    fair_share: bool
    target_duration: float | str
    backlog: int
    handover_margin: int | str
    failure_limit: int
    python: str | list[str]
    minimum_walltime: str
    least_walltime: str
    log_directory: str
    log_retention: int | str
    poll_interval: float | str
    scheduler_timeout: int | str
    scheduler_silence: int | str
    scheduler_memory_max: str
    scheduler_memory_high: str
    scheduler_cpu_weight: int
    scheduler_tasks_max: int
    worker_timeout: int | str
    security: str | bool
    interface: str
    scheduler_port: int | str
    worker_port: int | str
    nanny_port: int | str
    remote_port: int | str
    dashboard: str
    dashboard_address: str
    dashboard_port: int | str
    account: str
    qos: str
    constraint: str
    gres: str
    gpus: int | str
    exclusive: bool
    licenses: str
    nodelist: str
    exclude: str
    mail_type: str
    mail_user: str
    directives: Mapping[str, str | int | bool | None]
    prologue: str | list[str]
    epilogue: str | list[str]
    environment: Mapping[str, str | int]
    worker_options: list[str]
    scheduler_options: list[str]
    worker_start: str
    preimport: list[str]
    slurm_interface: str
    scratch_directory: str


class Settings(NineSettings, OtherSettings, total=False):
    """The settings of a cluster, as ``dracoctl config explain`` and draco.yaml(5) describe them.

    dracod checks names and values; durations are seconds or texts such as "5 min".
    """


def encode_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the settings from a user to JSON.

    Parameters
    ----------
    settings : mapping
        By name; None: not given. Memory may be a number of bytes, and security True or False, as
        in dask-jobqueue.

    Returns
    -------
    dict
        For dracod, which checks names and values.

    Raises
    ------
    SettingError
        When memory is a number too small for bytes.
    """
    given = {name: _encode(value) for name, value in settings.items() if value is not None}
    memory, security = given.get("memory"), given.get("security")
    if isinstance(memory, (int, float)) and not isinstance(memory, bool):
        given["memory"] = _bytes(memory)
    if isinstance(security, bool):
        given["security"] = "tls" if security else "none"
    return given


def _bytes(number: float) -> str:
    if 0 < number < _BYTES_MIN:
        raise SettingError(
            f"memory: the number {number} means bytes, and a job needs more: "
            f'write "{number} GiB" or "{number} MiB"'
        )
    return f"{number:.0f} B"


def _encode(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no such number
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_encode(item) for item in value]
    if hasattr(value, "__index__"):
        return operator.index(value)  # for example an integer of numpy
    return str(value)  # for example a path


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def caller_environment() -> dict[str, str]:
    """Return the variables of this process, with its own Python first in ``PATH``.

    Workers must run the Python of this program. It need not be the first in ``PATH``: the Python of
    a notebook's kernel often is not.
    """
    environment = {k: v for k, v in os.environ.items() if _is_text(k) and _is_text(v)}
    path = environment.get("PATH", os.defpath)
    here = os.path.dirname(sys.executable)
    first = shutil.which("python3", path=path)
    is_first = first is not None and os.path.dirname(first) == here
    if here and not is_first and os.access(os.path.join(here, "python3"), os.X_OK):
        environment["PATH"] = here + os.pathsep + path
    return {**environment, **_inheritance()}


def _inheritance() -> dict[str, str]:
    """Read umask, soft limits and nice value, with the names of Slurm's variables for them."""
    variables = {"SLURM_PRIO_PROCESS": str(os.getpriority(os.PRIO_PROCESS, 0))}
    with contextlib.suppress(OSError):
        # os.umask() can only read it by changing it, for all threads.
        status = pathlib.Path("/proc/self/status").read_text(errors="replace")
        if umask := re.search(r"(?m)^Umask:\s*([0-7]+)$", status):
            variables["SLURM_UMASK"] = umask[1]
    for name in (
        "CPU",
        "FSIZE",
        "DATA",
        "STACK",
        "CORE",
        "RSS",
        "NPROC",
        "NOFILE",
        "MEMLOCK",
        "AS",
    ):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            limit = resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[0]
            variables[f"SLURM_RLIMIT_{name}"] = str(limit % 2**64)
    return variables


def label() -> dict[str, Any]:
    """Describe this program for ``dracoctl status``."""
    notebook = os.environ.get("JPY_SESSION_NAME")
    if notebook is None and (main := sys.modules.get("__main__")) is not None:
        notebook = getattr(main, "__vsc_ipynb_file__", None)
    home = os.path.expanduser("~/")
    if isinstance(notebook, str) and notebook.startswith(home):
        notebook = "~/" + notebook.removeprefix(home)
    program = os.path.basename(sys.argv[0]) if sys.argv else ""
    if program in ("", "-", "-c", "-m"):
        program = "python"
    if program == "__main__.py":
        program = os.path.basename(os.path.dirname(sys.argv[0]))
    if in_kernel():
        program = "Jupyter kernel"
    result: dict[str, Any] = {"host": socket.gethostname(), "pid": os.getpid()}
    # The ids of this process's Dask clients end like this.
    result["client"] = str(uuid.uuid1(clock_seq=os.getpid()))[-17:]
    for name, value in (("notebook", notebook), ("program", program)):
        if isinstance(value, str) and _is_text(value):
            result[name] = value[-250:]
    return result


def in_kernel() -> bool:
    """Whether this process is the kernel of a notebook."""
    kernel = sys.modules.get("ipykernel.kernelapp")
    return kernel is not None and kernel.IPKernelApp.initialized()
