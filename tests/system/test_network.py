"""Which network scheduler and workers use, on two networks that are a login node and a node.

    login  eth0 10.70.0.1 ---- eth0 10.70.0.2  node
           ib0  10.77.0.1 ---- ib3  10.77.0.2

slurmctld and n1 (partition short) run in the one, n2 (partition standard) in the other.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from accounts import listening
from harness import Draco, Sandbox, wait_for
from network import (
    Namespace,
    add_cable,
    as_root,
    infiniband_by_type,
    ip,
    made_or_skipped,
    set_up,
)

pytestmark = as_root

COMPUTE = """
from distributed import Client
with Client(timeout=60) as client:
    assert sum(client.gather(client.map(lambda x: x * x, range(10)))) == 285
    print(*client.scheduler_info()["workers"])
"""

#: The interfaces here, for an error; the loopback interface of the login node is always there.
HERE = "the interfaces here are lo (127.0.0.1), eth0 (10.70.0.1)"


class Site:
    """A login node, a node, and Slurm on both."""

    def __init__(self) -> None:
        self.login, self.node = Namespace(), Namespace()
        with self.login.inside():
            add_cable("eth0", self.node, "eth0")
            set_up("eth0", "10.70.0.1/24")
        with self.node.inside():
            set_up("eth0", "10.70.0.2/24")
        self.sandbox = Sandbox("--nodes", "2")

    def __enter__(self) -> Site:
        with self.login.inside():
            self.sandbox.__enter__()
            self._spread_slurm()
        wait_for(lambda: self._idle() == ["n1", "n2"], "both nodes are idle")
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.slurmd.terminate()
        self.slurmd.wait(60)
        with self.login.inside():
            self.sandbox.__exit__()
        self.login.close()
        self.node.close()

    def _spread_slurm(self) -> None:
        """Have Slurm listen at all addresses, and n2 in the other namespace."""
        for daemon in ("n1", "n2", "slurmctld"):
            self.sandbox.kill(daemon, "TERM")
        conf = Path(self.sandbox.environment["SLURM_CONF"])
        text = conf.read_text().replace("(127.0.0.1)", "(10.70.0.1)")
        text = re.sub("^CommunicationParameters=.*\n", "", text, flags=re.MULTILINE)
        conf.write_text(text.replace("NodeAddr=127.0.0.1", "NodeAddr=10.70.0.[1-2]"))
        self.sandbox.restart("slurmctld")
        self.sandbox.restart("n1")
        with self.node.inside():
            self.slurmd = subprocess.Popen(
                ["slurmd", "-D", "-N", "n2"],
                env={**os.environ, **self.sandbox.environment},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    def _idle(self) -> list[str]:
        with self.login.inside():
            return sorted(self.sandbox.command("sinfo", "-Nht", "idle", "-o", "%N").split())

    @contextlib.contextmanager
    def node_address(self, node: str, address: str) -> Iterator[None]:
        """Let a node have another address in Slurm for a while."""
        usual = {"n1": "10.70.0.1", "n2": "10.70.0.2"}[node]
        self.sandbox.command("scontrol", "update", f"NodeName={node}", f"NodeAddr={address}")
        try:
            yield
        finally:
            self.sandbox.command("scontrol", "update", f"NodeName={node}", f"NodeAddr={usual}")

    def add_infiniband(
        self, address: str | None = "10.77.0.1/24", up: bool = True, node_name: str = "ib3"
    ) -> None:
        """Add ib0 here, and its other end on the node."""
        add_cable("ib0", self.node, node_name)
        set_up("ib0", address, up)
        with self.node.inside():
            set_up(node_name, "10.77.0.2/24")


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with made_or_skipped(Site) as site:
        yield site


@pytest.fixture
def draco(site: Site) -> Iterator[Draco]:
    """A user of draco on the login node; the interfaces that a test adds go after it."""
    with site.login.inside():
        try:
            with Draco(site.sandbox) as user:
                yield user
            user.check_nothing_left()
        finally:
            for name in ("ib0", "ib1", "fabric0"):
                with contextlib.suppress(subprocess.CalledProcessError):
                    ip("link", "delete", name)


def start(draco: Draco, *options: str, partition: str = "standard", check: bool = True):
    # One job, however long its tasks take.
    return draco.start(f"--queues-to-try={partition}", "--maximum=2", *options, check=check)


def scheduler_host(draco: Draco) -> str:
    match = re.match(r"tls://([0-9.]+):\d+$", draco.status()["scheduler"]["address"])
    assert match
    return match[1]


def worker_hosts(draco: Draco) -> set[str]:
    """Where the workers listen; they also compute something."""
    draco.wait_for_workers(2)
    return {re.split("[/:]+", worker)[1] for worker in draco.python(COMPUTE).split()}


def job_listeners(draco: Draco) -> set[tuple[str, int]]:
    """Where the processes of this user's jobs listen."""
    found = set()
    for pid in draco.processes():
        with contextlib.suppress(OSError):  # it has just ended
            if b"\0SLURM_JOB_ID=" in Path(f"/proc/{pid}/environ").read_bytes():
                found |= listening(pid)
    return found


