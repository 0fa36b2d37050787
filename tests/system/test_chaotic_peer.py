"""Programs at the other end of each socket that do anything.

Partial lines, many requests at once, huge lines, ends in the middle, answers to no question, and
never reading. ``DRACO_CHAOS_SECONDS`` lets each test go on for longer; ``DRACO_TEST_SEED`` repeats
what a failure printed. No Slurm and no Dask is needed: ``chaos.py`` stands for both.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import chaos
import pytest
from conftest import has_failed
from harness import BUILD, PYTHON, SOURCE, random_moments, wait_for
from standins import PROTOCOL, Connection, children, descriptors, write_program

SECONDS = float(os.environ.get("DRACO_CHAOS_SECONDS", "5"))

#: Long enough for any answer of a dracod that is well, on a machine that is busy.
PATIENCE = 60

SETTINGS = {
    "processes": "1", "cores": "1", "memory": "1 GiB", "walltime": "00:50:00", "minimum": "1",
    "maximum": "4", "security": "none", "dashboard": "off", "poll_interval": "0.5",
    "interface": "none",
}  # fmt: skip


class Site:
    """A dracod with a draco-slurm and a Python of ``chaos.py``, in a directory of its own.

    It has what :class:`standins.Connection` needs of a user.
    """

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="draco-chaos-", dir="/tmp"))
        self.name = "chaos"
        self.runtime = self.root / "run"
        self.runtime.mkdir(mode=0o700)
        self.socket = self.runtime / "draco" / self.name / "control.sock"
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("DRACO_", "SLURM_"))},
            "HOME": str(self.root), "XDG_RUNTIME_DIR": str(self.runtime), "DRACO_NAME": self.name,
            "DRACO_SITE_CONFIG": "/dev/null", "TERM": "dumb", "NO_COLOR": "1",
            "LSAN_OPTIONS": f"suppressions={SOURCE}/tests/system/sanitizers.supp:"
            "print_suppressions=0",
        }  # fmt: skip
        for variable in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
            self.environment.pop(variable, None)
        shutil.copy(BUILD / "dracod", self.root)
        for role, program in (("slurm", "draco-slurm"), ("python", "python3")):
            text = (
                f'#!/bin/sh\nexec {sys.executable} {chaos.__file__} {role} {self.root} "$@"\n'
            )
            write_program(self.root / program, text)

    def __enter__(self) -> Site:
        self.output = (self.root / "output").open("wb")
        self.process = subprocess.Popen(
            [str(self.root / "dracod"), "--name", self.name],
            env=self.environment, stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output,
        )  # fmt: skip
        wait_for(self.socket.exists, "dracod listens")
        return self

    def __exit__(self, *exc_info: object) -> None:
        helpers = children(self.process.pid)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid in helpers:  # the scheduler is in a session of its own
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.output.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def text(self) -> str:
        return (self.root / "output").read_text(errors="replace")

    def begin_chaos(self, seed: int) -> None:
        (self.root / "chaos").write_text(str(seed))

    def end_chaos(self) -> None:
        (self.root / "chaos").unlink()

    def start_params(self) -> dict[str, Any]:
        settings = {**SETTINGS, "python": str(self.root / "python3")}
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.root)}
        return {"settings": settings, "environment": environment}

    def check_health(self) -> None:
        """It serves, and no sanitizer has complained."""
        assert self.process.poll() is None, f"dracod ended: {self.process.returncode}"
        with Connection(self) as connection:
            assert connection.call("status")["name"] == self.name
        for complaint in ("AddressSanitizer", "runtime error:", "Assertion"):
            assert complaint not in self.text()

    def start(self) -> None:
        """Have a cluster that is ready, from whatever there is."""
        with Connection(self) as connection:
            connection.socket.settimeout(PATIENCE)
            connection.ask("stop")
            # A draco-slurm that was asked before it behaved again may owe an answer for ever.
            answers = (connection.ask("start", **self.start_params()) for _ in range(3))
            assert any("error" not in answer for answer in answers)

    def shut_down(self) -> None:
        """It ends in good order, and leaves no process."""
        helpers = children(self.process.pid)
        with Connection(self) as connection:
            connection.socket.settimeout(PATIENCE)
            assert "error" not in connection.ask("shutdown")
        assert self.process.wait(PATIENCE) == 0, self.text()[-3000:]
        assert "LeakSanitizer" not in self.text()
        wait_for(
            lambda: not [pid for pid in helpers if Path(f"/proc/{pid}/exe").exists()],
            "the processes of dracod have ended",
        )


@pytest.fixture
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with Site() as site:
        yield site
        if has_failed(request):
            print(site.text()[-8000:])


@pytest.fixture
def rng() -> random.Random:
    return random_moments()


#: Requests that a program may send, with parameters that may be right.
def random_request(rng: random.Random, site: Site) -> dict[str, Any]:
    method, params = rng.choice(
        [
            ("hello", {"protocol": rng.choice([PROTOCOL, 0, -1, "1"])}),
            ("start", {**site.start_params(), "progress": rng.choice([True, False])}),
            ("start", {**site.start_params(), "bound": True}),
            ("start", {"settings": {"cores": "-1"}, "environment": {}}),
            ("stop", {}),
            ("stop", {"own": True, "alone": True, "clients": ["c"]}),
            ("status", {}),
            ("scale", {rng.choice(["jobs", "workers", "cores"]): rng.choice([0, 1, 3, 2**40])}),
            ("adapt", {"minimum": rng.choice([0, 1, 5]), "maximum": rng.choice([1, 4, 2**40])}),
            ("pause", {}),
            ("resume", {}),
            ("retire", {"job": rng.choice(["42", "43", "42_0", "x"]), "force": True}),
            ("attach", {"label": {"host": "h", "pid": 1, "program": "chaos"}}),
            ("events", {"since": 1, "follow": True, "workers": True}),
            ("events", {"since": 2**62, "count": -5}),
            ("environment", {}),
            ("logs", {}),
            ("plan", site.start_params()),
            ("script", {"settings": {}, "environment": {}}),
            ("shutdown", {"alone": True, "never": 1}),
            ("nothing", {}),
        ]
    )
    if rng.random() < 0.2:
        params = chaos.spoil(params, rng)
    # dracod would carry out a shutdown without parameters.
    if method == "shutdown" and not params:
        params = {"never": params}
    number = rng.choice([1, 2, "a", 2**60])
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def misbehave(site: Site, rng: random.Random) -> None:
    """Connect once, and do one thing that no program should do."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(0.5)
        sock.connect(str(site.socket))
        if rng.random() < 0.8:
            hello = {
                "jsonrpc": "2.0",
                "id": 0,
                "method": "hello",
                "params": {"protocol": PROTOCOL},
            }
            sock.sendall(chaos.encode(hello))
        requests = [random_request(rng, site) for _ in range(rng.randrange(1, 20))]
        lines = [chaos.encode(request) for request in requests]
        deed = rng.randrange(8)
        if deed == 0:
            sock.sendall(lines[0][: rng.randrange(len(lines[0]))])
        elif deed == 1:
            sock.sendall(b"".join(lines))
        elif deed == 2:
            sock.sendall(chaos.noise(rng))
        elif deed == 3:  # never reads what it asked for
            status = chaos.encode({"jsonrpc": "2.0", "id": 1, "method": "status"})
            with contextlib.suppress(TimeoutError):
                for _ in range(400):
                    sock.sendall(status * 10)
        elif deed == 4:
            sock.sendall(b"".join(lines))
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(65536):
                pass
        elif deed == 5:
            for line in lines:
                sock.sendall(rng.choice([line, chaos.noise(rng)]))
                time.sleep(rng.random() * 0.05)
        elif deed == 6:
            sock.sendall(b"".join(lines))
            sock.recv(rng.randrange(1, 2000))
        else:
            for line in lines[:3]:
                for i in range(0, len(line), 97):
                    sock.sendall(line[i : i + 97])


