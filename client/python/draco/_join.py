"""Steps of joining a cluster, and small pure parts of the object that does."""

from __future__ import annotations

import asyncio
import operator
import os
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dask.config
import distributed
from dask.utils import parse_bytes
from distributed.client import Client
from distributed.security import Security

from draco._client import Connection
from draco._progress import Progress
from draco._settings import caller_environment
from draco._visible import is_clean, visible
from draco.errors import ClusterNotRunning, DracoError, SettingError

if TYPE_CHECKING:
    from draco.cluster import Cluster

_TLS = "DASK_DISTRIBUTED__COMM__TLS__"
_DEFAULT_LINK = "{scheme}://{host}:{port}/status"

#: How much of dracod's log belongs to the logs of a cluster, in bytes.
TAIL = 32 * 1024

#: How often, and with which pause in seconds, a stop is asked for while others are connected.
STOP_TRIES, STOP_PAUSE = 8, 0.1


async def join(
    connection: Connection,
    name: str,
    wish: dict[str, Any] | None,
    log: list[tuple[float, str]],
    quiet: bool,
) -> dict[str, Any]:
    """Have a cluster that runs: join it, or start it with this wish (None: only join).

    Returns
    -------
    dict
        dracod's status, and what else it answered to the start.
    """
    if wish is None:
        status = await connection.call("status")
        state = status["cluster"]["state"]
        if state == "running":
            return status
        if state != "starting":
            raise ClusterNotRunning(f'the cluster "{name}" is {state}')
        wish = {}
    progress = Progress(name, log, quiet)
    connection.on_notification = lambda method, params: (
        progress(params) if method == "progress" else None
    )
    ticking = asyncio.ensure_future(progress.tick())
    answer = None
    try:
        answer = await connection.call("start", start_params(wish))
    finally:
        connection.on_notification = None
        ticking.cancel()
        progress.finish(answer)
    return answer


def start_params(wish: dict[str, Any]) -> dict[str, Any]:
    """Make the parameters of the request "start"."""
    try:
        directory = os.getcwd()
    except OSError:
        directory = "/"
    return {
        **wish,
        "environment": caller_environment(),
        "directory": directory,
        "progress": True,
        "bound": True,
    }


def warnings_of(report: dict[str, Any], name: str) -> list[str]:
    """What a user should know of a start that went well."""
    texts = [str(limit.get("message")) for limit in report.get("limits") or []]
    scheduler = report.get("scheduler") or {}
    if scheduler.get("distributed") not in (None, distributed.__version__):
        texts.append(
            f'the cluster "{name}" has distributed {scheduler["distributed"]} '
            f"({scheduler.get('python')}), and this program {distributed.__version__} "
            f"({sys.executable}): they may not understand each other. "
            'name="OTHER" makes a cluster of its own.'
        )
    if not report.get("joined"):
        return texts + [str(text) for text in report.get("warnings") or []]
    different = [
        f"{item['setting']} is {item['running']}, not {item['asked']}"
        for item in report.get("differences") or []
        if item.get("source") != "default"
    ]
    if different:
        texts.append(
            f'the cluster "{name}" runs with other settings, which stay: '
            + "; ".join(different)
            + '. name="OTHER" makes a cluster of its own.'
        )
    return texts


def check_variables(variables: Any) -> dict[str, str]:
    """Make sure that dracod's answer has only variables of Dask, and texts of one line.

    Raises
    ------
    DracoError
        When it has not.
    """
    if not isinstance(variables, dict):
        raise DracoError("dracod's answer holds no variables")
    for name, value in variables.items():
        if not re.fullmatch("DASK_[A-Z0-9_]+", name):
            why = f"the variable {visible(name, '')}, which is none of Dask's"
        elif not isinstance(value, str) or not is_clean(value):
            why = f"the variable {name} to what is no text of one line"
        else:
            continue
        raise DracoError(f"dracod's answer sets {why}: nothing is taken from it")
    return variables


