"""A server of another account that plays dracod, and whoever is led to it."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from accounts import PROGRAMS, Account
from harness import BUILD, PYTHON, SOURCE, wait_for

#: Plays dracod at a socket or a TLS port, and writes down all that it is told.
SERVER = r"""
import json, os, socket, ssl, sys, threading
record, evil, where, *certificate = sys.argv[1:]
os.umask(0)

def answer(method):
    if method == "hello":
        return {"protocol": 1, "version": "0.1.0", "pid": 1, "host": "here"}
    if method == "environment":
        return {
            "DASK_SCHEDULER_ADDRESS": "tcp://127.0.0.1:1",
            "LD_PRELOAD": evil,
            "PYTHONPATH": evil,
            "BASH_ENV": evil,
            f"X=1; touch {evil}; Y": "",
        }
    return {
        "cluster": {"state": "running", "workers": 1, "jobs": 1, "milestones": {}},
        "scheduler": {"address": "tcp://127.0.0.1:1", "dashboard": None},
        "jobs": [], "joined": True, "events": [], "next": 1, "more": False,
    }

def talk(connection):
    with connection, connection.makefile("rb") as lines:
        for line in lines:
            with open(record, "ab") as file:
                file.write(line)
            try:
                request = json.loads(line)
                result = answer(request["method"])
                message = {"jsonrpc": "2.0", "id": request["id"], "result": result}
                connection.sendall(json.dumps(message).encode() + b"\n")
            except (ValueError, KeyError, TypeError):
                return

def serve(connection):
    try:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            connection = context.wrap_socket(connection, server_side=True)
        talk(connection)
    except OSError:
        pass

if where.startswith("/"):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(where)
    listener.listen()
    print("serves", flush=True)
else:
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
while True:
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
"""


class Attacker(Account):
    """An account with a place for what its servers are told."""

    def __enter__(self) -> Attacker:
        super().__enter__()
        self.root = Path("/tmp") / self.name
        self.root.mkdir(mode=0o755)
        os.chown(self.root, self.uid, self.gid)
        self.record = self.root / "record"
        #: Not there as long as nobody does what the server says.
        self.evil = self.root / "evil"
        return self

    def __exit__(self, *exc_info: object) -> None:
        shutil.rmtree(self.root)
        super().__exit__(*exc_info)

    @contextmanager
    def serving(self, where: str = "port", *certificate: str) -> Iterator[str]:
        """Play dracod at a socket, or at a port with a certificate and a key; what it prints."""
        arguments = [str(self.record), str(self.evil), where, *certificate]
        process = subprocess.Popen(
            [*self.prefix(), PYTHON, "-c", SERVER, *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.wait(20)
            process.stdout.close()

    def heard(self) -> str:
        """All that its servers have been told."""
        return self.record.read_text(errors="replace") if self.record.exists() else ""


class Victim(Account):
    """A user of draco that is an account of its own, without Slurm; ``shared`` stands for /tmp."""

    def __enter__(self) -> Victim:
        super().__enter__()
        self.root = Path("/tmp") / f"draco-{secrets.token_hex(4)}"
        self.home, self.programs = self.root / "home", self.root / "bin"
        self.shared = self.root / "tmp"
        for directory in (self.root, self.home, self.programs, self.shared):
            directory.mkdir(mode=0o755)
        self.shared.chmod(0o1777)
        for name in PROGRAMS:  # the source may be in a place that the account cannot reach
            shutil.copy(BUILD / name, self.programs)
        shutil.copytree(SOURCE / "client/python/draco", self.root / "python/draco")
        os.chown(self.home, self.uid, self.gid)
        self.cluster = "victim"
        self.environment = {
            "PATH": f"{self.programs}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "TMPDIR": str(self.shared),
            "DRACO_NAME": self.cluster,
            "DRACO_BIN": str(self.programs / "dracod"),
            "DRACO_SITE_CONFIG": "/dev/null",
            "PYTHONPATH": str(self.root / "python"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "SECRET": "of the victim",
            "LANG": "C.UTF-8",
        }
        self.state = self.home / ".local/state/draco" / self.cluster
        #: Where dracod would have its sockets.
        self.base = self.shared / f"draco-{self.uid}"
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.dracoctl("shutdown", "--force")
        wait_for(lambda: not self.processes(), "nothing of the victim runs")
        shutil.rmtree(self.root)
        super().__exit__(*exc_info)

    def processes(self) -> list[str]:
        command = ["ps", "-o", "pid=", "-u", str(self.uid)]
        return subprocess.run(
            command, check=False, text=True, capture_output=True
        ).stdout.split()

    def dracoctl(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(
            str(self.programs / "dracoctl"),
            *arguments,
            check=False,
            cwd=self.home,
            env={**self.environment, **environment},
        )

    def python(self, code: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(
            PYTHON,
            "-c",
            code,
            check=False,
            cwd=self.home,
            env={**self.environment, **environment},
        )

    def write(self, path: Path, content: str, mode: int = 0o600) -> None:
        """Make a file of the victim's in directories of its own that are closed to others."""
        code = (
            "import os, sys\npath, mode = sys.argv[1:]\n"
            "os.umask(0o077)\nos.makedirs(os.path.dirname(path), exist_ok=True)\n"
            "open(path, 'w').write(sys.stdin.read())\nos.chmod(path, int(mode, 8))"
        )
        self.run(PYTHON, "-c", code, str(path), f"{mode:o}", input=content)
