"""``stop``, ``env``, ``restart`` and ``kill``: what is asked of a running sandbox from outside."""

from __future__ import annotations

import os
import shutil
import signal
import time

from sandbox import processes
from sandbox.config import Layout
from sandbox.control import ask
from sandbox.errors import SandboxError, UsageError

STOP_LIMIT_S = 60
REQUEST_LIMIT_S = 150
KILL_LIMIT_S = 10
POLL_S = 0.01


def find(root: str) -> Layout:
    """Return the sandbox in a folder; UsageError when it holds none."""
    layout = Layout(os.path.abspath(root))
    if not os.path.isfile(layout.supervisor_pid):
        raise UsageError(
            f"{root}: no sandbox; the folder that start printed as DRACO_SANDBOX is right"
        )
    return layout


def _identity(layout: Layout) -> tuple[int, int]:
    """Return the supervisor's process id and start time."""
    try:
        with open(layout.supervisor_pid, encoding="ascii") as file:
            pid, start = file.read().split()
        return int(pid), int(start)
    except (OSError, ValueError):
        raise SandboxError(f"{layout.supervisor_pid}: cannot be read") from None


def _lives(identity: tuple[int, int]) -> bool:
    pid, start = identity
    return processes.start_time(pid) == start


def environment(layout: Layout) -> dict[str, str]:
    """Return the variables of a running sandbox; SandboxError when it does not run."""
    if not _lives(_identity(layout)):
        raise SandboxError(f"{layout.root}: its supervisor has died; stop removes the rest")
    return layout.environment()


def stop(layout: Layout) -> None:
    """Stop a sandbox and wait until nothing is left of it."""
    identity = _identity(layout)
    if _lives(identity):
        try:
            os.kill(identity[0], signal.SIGTERM)
        except ProcessLookupError:
            pass
        except PermissionError:
            raise SandboxError(f"{layout.root}: belongs to somebody else") from None
        deadline = time.monotonic() + STOP_LIMIT_S
        while _lives(identity):
            if time.monotonic() > deadline:
                raise SandboxError(
                    f"{layout.root}: process {identity[0]} still runs after {STOP_LIMIT_S} s"
                )
            time.sleep(POLL_S)
    if os.path.lexists(layout.root):
        clean_up(layout)


def clean_up(layout: Layout) -> None:
    """Remove what a killed supervisor has left: jobs and files; its daemons died with it."""
    deadline = time.monotonic() + KILL_LIMIT_S
    while True:
        roots = processes.with_variable(layout.mark())
        if not roots:
            break
        for pid in [*roots, *processes.descendants(*roots)]:
            processes.send_signal(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise SandboxError(
                f"{layout.root}: cannot end {', '.join(str(pid) for pid in roots)}"
            )
        time.sleep(POLL_S)
    shutil.rmtree(layout.root, ignore_errors=True)
    if os.path.lexists(layout.root):
        raise SandboxError(f"{layout.root}: cannot be removed")


def request(layout: Layout, words: list[str]) -> str:
    """Have the supervisor do something with a daemon; return what it did."""
    environment(layout)
    try:
        verdict, text = ask(layout.control, words, REQUEST_LIMIT_S)
    except OSError as error:
        raise SandboxError(f"{layout.root}: {error.strerror or error}") from None
    if verdict == "usage":
        raise UsageError(text)
    if verdict != "ok":
        raise SandboxError(text or f"{layout.root}: stopped meanwhile")
    return text
