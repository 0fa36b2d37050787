"""Network namespaces and interfaces of a test's own; for root only."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator

CLONE_NEWNET = 0x40000000
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


class Namespace:
    """A network of its own for this process and those that it starts while inside.

    It has a loopback interface, and goes when the last process has left it.
    """

    def __init__(self) -> None:
        with self._kept():
            _check(libc.unshare(CLONE_NEWNET))
            self._fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            ip("link", "set", "lo", "up")

    @staticmethod
    @contextlib.contextmanager
    def _kept() -> Iterator[None]:
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            yield
        finally:
            _check(libc.setns(before, CLONE_NEWNET))
            os.close(before)

    @contextlib.contextmanager
    def inside(self) -> Iterator[None]:
        """Be in it for a while."""
        with self._kept():
            _check(libc.setns(self._fd, CLONE_NEWNET))
            yield

    def close(self) -> None:
        os.close(self._fd)

    def path(self) -> str:
        """Its name for ip(8), while this object is open."""
        return f"/proc/{os.getpid()}/fd/{self._fd}"


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
