"""Uses draco's Python package against a server that answers anything.

``chaos_client.py SEED SECONDS``: only errors of draco's own and of the operating system may come
out, and nothing may hang. What else comes is printed, and the exit status is 1. It writes
``daemon.json`` and ``connect.json`` of the cluster "chaos" anew in each round.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import random
import socket
import sys
import time
import traceback
import warnings
from typing import Any

import chaos
import dask
from draco import Cluster, DracoError, _html, _join, discovery, list_clusters
from draco._client import Connection, call_once
from draco._instances import state_directory
from draco._link import Link
from draco._reach import Way
from draco._rendezvous import read_connect, read_daemon

NAME = "chaos"

#: What may take this long does not hang; a machine may be busy.
PATIENCE = 60

SOCKET = os.path.join(os.environ["XDG_RUNTIME_DIR"], "draco", NAME, "control.sock")

DAEMON = {
    "pid": 1, "host": socket.gethostname(), "boot": "b", "version": "0.1.0", "socket": SOCKET,
    "started": 1796000000,
}  # fmt: skip

CONNECT = {
    "pid": 1, "host": "elsewhere", "protocol": 1, "scheduler": "tls://127.0.0.1:1",
    "daemon": "127.0.0.1:1", "no_daemon": None, "ca": __file__, "certificate": __file__,
    "key": __file__,
}  # fmt: skip


def write(name: str, value: Any, rng: random.Random, chance: float) -> None:
    """Write a file of dracod's, perhaps spoilt."""
    path = state_directory() / NAME / name
    data = json.dumps(chaos.spoil(value, rng) if rng.random() < chance else value).encode()
    path.write_bytes(chaos.noise(rng) if rng.random() < chance / 4 else data)
    path.chmod(0o600)


def way() -> Way:
    """The way to the socket that ``daemon.json`` names."""
    directory = state_directory() / NAME
    read_connect(directory)
    return Way(read_daemon(directory)["socket"])


async def converse(rng: random.Random) -> None:
    """Connect, ask what a cluster's object asks, and show what came."""
    link = Link(NAME, False, lambda: True, lambda: None, lambda why: None)
    link.connection = connection = await Connection.open(way())
    try:
        joined = await _join.join(link, rng.choice([None, {}]), [], rng.random() < 0.5)
        await joined.scheduler.close_rpc()
        _html.status_html(NAME, link.report)
        _html.scaling_html(link.report, 3)
        _html.start_html(NAME, "starting", link.report)
        for method in rng.sample(["events", "attach", "scale", "adapt", "stop", "script"], 3):
            await connection.call(method)
    finally:
        connection.close()


async def use_cluster(rng: random.Random) -> None:
    """The whole object; no Dask scheduler is there."""
    cluster = await Cluster.from_name(NAME, asynchronous=True)
    await cluster.close()


def once(rng: random.Random) -> None:
    deed = rng.randrange(8)
    if deed == 0:
        call_once(way(), rng.choice(["status", "environment", "logs"]), timeout=1)
    elif deed == 1:
        list_clusters()
    elif deed == 2:
        discovery.find_security({"address": rng.choice(["tls://127.0.0.1:1", "x"])})
    elif deed == 3:
        asyncio.run(asyncio.wait_for(use_cluster(rng), 3))
    else:
        asyncio.run(asyncio.wait_for(converse(rng), 3))


def main() -> int:
    rng = random.Random(sys.argv[1])
    end = time.monotonic() + float(sys.argv[2])
    rounds = 0
    warnings.simplefilter("ignore")
    dask.config.set({"distributed.comm.timeouts.connect": "0.5s"})
    (state_directory() / NAME).mkdir(mode=0o700, parents=True, exist_ok=True)
    while time.monotonic() < end:
        chance = rng.choice([0, 0, 0.5])
        write("daemon.json", DAEMON, rng, chance)
        write("connect.json", CONNECT, rng, chance)
        begin = time.monotonic()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                once(rng)
        except (DracoError, OSError, TimeoutError, asyncio.TimeoutError):
            pass
        except BaseException:
            traceback.print_exc()
            return 1
        rounds += 1
        if time.monotonic() - begin > PATIENCE:
            print(f"took {time.monotonic() - begin:g} s")
            return 1
    print(f"{rounds} rounds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
