"""Network namespaces, hosts and interfaces of a test's own; for root only."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TypeVar

import pytest

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can make network namespaces")

Site = TypeVar("Site", bound=AbstractContextManager)

CLONE_NEWUTS = 0x04000000
CLONE_NEWNET = 0x40000000
KINDS = {"net": CLONE_NEWNET, "uts": CLONE_NEWUTS}
TUNSETIFF = 0x400454CA
TUNSETLINK = 0x400454CD
IFF_TAP_NO_PI = 0x1002
ARPHRD_INFINIBAND = 32

libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@contextlib.contextmanager
def made_or_skipped(make: Callable[[], Site]) -> Iterator[Site]:
    """Hosts for tests, which are skipped where no namespaces can be made."""
    try:
        site = make()
    except OSError as error:
        pytest.skip(f"no network namespaces here: {error}")
    with site:
        yield site


class Namespace:
    """A network of its own for this process and those that it starts while inside.

    It has a loopback interface, and goes when the last process has left it.

    Parameters
    ----------
    hostname : str, optional
        The name of the host in there; without it is the one where this object is made.
    """

    def __init__(self, hostname: str | None = None) -> None:
        with self._kept():
            _check(
                libc.unshare(CLONE_NEWNET if hostname is None else CLONE_NEWNET | CLONE_NEWUTS)
            )
            self._fds = self._open()
            if hostname is not None:
                socket.sethostname(hostname)
            ip("link", "set", "lo", "up")

    def _open(self) -> dict[str, int]:
        return {kind: os.open(f"/proc/thread-self/ns/{kind}", os.O_RDONLY) for kind in KINDS}

    def _enter(self, fds: dict[str, int]) -> None:
        for kind, fd in fds.items():
            _check(libc.setns(fd, KINDS[kind]))

    @contextlib.contextmanager
    def _kept(self) -> Iterator[None]:
        before = self._open()
        try:
            yield
        finally:
            self._enter(before)
            for fd in before.values():
                os.close(fd)

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Be in it for a while."""
        with self._kept():
            self._enter(self._fds)
            yield

    def close(self) -> None:
        for fd in self._fds.values():
            os.close(fd)

    def path(self) -> str:
        """Its name for ip(8), while this object is open."""
        return f"/proc/{os.getpid()}/fd/{self._fds['net']}"


def add_cable(name: str, other: Namespace, other_name: str) -> None:
    """Join this network and another one by a cable; its ends are off and have no address."""
    words = f"link add {name} type veth peer name {other_name} netns {other.path()}"
    ip(*words.split())


def set_up(name: str, address: str | None = None, up: bool = True) -> None:
    """Give an interface an address (with the length of its network) and switch it on."""
    if address:
        ip("address", "add", address, "dev", name)
    if up:
        ip("link", "set", name, "up")


@contextlib.contextmanager
def infiniband_by_type(name: str, address: str) -> Iterator[None]:
    """Have an interface whose hardware type is InfiniBand, whatever its name."""
    with open("/dev/net/tun", "r+b", buffering=0) as device:
        request = struct.pack("16sH", name.encode(), IFF_TAP_NO_PI)
        fcntl.ioctl(device, TUNSETIFF, request)
        fcntl.ioctl(device, TUNSETLINK, ARPHRD_INFINIBAND)
        set_up(name, address)
        yield
