"""Texts from elsewhere command no terminal: dracod's answers, logs, what Slurm and Dask say."""

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
from typing import Any

import pytest
from harness import BUILD, PYTHON, SOURCE, hold_lock
from terminal import Terminal
from user import User

#: A title, a cleared screen, colours of both kinds, a turned direction, and a line of its own.
EVIL = "x\x1b]0;t\x07\x1b[2J\u009b31m\x7f\u202ey\r"
SHOWN = r"x\x1b]0;t\x07\x1b[2J\u009b31m\x7f\u202ey\x0d"

#: Whatever a terminal would act on.
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


def spoil(value: Any) -> Any:
    """Put the evil text behind each text, as deep as they are."""
    if isinstance(value, str):
        return value + EVIL
    if isinstance(value, list):
        return [spoil(item) for item in value]
    if isinstance(value, dict):
        return {name: spoil(item) for name, item in value.items()}
    return value


STATUS = {
    "name": "n",
    "daemon": {"host": "h", "pid": 1, "version": "1"},
    "cluster": {"state": "running", "jobs": 1, "workers": 1, "since": 1, "notices": ["note"],
                "failure": {"message": "failed", "log": "/l", "tail": "tail"}},
    "scheduler": {"state": "up", "address": "tcp://a:1", "distributed": "1", "dashboard": "d"},
    "size": {"mode": "auto", "why": "why", "hold_why": "hold", "paused": True, "paused_why": "p",
             "minimum_jobs": 1, "maximum_jobs": 1, "per_job": {"workers": 1}},
    "slurm": {"asked": True, "answering": False, "since": 1, "error": "error"},
    "dashboard": {"url": "http://u", "note": "note", "address": "a", "port": 1},
    "excluded_nodes": [{"node": "n1", "until": 1}],
    "attached": [{"program": "p", "host": "h", "pid": 1, "since": 1, "last_use": 1}],
    "jobs": [{"id": "1", "phase": "pending", "reason": "Priority", "partition": "p", "nodes": "n",
              "log": "/l", "processes": 1, "workers": 0}],
    "warnings": ["warning"],
}  # fmt: skip

EVENT = {"id": 1, "time": 1.0, "kind": "note", "subject": "job", "name": "1", "text": "text"}
EVENTS = {"events": [{**EVENT, "tail": "tail", "log": "/l"}], "next": 2, "more": False}


class FakeDracod:
    """Serves this user, and answers with texts that are as bad as can be."""

    def __init__(self, user: User) -> None:
        directory = user.runtime / "draco/default"
        directory.mkdir(mode=0o700, parents=True)
        directory.parent.chmod(0o700)
        self.state = user.home / ".local/state/draco/default"
        self.state.mkdir(mode=0o700, parents=True)
        self.path = directory / "control.sock"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen()
        # A dracod lives as long as its lock is held.
        self.lock = hold_lock(self.state)
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        host = {"pid": os.getpid(), "host": socket.gethostname(), "boot": boot}
        daemon = {**host, "socket": str(self.path)}
        (self.state / "daemon.json").write_text(json.dumps(daemon))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines, contextlib.suppress(OSError):
            for line in lines:
                request = json.loads(line)
                for answer in self.answers(request["method"]):
                    answer = {"jsonrpc": "2.0", "id": request["id"], **answer}
                    if "method" in answer:
                        del answer["id"]
                    connection.sendall(json.dumps(answer).encode() + b"\n")

    @staticmethod
    def answers(method: str) -> Iterator[dict[str, Any]]:
        if method == "hello":
            yield {"result": {"protocol": 1, "version": "0.1.0" + EVIL, "pid": 1}}
        elif method == "status":
            yield {"result": spoil(STATUS)}
        elif method == "events":
            yield {"result": spoil(EVENTS)}
        elif method == "script":
            yield {"result": {"script": f"#!/bin/sh\n{EVIL}\n"}}
        elif method == "environment":
            yield {"result": {"DASK_A": EVIL}}
        else:
            yield {"method": "progress", "params": {"step": 1, "message": f"waiting {EVIL}"}}
            data = {"notices": [EVIL], "log": EVIL, "tail": f"{EVIL}\n{EVIL}"}
            yield {"error": {"code": -32000, "message": f"failed {EVIL}", "data": data}}


@pytest.fixture
def user(tmp_path: Path) -> User:
    # A path of a socket is short, and those of pytest are not.
    user = User(tmp_path)
    user.runtime = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    user.environment["XDG_RUNTIME_DIR"] = str(user.runtime)
    user.environment["NO_COLOR"] = "1"
    return user