def misbehave_for(site: Site, seed: str, end: float, errors: list[BaseException]) -> None:
    rng = random.Random(seed)
    while time.monotonic() < end:
        try:
            misbehave(site, rng)
        except OSError:  # dracod may well close
            pass
        except BaseException as error:
            errors.append(error)
            raise


def test_clients(site: Site, rng: random.Random) -> None:
    """Clients do anything at once; one that behaves is served, and nothing is left of them."""
    seed, errors = rng.randrange(10**9), []
    site.start()
    before = len(descriptors(site.process.pid))
    end = time.monotonic() + SECONDS
    crowd = [
        threading.Thread(target=misbehave_for, args=(site, f"{seed} {i}", end, errors))
        for i in range(6)
    ]
    for thread in crowd:
        thread.start()
    slowest = 0.0
    with Connection(site) as connection:
        while time.monotonic() < end:
            slowest = max(slowest, connection.round_trip("status"))
            time.sleep(0.1)
    for thread in crowd:
        thread.join()
    assert not errors
    assert slowest < PATIENCE / 2
    site.start()
    site.check_health()
    wait_for(
        lambda: len(descriptors(site.process.pid)) <= before + 2,
        f"the descriptors of old connections are closed: {descriptors(site.process.pid)}",
    )
    site.shut_down()


def test_slurm_and_scheduler(site: Site, rng: random.Random) -> None:
    """draco-slurm and the preload say anything; when they behave again, all goes well."""
    end = time.monotonic() + SECONDS
    while True:
        site.begin_chaos(rng.randrange(10**9))
        with Connection(site) as connection:
            connection.begin("start", **site.start_params())
            for _ in range(8):
                message = random_request(rng, site)
                if message["method"] in (
                    "scale",
                    "adapt",
                    "pause",
                    "resume",
                    "retire",
                    "status",
                ):
                    connection.send(chaos.encode(message))
                time.sleep(0.15)
            connection.begin("stop")
            time.sleep(0.5)
        site.end_chaos()
        site.check_health()
        if time.monotonic() > end:
            break
    site.start()
    with Connection(site) as connection:
        status = connection.call("status")
    assert status["cluster"]["state"] == "running"
    assert status["cluster"]["workers"] >= 1
    site.shut_down()


