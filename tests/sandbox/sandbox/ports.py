"""Free ports that no other sandbox takes.

A port that is free now may be taken a moment later, most likely by another sandbox that starts at
the same time, or while a test has one of our daemons dead.  So every sandbox also holds a Unix
socket with an abstract name for each of its ports: like ports these belong to the machine's (or
container's) network, and they vanish with the process.
"""

from __future__ import annotations

import random
import socket

from sandbox.errors import SandboxError

ATTEMPTS = 1000
FIRST = 10000
LAST = 65535


class Ports:
    """Neighbouring ports, kept from other sandboxes until released."""

    def __init__(self, first: int, holders: list[socket.socket]) -> None:
        self._holders = holders
        self.numbers = list(range(first, first + len(holders)))

    def release(self) -> None:
        """Let other sandboxes have them."""
        for holder in self._holders:
            holder.close()


def _search_range() -> tuple[int, int]:
    """Return first and last port that the kernel does not hand out to outgoing connections."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
            low, high = (int(word) for word in file.read().split())
    except (OSError, ValueError):
        return FIRST, LAST
    below, above = low - FIRST, LAST - high
    if max(below, above) < 1000:
        return FIRST, LAST
    return (FIRST, low - 1) if below >= above else (high + 1, LAST)


def _hold(port: int) -> socket.socket:
    """Keep one port from other sandboxes and see that it is free; OSError if it is not."""
    holder = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        holder.bind(f"\0draco-sandbox-port-{port}")
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind(("", port))
    except OSError:
        holder.close()
        raise
    return holder


def reserve(count: int) -> Ports:
    """Find `count` free ports in a row.

    Raises
    ------
    SandboxError
        When there seem to be none.
    """
    low, high = _search_range()
    generator = random.SystemRandom()
    for _ in range(ATTEMPTS):
        first = generator.randint(low, high - count + 1)
        holders: list[socket.socket] = []
        try:
            for port in range(first, first + count):
                holders.append(_hold(port))
        except OSError:
            for holder in holders:
                holder.close()
            continue
        return Ports(first, holders)
    raise SandboxError(f"no {count} free ports in a row between {low} and {high}")


def is_listening(port: int) -> bool:
    """Return whether somebody takes IPv4 connections on a port, without making one."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        next(file)
        for line in file:
            words = line.split()
            # 0A is TCP_LISTEN, see the kernel's include/net/tcp_states.h
            if words[3] == "0A" and int(words[1].partition(":")[2], 16) == port:
                return True
    return False
