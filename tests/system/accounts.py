"""Real accounts of this machine for tests, and users of draco that are such accounts."""

from __future__ import annotations

import json
import os
import pwd
import secrets
import shutil
import subprocess
from pathlib import Path
from typing import Any

from harness import BUILD, PRELOAD, PYTHON, Draco, Sandbox, wait_for

PROGRAMS = ["dracod", "dracoctl", "draco-slurm", *PRELOAD]


class Account:
    """An account that exists while the context lasts; for root only."""

    def __enter__(self) -> Account:
        self.name = f"draco-t{secrets.token_hex(4)}"

        def added() -> bool:  # another test may hold the lock on the user database
            command = ["useradd", "--no-create-home", "--shell", "/bin/bash", self.name]
            return (
                subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0
            )

        wait_for(added, f"the account {self.name} is added")
        entry = pwd.getpwnam(self.name)
        self.uid, self.gid = entry.pw_uid, entry.pw_gid
        return self

    def __exit__(self, *exc_info: object) -> None:
        def removed() -> bool:
            command = ["userdel", "--force", self.name]
            result = subprocess.run(command, check=False, stderr=subprocess.DEVNULL)
            return result.returncode in (0, 6)  # 6: it is not there

        wait_for(removed, f"the account {self.name} is removed")

    def prefix(self) -> list[str]:
        """The words before a command that make the account run it."""
        return [
            "setpriv",
            f"--reuid={self.uid}",
            f"--regid={self.gid}",
            "--clear-groups",
            "--inh-caps=-all",
            "--",
        ]

    def run(
        self, *command: str, check: bool = True, **kwargs: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as this account, with next to nothing in its environment."""
        home = str(kwargs.get("cwd", "/"))
        result = subprocess.run(
            [*self.prefix(), *command],
            check=False,
            **{
                "text": True,
                "capture_output": True,
                "timeout": 240,
                "cwd": "/",
                "env": {"PATH": os.environ["PATH"], "HOME": home, "LANG": "C.UTF-8"},
                **kwargs,
            },
        )
        assert not check or result.returncode == 0, result.stdout + result.stderr
        return result


class DracoOf(Draco):
    """A user of draco that is an account of its own.

    Parameters
    ----------
    account : Account
        Who runs everything.
    sandbox : Sandbox
        A public one.
    """

    def __init__(self, account: Account, sandbox: Sandbox) -> None:
        super().__init__(sandbox)
        self.account = account
        # The build directory may be in a place that the account cannot reach.
        self.programs = self.root / "bin"
        self.programs.mkdir()
        for name in PROGRAMS:
            shutil.copy(BUILD / name, self.programs)
        self.environment["USER"] = self.environment["LOGNAME"] = account.name
        # As usual for a home: others may pass through, and must be kept out further down.
        os.chmod(self.root, 0o755)
        os.chmod(self.home, 0o755)
        for path in (self.root, self.home, self.runtime):
            os.chown(path, account.uid, account.gid)

    def command(self, *arguments: str) -> list[str]:
        return [*self.account.prefix(), str(self.programs / "dracoctl"), *arguments]

    def python(self, code: str, timeout: float = 120) -> str:
        environment = json.loads(self.run("env", "--format", "json").stdout)
        return self.account.run(
            PYTHON, "-c", code, timeout=timeout, env={**self.environment, **environment}
        ).stdout


def listening(pid: int) -> set[tuple[str, int]]:
    """The addresses and TCP ports at which a process listens; those of IPv6 in hexadecimal."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(link)
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                address, port = fields[1].split(":")
                if table == "tcp":
                    address = ".".join(map(str, bytes.fromhex(address)[::-1]))
                found.add((address, int(port, 16)))
    return found


def address_of(url: str) -> tuple[str, int]:
    host, port = url.split("://")[1].rsplit(":", 1)
    return host, int(port)


def certificate_files(draco: Draco) -> list[Path]:
    """All that is under the directory of certificates."""
    return sorted((draco.state / "tls").glob("**/*"))