def job_log(draco: Draco) -> str:
    return Path(draco.status()["jobs"][0]["log"]).read_text()


@pytest.mark.parametrize("interface", ["auto", "none"])
def test_without_infiniband(draco: Draco, interface: str) -> None:
    start(draco, f"--interface={interface}")
    assert (scheduler_host(draco), draco.status()["interface"]) == ("10.70.0.1", "eth0")
    assert worker_hosts(draco) == {"10.70.0.2"}
    # Other hosts reach two workers and their two nannies, which want a certificate; no more.
    listeners = job_listeners(draco)
    assert {host for host, _ in listeners} == {"10.70.0.2", "127.0.0.1"}
    assert len([host for host, _ in listeners if host == "10.70.0.2"]) == 4


@pytest.mark.parametrize(
    ("address", "up", "why"),
    [
        (None, True, "ib0 has no IPv4 address"),
        (None, False, "ib0 is down"),
        ("10.77.0.1/24", False, "ib0 is down"),
        (
            "10.77.0.1/24",
            True,
            "ib0 does not lead to the nodes' addresses in Slurm",
        ),
    ],
)
def test_auto_passes_over_infiniband(
    site: Site, draco: Draco, address: str | None, up: bool, why: str
) -> None:
    site.add_infiniband(address, up)
    start(draco)
    assert f"network: {why}, so it is not used" in draco.log.read_text()
    assert (scheduler_host(draco), draco.status()["interface"]) == ("10.70.0.1", "eth0")
    assert worker_hosts(draco) == {"10.70.0.2"}


def test_auto_takes_infiniband_that_leads_to_the_nodes(site: Site, draco: Draco) -> None:
    site.add_infiniband()
    with site.node_address("n2", "10.77.0.2"):
        start(draco)
        assert (scheduler_host(draco), draco.status()["interface"]) == ("10.77.0.1", "ib0")
        assert " on ib0\n" in draco.run("status").stdout
        assert worker_hosts(draco) == {"10.77.0.2"}
        pid = draco.status()["scheduler"]["pid"]
        assert {host for host, _ in listening(pid)} == {"10.77.0.1", "127.0.0.1"}
        draco.run("stop")


def test_auto_takes_infiniband_behind_a_router(site: Site, draco: Draco) -> None:
    site.add_infiniband()
    ip("route", "add", "10.88.0.0/24", "via", "10.77.0.2")
    with site.node.inside():
        ip("address", "add", "10.88.0.2/32", "dev", "lo")
    try:
        with site.node_address("n2", "10.88.0.2"):
            start(draco)
            assert (scheduler_host(draco), draco.status()["interface"]) == ("10.77.0.1", "ib0")
            assert worker_hosts(draco) == {"10.77.0.2"}
            draco.run("stop")
    finally:
        with site.node.inside():
            ip("address", "delete", "10.88.0.2/32", "dev", "lo")


@pytest.mark.skipif(not Path("/dev/net/tun").exists(), reason="there is no /dev/net/tun")
def test_auto_knows_infiniband_by_its_type(site: Site, draco: Draco) -> None:
    with (
        infiniband_by_type("fabric0", "10.79.0.1/24"),
        site.node_address("n1", "10.79.0.1"),
    ):
        start(draco, partition="short")
        assert (scheduler_host(draco), draco.status()["interface"]) == ("10.79.0.1", "fabric0")
        assert worker_hosts(draco) == {"10.79.0.1"}
        draco.run("stop")


