"""Join, start and stop a cluster for an object, and read dracod's answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Union

import dask.config
import distributed
from distributed.client import Client
from distributed.core import rpc
from distributed.security import Security
from distributed.utils import format_dashboard_link

from draco import _html
from draco._batch_job import JOB_PREFIX
from draco._client import Connection
from draco._dracoctl import run_dracoctl
from draco._holder import is_here
from draco._progress import Progress
from draco._settings import caller_environment
from draco._versions import is_same_version, own_cluster
from draco._visible import is_clean, visible
from draco.errors import ClusterNotRunning, DaemonNotRunning, DracoError

if TYPE_CHECKING:
    from draco._link import Link
    from draco.cluster import Cluster

#: Whether closing an object stops the cluster.
Policy = Union[bool, Literal["auto"]]

_TLS = "DASK_DISTRIBUTED__COMM__TLS__"
_DEFAULT_LINK = "{scheme}://{host}:{port}/status"

#: How long dracoctl may take to show a setting, in seconds.
SHOW_TIMEOUT = 30

#: The end of dracod's log that is shown with a cluster's logs, in bytes.
TAIL = 32 * 1024

#: How often a stop is tried while others are connected, and the pause between, in seconds.
STOP_TRIES, STOP_PAUSE = 8, 0.1

#: How long the end of a client may take, in seconds.
CLIENT_CLOSE_TIMEOUT = 5


@dataclass(frozen=True)
class Joined:
    """The facts about a joined or started cluster that an object needs.

    Attributes
    ----------
    security : distributed.Security
        The certificate of a client.
    scheduler : distributed.core.rpc
        Makes calls to the scheduler.
    warnings : list of str
        What the user should know.
    """

    security: Security
    scheduler: Any
    warnings: list[str]


async def join(
    link: Link,
    wish: dict[str, Any] | None,
    log: list[tuple[float, str]],
    quiet: bool,
) -> Joined:
    """Join a cluster that runs, or start it.

    Parameters
    ----------
    link : Link
        Open; it gets the first report.
    wish : dict or None
        ``settings`` and ``profile`` for a start; None only joins.
    log : list of tuple
        Gets the steps of a start, each with its time.
    quiet : bool
        Show no progress.

    Raises
    ------
    ClusterNotRunning
        When there is no cluster to join.
    DracoError
        When the start failed, or there is no connection.
    """
    for last in (False, False, True):
        connection = link.connection
        if connection is None:
            raise link.not_running()
        try:
            report = await _start(connection, link, wish, log, quiet)
            break
        except DaemonNotRunning:
            if last or not await link.open_again():
                raise
    link.has_begun = report.get("joined") is False
    link.set_report(report)
    variables = check_variables(await link.call("environment"))
    security = security_of(variables)
    connection_args = security.get_connection_args("client")
    scheduler = rpc(address_of(variables), connection_args=connection_args)
    return Joined(security, scheduler, warnings_of(report, link.name))


async def _start(
    connection: Connection,
    link: Link,
    wish: dict[str, Any] | None,
    log: list[tuple[float, str]],
    quiet: bool,
) -> dict[str, Any]:
    """Ask dracod for the cluster; returns its status and the rest of the answer."""
    name = link.name
    if wish is None:
        status: dict[str, Any] = await connection.call("status")
        state = status["cluster"]["state"]
        if state == "running":
            return status
        if state != "starting":
            raise ClusterNotRunning(f'the cluster "{name}" is {state}')
        wish = {}
    progress = Progress(name, log, quiet)

    def take(method: str, params: dict[str, Any]) -> None:
        if method == "progress":
            link.step = str(params.get("message") or "")
            progress(params)

    connection.on_notification = take
    ticking = asyncio.ensure_future(progress.tick())
    answer: dict[str, Any] | None = None
    failure = ""
    try:
        answer = await connection.call("start", start_params(wish))
    except DracoError as exc:
        failure = str(exc)
        raise
    finally:
        connection.on_notification = None
        ticking.cancel()
        progress.finish(answer, failure)
    return answer or {}


def divide_cores(name: str, wish: dict[str, Any]) -> dict[str, Any]:
    """Choose the number of processes as dask-jobqueue does, if the default does not fit.

    Parameters
    ----------
    name : str
        Of the cluster.
    wish : dict
        ``settings`` and ``profile`` for a start.

    Returns
    -------
    dict
        The wish. If it has ``cores`` and ``processes`` is not set anywhere, and the default of
        ``processes`` exceeds the cores, ``processes`` is the square root of the cores.
    """
    settings = wish.get("settings") or {}
    cores = settings.get("cores")
    if "processes" in settings or not isinstance(cores, int) or cores < 1:
        return wish
    profile = [f"--profile={wish['profile']}"] if "profile" in wish else []
    try:
        answer = run_dracoctl(name, ["config", "show", *profile], SHOW_TIMEOUT)
        processes = json.loads(answer.stdout)["settings"]["processes"]
        if processes["source"] != "default" or processes["value"] <= cores:
            return wish
    except (DracoError, OSError, subprocess.TimeoutExpired, ValueError, LookupError, TypeError):
        return wish  # dracod reports the error
    return {**wish, "settings": {**settings, "processes": math.isqrt(cores)}}


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
    """List the warnings about a start that succeeded."""
    texts = [str(limit.get("message")) for limit in report.get("limits") or []]
    texts += [str(text) for text in report.get("mistakes") or []]
    scheduler = report.get("scheduler") or {}
    there = scheduler.get("distributed")
    if there is not None and not is_same_version(there, distributed.__version__):
        texts.append(
            f'the cluster "{name}" has distributed {there} '
            f"({scheduler.get('python')}), and this program {distributed.__version__} "
            f"({sys.executable}): they may not understand each other. "
            f"{own_cluster(name)}"
        )
    texts += life_of(report, name) + notices_of(report, name)
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


def life_of(report: Mapping[str, Any], name: str) -> list[str]:
    """Say with which Slurm job a cluster ends whose name does not tell it.

    Parameters
    ----------
    report : mapping
        dracod's report.
    name : str
        Of the cluster.

    Returns
    -------
    list of str
        One text, or none.
    """
    daemon = report.get("daemon") or {}
    job = daemon.get("job")
    if not job or name == f"{JOB_PREFIX}{job}":
        return []
    return [
        f'the cluster "{name}" ends with Slurm job {job} on {daemon.get("host")}, in which its '
        "dracod runs; one that was started on a login node lives on"
    ]


def notices_of(report: Mapping[str, Any], name: str) -> list[str]:
    """List the reasons that keep a cluster from growing.

    Parameters
    ----------
    report : mapping
        dracod's report.
    name : str
        Of the cluster.

    Returns
    -------
    list of str
        One text for each reason; most clusters have none.
    """
    paused = _html.paused_text(report)
    notices = (report.get("cluster") or {}).get("notices") or []
    texts = [f'the cluster "{name}" is paused: {paused}'] if paused else []
    return texts + [f'the cluster "{name}": {notice}' for notice in notices]


def check_variables(variables: Any) -> dict[str, str]:
    """Return the variables of dracod's answer, after a check.

    Raises
    ------
    DracoError
        When one is no variable of Dask, or its value is no text of one line.
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
    """Take the scheduler's address from the variables that ``Client()`` would need.

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
    if not variables.get(_TLS + "CA_FILE"):  # it is empty without encryption
        return Security(require_encryption=False)
    parts = [variables.get(_TLS + name) for name in ("CA_FILE", "CLIENT__CERT", "CLIENT__KEY")]
    if None in parts:
        raise DracoError("dracod's answer names a certificate without its key")
    from draco import _tls_fix  # noqa: F401 - the import acts

    return Security(
        require_encryption=True,
        tls_ca_file=parts[0],
        tls_client_cert=parts[1],
        tls_client_key=parts[2],
    )


def own_stop() -> dict[str, Any]:
    """Make the parameters of a request "stop" that keeps a cluster in use by others."""
    clients = [client.id for client in list(Client._instances)]
    return {"own": True, "alone": True, "clients": clients}


async def close_unfinished_client(cluster: Cluster) -> None:
    """Close this process's client of a cluster if its own beginning was interrupted.

    No program has such a client, but the scheduler counts it once it is connected. Distributed
    lists a client among its instances only after the beginning.

    Parameters
    ----------
    cluster : Cluster
        The client's cluster, in whose event loop both run.
    """
    with contextlib.suppress(Exception):  # there is none, or it lacks a part that it needs
        client = Client.current()
        if client.cluster is cluster and client not in Client._instances:
            await asyncio.wait_for(client._close(fast=True), CLIENT_CLOSE_TIMEOUT)


async def stop_if_alone(connection: Connection, own: bool = True) -> dict[str, Any]:
    """Stop the cluster unless others use it.

    Parameters
    ----------
    connection : Connection
        To dracod.
    own : bool
        Stop it only if this connection started it.

    Returns
    -------
    dict
        dracod's answer; ``kept`` and ``why`` when the cluster was not stopped.
    """
    answer: dict[str, Any] = {}
    # The scheduler notices a moment later that a client was closed.
    for _ in range(STOP_TRIES):
        answer = await connection.call("stop", {**own_stop(), "own": own})
        if not answer.get("clients"):
            break
        await asyncio.sleep(STOP_PAUSE)
    return answer


async def stop_by(link: Link, policy: Policy) -> None:
    """Stop the cluster for an object that is closed, by its policy.

    Parameters
    ----------
    link : Link
        The object's link. If it is closed, nothing is done.
    policy : bool or "auto"
        The object's ``shutdown_on_close``.

    Raises
    ------
    DracoError
        When dracod refuses to stop it, or does not answer; or was killed, and no other one can go
        on with its cluster.
    """
    if link.connection is None or not link.is_open or not policy:
        return
    for last in (False, False, True):
        link.connection.on_lost = None
        try:
            if policy == "auto":
                await stop_if_alone(link.connection)
            else:
                await link.connection.call("stop")
            return
        except DaemonNotRunning:  # the next dracod goes on with what the killed one was at
            if last or not await link.open_again():
                break
            await link.claim()
    if link.has_left_cluster():
        raise DaemonNotRunning(f'dracod "{link.name}" was killed while it stopped the cluster')


def has_pending_work(cluster: Cluster) -> bool:
    """Whether a client of this process waits for a result of this cluster."""
    return any(
        state.status == "pending"
        for client in list(Client._instances)
        if client.cluster is cluster and client.status == "running"
        for state in list(client.futures.values())
    )


def proxied_link(port: int) -> str | None:
    """The dashboard's URL on a JupyterHub; None without a hub, or if the user has set a link."""
    hub = os.environ.get("JUPYTERHUB_SERVICE_PREFIX")
    link = dask.config.get("distributed.dashboard.link", default=_DEFAULT_LINK)
    if not hub or link != _DEFAULT_LINK:
        return None
    return f"{hub}proxy/{port}/status"


def direct_link(report: Mapping[str, Any]) -> str:
    """The dashboard's URL for this host; "" if this host cannot reach it."""
    dashboard = report.get("dashboard") or {}
    if not dashboard.get("port") or not dashboard.get("address"):
        return ""
    is_far = not is_here(report.get("daemon") or {})
    if is_far and dashboard["address"].startswith("127."):
        return ""
    return str(format_dashboard_link(dashboard["address"], dashboard["port"]))


def dashboard_link(report: Mapping[str, Any]) -> str:
    """The dashboard's URL for a browser, perhaps on a JupyterHub; "" if there is none."""
    direct = direct_link(report)
    if direct and is_here(report.get("daemon") or {}):
        return proxied_link(report["dashboard"]["port"]) or direct
    return direct


def tail_of(path: str | None) -> str:
    """Read the last lines of a log, or say why it cannot be read."""
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