#: What a dracod that is well answers.
GOOD: dict[str, Any] = {
    "hello": {"protocol": PROTOCOL, "version": "0.1.0", "name": "chaos", "pid": 1},
    "status": json.loads(
        (SOURCE / "tests/fuzz/corpus/answers/status").read_text().splitlines()[-1]
    )["result"],
    "environment": {"DASK_SCHEDULER_ADDRESS": "tcp://127.0.0.1:8786"},
    "logs": {"daemon": "/l", "scheduler": "/s", "jobs": {"42": "/j"}},
    "events": {
        "events": [{"id": 1, "time": 1.5, "kind": "note", "subject": "s", "text": "t"}],
        "next": 2, "more": False, "lost": 0,
    },
    "plan": {"candidates": [], "chosen": -1, "now": 1796000000},
    "script": {"script": "#!/bin/bash\n"},
}  # fmt: skip


class ChaoticServer:
    """A dracod of ours at the control socket of ``site`` that answers anything."""

    def __init__(self, site: Site, rng: random.Random) -> None:
        self.rng = rng
        self.socket = socket.socket(socket.AF_UNIX)
        site.socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        site.socket.unlink(missing_ok=True)
        self.socket.bind(str(site.socket))
        os.chmod(site.socket, 0o600)
        self.socket.listen(20)
        self.patience = 0.0  # seconds that it goes on after what it has been asked
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    def answer(self, connection: socket.socket) -> None:
        rng = random.Random(self.rng.randrange(10**9))
        with contextlib.suppress(OSError, ValueError), connection:
            for line in connection.makefile("rb"):
                request = json.loads(line)
                result = GOOD.get(request["method"], {"state": "running", "target": 1})
                answer = {"jsonrpc": "2.0", "id": request["id"], "result": result}
                if rng.random() < 0.4:
                    answer["result"] = chaos.spoil(result, rng)
                first = request["method"] == "hello"
                pieces: list[bytes | float | None] = [chaos.encode(answer)]
                if rng.random() < (0.2 if first else 0.7):
                    pieces = chaos.disturb(chaos.encode(answer), rng)
                if not chaos.send_pieces(connection, pieces):
                    return
                if not first:  # sooner or later it ends
                    connection.settimeout(0.3)

    def close(self) -> None:
        self.socket.close()


@pytest.fixture
def server(rng: random.Random) -> Iterator[tuple[Site, ChaoticServer]]:
    site = Site()
    server = ChaoticServer(site, rng)
    yield site, server
    server.close()
    shutil.rmtree(site.root, ignore_errors=True)


COMMANDS = [
    ["status"], ["--json", "status"], ["env"], ["env", "--format", "csh"], ["events"], ["stop"],
    ["--json", "events"], ["scale", "4"], ["adapt", "--maximum", "4"], ["pause"], ["resume"],
    ["retire", "42"], ["start", "--dry-run"], ["start"], ["script"], ["dashboard"], ["logs", "42"],
    ["version"], ["shutdown"],
]  # fmt: skip


def test_dracoctl(server: tuple[Site, ChaoticServer], rng: random.Random) -> None:
    """dracoctl ends with a status of its own, whatever it is answered; at the latest by Ctrl-C."""
    site, _ = server
    # No dracod of its own may come in the place of one that hung up.
    environment = {**site.environment, "DRACO_BIN": "/bin/false"}
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        command = rng.choice(COMMANDS)
        process = subprocess.Popen(
            [str(BUILD / "dracoctl"), *command], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=site.root,
        )  # fmt: skip
        try:
            output, errors = process.communicate(timeout=1)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=PATIENCE)
        said = output + errors
        assert process.returncode in (0, 1, 2, 3, 130, -signal.SIGINT), (command, said)
        for complaint in (b"AddressSanitizer", b"runtime error:", b"LeakSanitizer"):
            assert complaint not in said, (command, said)
        if command != ["script"]:  # which is for programs, as it is, but at a terminal
            assert b"\x1b" not in said, (command, said)


def test_python(server: tuple[Site, ChaoticServer], rng: random.Random) -> None:
    """Of the Python package only its own errors come out, whatever it is answered."""
    site, _ = server
    environment = {**site.environment, "PYTHONPATH": str(SOURCE / "client/python")}
    seed = str(rng.randrange(10**9))
    result = subprocess.run(
        [PYTHON, str(SOURCE / "tests/system/chaos_client.py"), seed, str(SECONDS)],
        env=environment, capture_output=True, text=True, timeout=SECONDS + 2 * PATIENCE,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