@pytest.mark.parametrize("node_name", ["ib0", "ib3"])
def test_interface_by_name(site: Site, draco: Draco, node_name: str) -> None:
    """It wins although the nodes' addresses are elsewhere; a node may call it otherwise."""
    site.add_infiniband(node_name=node_name)
    start(draco, "--interface=ib0")
    assert (scheduler_host(draco), draco.status()["interface"]) == ("10.77.0.1", "ib0")
    assert worker_hosts(draco) == {"10.77.0.2"}
    said = "has no interface ib0 that is up and has an IPv4 address: the workers use the one"
    assert (said in job_log(draco)) == (node_name != "ib0")


def test_none_does_not_look_for_infiniband(site: Site, draco: Draco) -> None:
    site.add_infiniband()
    start(draco, "--interface=none")
    assert scheduler_host(draco) == "10.70.0.1"
    assert "ib0" not in draco.log.read_text()


@pytest.mark.parametrize(
    ("name", "host"), [("localhost", "127.0.0.1"), ("10.77.0.1", "10.77.0.1")]
)
def test_name_of_this_host(site: Site, draco: Draco, name: str, host: str) -> None:
    site.add_infiniband()
    start(draco, f"--interface={name}", partition="short")
    assert scheduler_host(draco) == host
    assert worker_hosts(draco) == {host}


@pytest.mark.parametrize(
    ("interface", "message"),
    [
        (
            "ib7",
            f'"ib7" is neither an interface nor a name of this host; {HERE}, ib0 (10.77.0.1)',
        ),
        ("10.70.0.2", "the host 10.70.0.2 has the address 10.70.0.2, and no interface of this"),
    ],
)
def test_interface_that_is_not_there(
    site: Site, draco: Draco, interface: str, message: str
) -> None:
    site.add_infiniband()
    failed = start(draco, f"--interface={interface}", check=False)
    assert failed.returncode == 1
    assert f"interface: {message}" in failed.stderr
    assert not draco.all_jobs()


@pytest.mark.parametrize(
    ("address", "up", "message"),
    [
        (None, True, f"ib0 has no IPv4 address on this host; {HERE}, ib0 (no IPv4 address)"),
        (None, False, f"ib0 is down on this host; {HERE}, ib0 (no IPv4 address, down)"),
        ("10.77.0.1/24", False, f"ib0 is down on this host; {HERE}, ib0 (10.77.0.1, down)"),
    ],
)
def test_interface_that_cannot_be_used(
    site: Site, draco: Draco, address: str | None, up: bool, message: str
) -> None:
    site.add_infiniband(address, up)
    failed = start(draco, "--interface=ib0", check=False)
    assert failed.returncode == 1
    assert f"interface: {message}\n" in failed.stderr
    assert not draco.all_jobs()


def test_a_firewall_between_node_and_scheduler(site: Site, draco: Draco) -> None:
    with socket.create_server(("10.70.0.1", 0)) as server:
        port = server.getsockname()[1]
    rule = ("pref", "1", "to", "10.70.0.1", "ipproto", "tcp", "dport", str(port), "prohibit")
    with site.node.inside():
        ip("rule", "add", *rule)
    try:
        options = (f"--scheduler-port={port}", "--worker-timeout=60")
        failed = start(draco, *options, check=False)
    finally:
        with site.node.inside():
            ip("rule", "del", *rule)
    assert failed.returncode == 1
    where = f"at tls://10.70.0.1:{port}"
    assert f"failed on n2: the node cannot connect to the scheduler {where}" in failed.stderr
    assert f"cannot connect to the scheduler at 10.70.0.1, port {port} (" in failed.stderr
    assert "spawn" not in failed.stdout + failed.stderr
    start(draco, *options)
    assert worker_hosts(draco) == {"10.70.0.2"}


def test_node_without_a_way_to_the_scheduler(draco: Draco) -> None:
    """The error is the node's own, not a time-out."""
    ip("link", "add", "ib1", "type", "veth", "peer", "name", "ib1-x")
    set_up("ib1-x")
    set_up("ib1", "10.80.0.1/24")
    failed = start(draco, "--interface=ib1", check=False)
    assert failed.returncode == 1
    assert (
        "cannot reach the scheduler's address 10.80.0.1: Network is unreachable"
        in failed.stderr
    )
    assert "the setting interface chooses another one" in failed.stderr
