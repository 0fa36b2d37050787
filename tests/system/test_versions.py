"""Programs and a dracod of different versions: whoever is asked says so."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from harness import Draco, hold_lock
from kernels import SMALL, Kernel

START = f"from draco import Cluster\ncluster = Cluster({SMALL}, quiet=True)"

HELLO = {"result": {"protocol": 1, "version": "0.0.1"}}
UNKNOWN = {"error": {"code": -32602, "message": 'start: unknown parameter "bound"'}}
REFUSAL = {
    "error": {"code": -32002, "message": "this dracod is of version 9 ... of version 0.1.0"}
}

#: What the other dracod answers, and what the user reads then.
CASES: list[tuple[dict[str, Any], str]] = [
    ({"hello": REFUSAL}, REFUSAL["error"]["message"]),
    ({"hello": {"result": {"protocol": 2, "version": "9"}}}, "of version 9 (protocol 2)"),
    ({"hello": HELLO}, "this dracod is of version 0.0.1"),
    ({"hello": HELLO, "start": UNKNOWN}, "this dracod is of version 0.0.1"),
]


class OtherDracod:
    """Stands in for a dracod of another version.

    Parameters
    ----------
    draco : Draco
        Whose dracod it pretends to be.
    answers : dict
        For each method what it answers, without id; what is missing is unknown to it.
    """

    def __init__(self, draco: Draco, answers: dict[str, dict]) -> None:
        self.answers = answers
        self.socket = socket.socket(socket.AF_UNIX)
        path = draco.runtime / "other.sock"
        path.unlink(missing_ok=True)
        self.socket.bind(str(path))
        self.socket.listen()
        for directory in (draco.state.parent, draco.state):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.lock = hold_lock(draco.state)
        self.file = Path(draco.state / "daemon.json")
        self.file.write_text(
            json.dumps({"socket": str(path), "host": socket.gethostname(), "pid": 1})
        )
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        unknown = {"error": {"code": -32601, "message": 'there is no method "start"'}}
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), client, client.makefile("rw") as stream:
                for line in stream:
                    request = json.loads(line)
                    answer = self.answers.get(request["method"], unknown)
                    message = {"jsonrpc": "2.0", "id": request["id"], **answer}
                    stream.write(json.dumps(message) + "\n")
                    stream.flush()

    def __enter__(self) -> OtherDracod:
        return self

    def __exit__(self, *exc_info) -> None:
        self.socket.close()
        self.file.unlink()
        os.close(self.lock)


@pytest.mark.parametrize(("answers", "text"), CASES)
def test_in_python(draco: Draco, answers: dict[str, Any], text: str) -> None:
    with OtherDracod(draco, answers), Kernel(draco) as kernel:
        line = kernel.fail(START).rstrip().splitlines()[-1]
        assert line.startswith("draco.errors.VersionMismatch: ") and text in line
        if "version 0.0.1" in text:
            assert "the Python package draco is of version 0.1.0" in line


@pytest.mark.parametrize(("answers", "text"), CASES)
def test_in_the_terminal(draco: Draco, answers: dict[str, Any], text: str) -> None:
    with OtherDracod(draco, answers):
        result = draco.start(check=False)
        assert result.returncode in (1, 2) and result.stdout == ""
        (line,) = result.stderr.splitlines()
        assert line.startswith("dracoctl: ") and text in line
        if "version 0.0.1" in text:
            assert "dracoctl is of version 0.1.0" in line
