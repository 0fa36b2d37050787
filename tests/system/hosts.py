"""Two login nodes with one home: dracod and Slurm on one, other programs of the user on the other.

    this host  eth0 10.71.0.1 ---- eth0 10.71.0.2  login2

Each is a network namespace, the second one with a host name of its own; for root only.
"""

from __future__ import annotations

import copy
import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness import Draco, Sandbox
from kernels import Kernel
from network import Namespace, add_cable, ip, set_up

ADDRESS = "10.71.0.1"  # of the first


class Host:
    """One login node.

    Parameters
    ----------
    name : str, optional
        Its host name; by default that of this machine, which Slurm must know.
    """

    def __init__(self, name: str | None = None) -> None:
        self.name = name or socket.gethostname()
        self.namespace = Namespace(name)

    def inside(self):
        return self.namespace.inside()

    def cut(self) -> None:
        """Take it from the network, as if it had vanished."""
        with self.inside():
            ip("link", "set", "eth0", "down")

    def mend(self) -> None:
        with self.inside():
            set_up("eth0")

    @contextmanager
    def without_port(self, port: int) -> Iterator[None]:
        """Let nothing out to this port, as a firewall does."""
        rule = ["ipproto", "tcp", "dport", str(port), "unreachable"]
        with self.inside():
            ip("rule", "add", *rule)
        try:
            yield
        finally:
            with self.inside():
                ip("rule", "delete", *rule)


class UserAt(Draco):
    """A user on one of the hosts: the same home, a runtime directory of that host.

    Parameters
    ----------
    draco : Draco
        The user.
    host : Host
        Where the programs run.
    """

    def __init__(self, draco: Draco, host: Host) -> None:
        self.__dict__.update(copy.copy(draco.__dict__))
        self.host = host
        self.runtime = draco.root / f"run-{host.name}"
        self.runtime.mkdir(mode=0o700, exist_ok=True)
        self.environment = {**draco.environment, "XDG_RUNTIME_DIR": str(self.runtime)}

    def run(self, *arguments: str, **kwargs: Any) -> subprocess.CompletedProcess[str]:
        with self.host.inside():
            return super().run(*arguments, **kwargs)

    def popen(self, *arguments: str, **kwargs: Any) -> subprocess.Popen[str]:
        with self.host.inside():
            return super().popen(*arguments, **kwargs)

    def python(self, code: str, timeout: float = 120) -> str:
        with self.host.inside():
            return super().python(code, timeout)

    def kernel(self, **variables: str) -> Kernel:
        with self.host.inside():
            return Kernel(self, **variables)


class Site:
    """Both hosts, and a Slurm on the first one."""

    def __init__(self) -> None:
        self.one, self.two = Host(), Host("login2")
        with self.one.inside():
            add_cable("eth0", self.two.namespace, "eth0")
            set_up("eth0", f"{ADDRESS}/24")
        with self.two.inside():
            set_up("eth0", "10.71.0.2/24")
        self.sandbox = Sandbox("--nodes", "2", "--shared")

    def __enter__(self) -> Site:
        with self.one.inside():
            self.sandbox.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        with self.one.inside():
            self.sandbox.__exit__()
        self.one.namespace.close()
        self.two.namespace.close()


@contextmanager
def visit(site: Site) -> Iterator[tuple[UserAt, UserAt]]:
    """A user on both hosts; afterwards nothing may be left."""
    with site.one.inside(), Draco(site.sandbox) as user:
        user.environment["DRACO_INTERFACE"] = "eth0"
        yield UserAt(user, site.one), UserAt(user, site.two)
    with site.one.inside():
        user.check_nothing_left()


def connect_file(draco: Draco) -> dict[str, Any]:
    """What connect.json says."""
    return json.loads((draco.state / "connect.json").read_text())


def dracod_port(draco: Draco) -> int:
    """The port at which dracod listens for other hosts."""
    address, port = connect_file(draco)["daemon"].split(":")
    assert address == ADDRESS
    return int(port)