@pytest.fixture
def dracod(user: User) -> Iterator[FakeDracod]:
    server = FakeDracod(user)
    yield server
    server.listener.close()
    os.close(server.lock)


def at_terminal(user: User, *arguments: str) -> str:
    command = [str(BUILD / "dracoctl"), *arguments]
    _, text = Terminal(command, user.environment, 500).finish()
    return text.replace("\r\n", "\n")


@pytest.mark.parametrize(
    "command",
    ["status", "events", "start", "pause", "scale 1", "dashboard", "script", "env", "version"],
)
def test_answers_at_a_terminal(user: User, dracod: FakeDracod, command: str) -> None:
    text = at_terminal(user, *command.split())
    assert not HARMFUL.search(text), repr(text)
    if command == "env":
        assert "DASK_A to what is no text of one line" in text
    else:
        assert SHOWN in text, text


@pytest.mark.parametrize("command", ["status", "events"])
def test_json_at_a_terminal_means_the_same(
    user: User, dracod: FakeDracod, command: str
) -> None:
    text = at_terminal(user, "--json", command)
    piped = user.run("--json", command).stdout
    assert not HARMFUL.search(text), repr(text)
    assert any(EVIL in value for value in texts_of(json.loads(text)))
    assert json.loads(text) == json.loads(piped)


def texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts_of(item)


def test_events_of_a_file(user: User) -> None:
    """dracod does not run, and somebody has written into its file."""
    state = user.home / ".local/state/draco/default"
    state.mkdir(mode=0o700, parents=True)
    (state / "events.jsonl").write_text(json.dumps(spoil(EVENT)) + "\n")
    text = at_terminal(user, "events")
    assert SHOWN in text and not HARMFUL.search(text), repr(text)


def test_logs(user: User) -> None:
    """At a terminal all is shown; in a pipe nothing is changed."""
    state = user.home / ".local/state/draco/default"
    state.mkdir(mode=0o700, parents=True)
    # Characters of several bytes at all places, so that some lie across two reads.
    lines = b"".join(b"a" * (i % 7) + "grün €\n".encode() for i in range(5000))
    content = lines + EVIL.encode() + b"\0\xff\n" + "€".encode()[:2]
    (state / "dracod.log").write_bytes(content)
    command = [str(BUILD / "dracoctl"), "logs", "--lines", "9000"]
    is_same = subprocess.check_output(command, env=user.environment) == content
    assert is_same  # by itself: pytest would compare for minutes what differs
    text = at_terminal(user, "logs", "--lines", "9000")
    assert text.endswith(f"grün €\n{SHOWN}\\x00\\xff\n\\xe2\\x82"), text[-200:]
    is_same = text.startswith(lines.decode())
    assert is_same


def test_logs_that_grow(user: User) -> None:
    """A character may come in two parts."""
    state = user.home / ".local/state/draco/default"
    state.mkdir(mode=0o700, parents=True)
    log = state / "dracod.log"
    log.write_bytes(b"begin\n" + "€".encode()[:1])
    terminal = Terminal([str(BUILD / "dracoctl"), "logs", "-f"], user.environment, 500)
    terminal.wait_for("begin\r\n")
    with log.open("ab") as file:
        for byte in "€".encode()[1:] + EVIL.encode() + b"\n":
            file.write(bytes([byte]))
            file.flush()
            time.sleep(0.01)
    text = terminal.wait_for("x0d\r\n")
    terminal.close()
    assert text == f"€{SHOWN}\r\n"


def test_python(user: User, dracod: FakeDracod) -> None:
    code = (
        "import draco\n"
        "try: draco.Cluster(quiet=False)\n"
        "except draco.DracoError as error: print(error)\n"
        "print(draco.list_clusters()[0].address)\n"
        "from draco._join import warnings_of, check_variables\n"
        "try: check_variables({'DASK_A\\x1b': ''})\n"
        "except draco.DracoError as error: print(error)\n"
    )
    package = {"PYTHONPATH": str(SOURCE / "client/python"), "PYTHONDONTWRITEBYTECODE": "1"}
    environment = {**user.environment, **package}
    _, text = Terminal([PYTHON, "-c", code], environment, 500).finish(120)
    text = text.replace("\r\n", "\n").replace("\r\x1b[K", "")  # its own: a line that changes
    assert f"waiting {SHOWN}" in text and f"failed {SHOWN}" in text
    assert f"tcp://a:1{SHOWN}" in text and r"DASK_A\x1b, which is none" in text
    assert not HARMFUL.search(text), repr(text)
