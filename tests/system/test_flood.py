"""Strangers who flood dracod's port, even from the user's own host, keep nobody out."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from accounts import certificate_files
from flooding import KINDS, RESET, Flood, client_hello
from harness import PYTHON, SOURCE, wait_for
from hosts import ADDRESS, Site, UserAt, connect_file, dracod_port, visit
from kernels import Kernel
from network import as_root, made_or_skipped

#: One connection, and its greeting and an answer, with an event loop and without.
PYTHON_CLIENTS = """
import asyncio
import draco
from draco._daemon import connect
async def ask(name):
    connection, _ = await connect(name, False)
    answer = await connection.call("status")
    connection.close()
    return answer["cluster"]["state"]
"""
TICKS = os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with made_or_skipped(Site) as site:
        yield site


@pytest.fixture
def users(site: Site) -> Iterator[tuple[UserAt, UserAt]]:
    """The user on dracod's host, and on the other one."""
    with visit(site) as users:
        yield users


def cpu_share(pid: int, seconds: float = 1.0) -> float:
    """The share of a core that a process takes."""

    def used() -> float:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    before, begin = used(), time.monotonic()
    time.sleep(seconds)
    return (used() - before) / (time.monotonic() - begin)


def state_by_command(user: UserAt) -> str:
    """The answer's whole text where it says no state."""
    answer = user.run("--json", "status", check=False)
    cluster = json.loads(answer.stdout).get("cluster", {})
    return cluster.get("state") or answer.stdout + answer.stderr


def state_by_python(kernel: Kernel, name: str, number: int) -> str:
    code = (
        f"print(asyncio.run(ask({name!r})))"
        if number % 2
        else "print(draco.list_clusters()[0].state)"
    )
    return kernel.run(code).strip()


@as_root
@pytest.mark.parametrize("kind", KINDS)
def test_the_user_is_served(users: tuple[UserAt, UserAt], kind: str) -> None:
    """20 of 20, by C and by Python, while 5,000 and more connections come from three processes."""
    one, two = users
    one.start()
    with two.kernel() as kernel:
        kernel.run(PYTHON_CLIENTS)
        with two.host.inside(), Flood((ADDRESS, dracod_port(one)), kind, 3) as flood:
            wait_for(lambda: flood.count() > 1000, "the flood has begun")
            for number in range(10):
                assert state_by_command(two) == "running"
                assert state_by_python(kernel, one.name, number) == "running"
                assert state_by_command(one) == "running"  # by the socket
            wait_for(lambda: flood.count() > 5000, "many have connected")
    pid = one.daemon()
    wait_for(lambda: cpu_share(pid) < 0.1, "dracod has nothing to do any more")
    turned_away = re.findall("remote: .* rejected: .*", one.log.read_text())
    assert len(turned_away) < 10, turned_away  # one a minute
    assert state_by_command(two) == "running"


@as_root
def test_messages_of_the_user_sent_again(users: tuple[UserAt, UserAt]) -> None:
    """Somebody in the network who has seen the first message of a client gains nothing by it."""
    one, two = users
    one.start()
    key = str(certificate_files(one)[2])
    code = f"from draco._knock import make_name; print(make_name({key!r}))"
    with two.kernel() as kernel:
        hello = client_hello(kernel.run(code).strip())
        assert b"draco-" in hello
        with (
            two.host.inside(),
            Flood((ADDRESS, dracod_port(one)), "hello", 3, hello=hello) as f,
        ):
            wait_for(lambda: f.count() > 5000, "many have connected")
            for _ in range(5):
                assert state_by_command(two) == "running"


class Parting:
    """A port of the second host that drops its first clients, and brings the others to dracod."""

    def __init__(self, target: tuple[str, int], part: int) -> None:
        self.target = target
        self.part = part
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.server.accept()
                if self.part > 0:
                    self.part -= 1
                    client.recv(1)
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    client.close()
                    continue
                server = socket.create_connection(self.target)
                for ends in ((client, server), (server, client)):
                    threading.Thread(target=self.copy, args=ends, daemon=True).start()

    @staticmethod
    def copy(source: socket.socket, drain: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                drain.sendall(data)
            drain.shutdown(socket.SHUT_WR)


@as_root
def test_who_is_parted_from_tries_again(users: tuple[UserAt, UserAt]) -> None:
    one, two = users
    one.start()
    with two.host.inside():  # where its threads stay, too
        parting = Parting((ADDRESS, dracod_port(one)), 3)
        thread = threading.Thread(target=parting.run)
        thread.start()
    content = {**connect_file(one), "daemon": f"127.0.0.1:{parting.port}"}
    (one.state / "connect.json").write_text(json.dumps(content))
    with two.kernel() as kernel:
        kernel.run(PYTHON_CLIENTS)
        assert state_by_command(two) == "running"
        for number in range(2):
            assert parting.part == 0
            parting.part = 3
            assert state_by_python(kernel, one.name, number) == "running"
        parting.part = 100
        result = two.run("status", check=False)
        assert result.returncode == 1
        assert "cannot be reached" in result.stderr
        kernel.fail(f"print(asyncio.run(ask({one.name!r})))")
        assert parting.part > 80  # neither has tried for long
    parting.server.shutdown(socket.SHUT_RDWR)
    parting.server.close()
    thread.join(60)


def test_python_knocks_as_dracod_expects(tmp_path: Path) -> None:
    """tests/unit/check_knock.c has the same name."""
    key = tmp_path / "key.pem"
    key.write_text("-----BEGIN PRIVATE KEY-----\n")
    nonce = bytes(range(16)).hex()
    code = f"from draco._knock import make_name; print(make_name({str(key)!r}, {nonce!r}))"
    run = subprocess.run(
        [PYTHON, "-c", code],
        env={**os.environ, "PYTHONPATH": str(SOURCE / "client/python")},
        check=True,
        capture_output=True,
        text=True,
    )
    assert run.stdout == f"draco-{nonce}.7092a0a7801d6e8d59ae1e1185d28c9e\n"