def address_of(variables: dict[str, str]) -> str:
    """Take the scheduler's address out of the variables that ``Client()`` would need.

    Raises
    ------
    DracoError
        When there is none that a client can connect to.
    """
    address = variables.get("DASK_SCHEDULER_ADDRESS", "")
    if not re.fullmatch(r"(tls|tcp)://[A-Za-z0-9._-]+:[0-9]{1,5}", address):
        raise DracoError(f'dracod\'s answer names no address of a scheduler: "{address}"')
    return address


def security_of(variables: dict[str, str]) -> Security:
    """Make the client's certificate from the variables that ``Client()`` would need.

    Raises
    ------
    DracoError
        When a part of it is not named.
    """
    if _TLS + "CA_FILE" not in variables:
        return Security(require_encryption=False)
    parts = [variables.get(_TLS + name) for name in ("CA_FILE", "CLIENT__CERT", "CLIENT__KEY")]
    if None in parts:
        raise DracoError("dracod's answer names a certificate without its key")
    from draco import _tls_fix  # noqa: F401 - it acts as it is imported

    return Security(
        require_encryption=True,
        tls_ca_file=parts[0],
        tls_client_cert=parts[1],
        tls_client_key=parts[2],
    )


def amount_of(
    n: int | None, jobs: int | None, cores: int | None, memory: str | int | None
) -> dict[str, int]:
    """Make the parameters of the request "scale": exactly one of these must be given."""
    amounts: dict[str, Any] = {"workers": n, "jobs": jobs, "cores": cores}
    if memory is not None:
        amounts["memory_mib"] = -(-parse_bytes(memory) // 2**20)
    given = whole_numbers("scale", amounts)
    if len(given) != 1:
        raise SettingError("scale: give one of n, jobs, cores and memory")
    return given


def whole_numbers(method: str, values: Mapping[str, Any]) -> dict[str, int]:
    """Take those that are given, and be sure that they are whole numbers.

    Raises
    ------
    SettingError
        When one is not, such as ``math.inf``.
    """
    given = {}
    for name, value in values.items():
        if value is None:
            continue
        try:
            is_integral = isinstance(value, float) and value.is_integer()
            given[name] = int(value) if is_integral else operator.index(value)
        except TypeError:
            raise SettingError(
                f"{method}: {name} {value!r} is not a whole number, such as 4"
            ) from None
    return given


def own_stop() -> dict[str, Any]:
    """Make the parameters of a request "stop" for a cluster that this process alone uses."""
    clients = [client.id for client in list(Client._instances)]
    return {"own": True, "alone": True, "clients": clients}


async def stop_if_alone(connection: Connection, own: bool = True) -> dict[str, Any]:
    """Stop the cluster unless others use it; "own" means one that this connection began.

    Returns
    -------
    dict
        dracod's answer: where the cluster was kept, ``kept`` and ``why``.
    """
    answer: dict[str, Any] = {}
    # A client that was just closed, perhaps of another process, needs a moment to leave.
    for _ in range(STOP_TRIES):
        answer = await connection.call("stop", {**own_stop(), "own": own})
        if not answer.get("clients"):
            break
        await asyncio.sleep(STOP_PAUSE)
    return answer


def has_pending_work(cluster: Cluster) -> bool:
    """Whether a client of this process waits for a result of this cluster."""
    return any(
        state.status == "pending"
        for client in list(Client._instances)
        if client.cluster is cluster and client.status == "running"
        for state in list(client.futures.values())
    )


def proxied_link(port: int) -> str | None:
    """The dashboard's path below a JupyterHub server, unless the user has another link."""
    hub = os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
    link = dask.config.get("distributed.dashboard.link", default=_DEFAULT_LINK)
    if not hub or link != _DEFAULT_LINK:
        return None
    return f"{hub}proxy/{port}/status"


def tail_of(path: str | None) -> str:
    """The last lines of a log, or a text that says why there are none."""
    if not path:
        return ""
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            text = file.read().decode(errors="replace")
    except OSError as exc:
        return f"({exc})"
    return visible(text.partition("\n")[2] if size > TAIL else text)
