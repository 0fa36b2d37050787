"""Slurm's accounting for a site: a MariaDB and a slurmdbd of the sandbox's own, and sacctmgr.

MariaDB takes connections on a socket in the sandbox's folder only, so it asks for no password.
"""

from __future__ import annotations

import glob
import os
import shlex

from sandbox import processes
from sandbox.config import Layout
from sandbox.daemons import Daemon
from sandbox.errors import SandboxError
from sandbox.loop import Loop

# Every program that accounting needs, and the Debian package that brings it.
PROGRAMS = {
    "mariadbd": "mariadb-server-core",
    "slurmdbd": "slurmdbd",
    "sacctmgr": "slurm-client",
}
TABLES = "mysql_system_tables.sql"  # MariaDB's own tables, which it needs for procedures
TABLES_LIMIT_S = 60
COMMAND_LIMIT_S = 60


def _socket(layout: Layout) -> str:
    return layout.path("run", "mariadb.socket")


def environment(layout: Layout) -> dict[str, str]:
    """Return the variable by which slurmdbd finds its MariaDB."""
    return {"MYSQL_UNIX_PORT": _socket(layout)}


def _mariadbd(programs: dict[str, str], layout: Layout) -> list[str]:
    argv = [
        programs["mariadbd"],
        "--no-defaults",
        f"--datadir={layout.path('mariadb')}",
        f"--tmpdir={layout.path('mariadb')}",
        f"--pid-file={layout.path('run', 'mariadb.pid')}",
        "--innodb-buffer-pool-size=64M",
        "--innodb-log-file-size=8M",
        "--innodb-flush-log-at-trx-commit=0",
    ]
    return [*argv, "--user=root"] if os.geteuid() == 0 else argv


def make_daemons(programs: dict[str, str], layout: Layout, port: int) -> list[Daemon]:
    """Return MariaDB's daemon and slurmdbd, in the order of their start."""
    mariadbd = [
        *_mariadbd(programs, layout),
        "--skip-networking",
        "--skip-grant-tables",
        f"--socket={_socket(layout)}",
    ]
    return [
        Daemon("mariadbd", "mariadbd", mariadbd, None, layout),
        Daemon("slurmdbd", "slurmdbd", [programs["slurmdbd"], "-D"], port, layout),
    ]


def prepare(programs: dict[str, str], layout: Layout, user: str, port: int, loop: Loop) -> None:
    """Write slurmdbd.conf and make an empty database.

    Parameters
    ----------
    programs : dict
        Paths of all programs.
    layout : Layout
        The sandbox.
    user : str
        Name of the account that the daemons run as.
    port : int
        Where slurmdbd shall listen.
    loop : Loop
        Runs the programs.

    Raises
    ------
    SandboxError
        MariaDB does not make its tables.
    """
    conf = os.open(layout.path("slurmdbd.conf"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(conf, "w", encoding="ascii") as file:
        file.write(f"""\
AuthType=auth/munge
AuthInfo=socket={layout.munge_socket}
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={port}
SlurmUser={user}
LogFile={layout.path("log", "slurmdbd.log")}
PidFile={layout.path("run", "slurmdbd.pid")}
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageLoc=slurm
StorageUser={user}
""")
    if os.path.isdir(layout.path("mariadb")):
        return  # another attempt, with other ports
    os.mkdir(layout.path("mariadb"), 0o700)
    tables = sorted(glob.glob(f"/usr/share/*/{TABLES}"))
    if not tables:
        raise SandboxError(f"MariaDB's {TABLES} is not below /usr/share")
    with open(tables[0], encoding="utf-8") as file:
        text = file.read()
    script = layout.path("run", "mariadb.sql")
    with open(script, "w", encoding="utf-8") as file:
        file.write(f"CREATE DATABASE mysql;\nUSE mysql;\n{text}")
    argv = [*_mariadbd(programs, layout), "--bootstrap"]
    status, output = loop.run(
        ["/bin/sh", "-c", f"exec {shlex.join(argv)} < {shlex.quote(script)}"],
        {"PATH": os.defpath},
        TABLES_LIMIT_S,
    )
    if status != 0:
        raise SandboxError(f"MariaDB does not make its tables: {output}")


def mariadbd_answers(layout: Layout) -> bool:
    """Return whether MariaDB takes connections."""
    return processes.takes_connections(_socket(layout))


def set_up(
    programs: dict[str, str], variables: dict[str, str], commands: str, loop: Loop
) -> None:
    """Give sacctmgr its commands, a line each.

    Raises
    ------
    SandboxError
        sacctmgr refuses one.
    """
    for line in commands.splitlines():
        if not line.strip():
            continue
        argv = [programs["sacctmgr"], "--immediate", *shlex.split(line)]
        status, output = loop.run(argv, variables, COMMAND_LIMIT_S)
        if status != 0:
            raise SandboxError(f"sacctmgr {line.strip()}: {output.strip()}")
