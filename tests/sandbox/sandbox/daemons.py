"""One munged, slurmctld or slurmd: how it is started, its pid file, its log, whether it listens."""

from __future__ import annotations

import os
import shutil

from sandbox import processes
from sandbox.config import Layout
from sandbox.errors import SandboxError
from sandbox.loop import Child, Loop, describe_status, log
from sandbox.ports import is_listening
from sandbox.site import Site

EXTRA_PATH = "/usr/sbin:/sbin:/usr/local/sbin"
TAIL_LINES = 15

# Every program that a sandbox needs, and the Debian package that brings it.
PROGRAMS = {
    "munged": "munge",
    "munge": "munge",
    "slurmctld": "slurmctld",
    "slurmd": "slurmd",
    "sinfo": "slurm-client",
    "scontrol": "slurm-client",
    "scancel": "slurm-client",
}

# Another /run, where the file with slurmd's configuration can be told of without changing the
# machine's, and where munged is at the place that is known without configuration.
PRIVATE_RUN = """\
mount -t tmpfs tmpfs /run && mkdir /run/munge && ln -s "$0" /run/munge/munge.socket.2 && exec "$@"
"""

# Variables that reach our daemons; everything else is the caller's affair.
KEPT_VARIABLES = ("HOME", "LANG", "LD_LIBRARY_PATH", "TZ")


def search_path() -> str:
    """Return where programs are looked for."""
    return f"{os.environ.get('PATH', os.defpath)}:{EXTRA_PATH}"


def find_programs(more: dict[str, str]) -> dict[str, str]:
    """Find the programs that a sandbox needs.

    Parameters
    ----------
    more : dict
        Programs beside `PROGRAMS`, with the Debian package of each.

    Returns
    -------
    dict
        Their paths.

    Raises
    ------
    SandboxError
        Some are missing; it names them.
    """
    found, missing = {}, []
    for name, package in {**PROGRAMS, **more}.items():
        path = shutil.which(name, path=search_path())
        if path is None:
            missing.append(f"{name} (Debian package {package})")
        else:
            found[name] = os.path.abspath(path)
    if missing:
        raise SandboxError(
            f"not found in PATH, {EXTRA_PATH.replace(':', ', ')}: {', '.join(missing)}"
        )
    return found


def daemon_environment(layout: Layout) -> dict[str, str]:
    """Return the whole environment of our daemons and tools."""
    result = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    name, _, value = layout.mark().partition("=")
    return {
        **result,
        "PATH": search_path(),
        "SLURM_CONF": layout.slurm_conf,
        name: value,
    }


class Daemon:
    """A daemon of the sandbox, running or not.

    Attributes
    ----------
    name : str
        What users call it: munged, slurmctld, n1.
    file_name : str
        What its files are called: munged, slurmctld, slurmd.n1.
    port : int or None
        Where it listens.
    process : Child or None
        Its last process.
    without : str
        A variable that it must not see.
    """

    def __init__(
        self,
        name: str,
        file_name: str,
        argv: list[str],
        port: int | None,
        layout: Layout,
        without: str = "",
    ) -> None:
        self.name = name
        self.file_name = file_name
        self.port = port
        self.process: Child | None = None
        self.without = without
        self._argv = argv
        self._layout = layout
        self._log_start = 0

    @property
    def log(self) -> str:
        """The file it logs to."""
        return self._layout.path("log", f"{self.file_name}.log")

    @property
    def output(self) -> str:
        """The file that takes its standard output and error; it logs there, too."""
        return self._layout.path("log", f"{self.file_name}.out")

    @property
    def pid_file(self) -> str:
        """There while it runs."""
        return self._layout.path("pids", f"{self.file_name}.pid")

    def running(self) -> bool:
        """Return whether it has started and not ended."""
        return self.process is not None and self.process.status is None

    def start(self, loop: Loop, environment: dict[str, str]) -> None:
        """Start it, without waiting for anything."""
        environment = {k: v for k, v in environment.items() if k != self.without}
        output = os.open(self.output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            self._log_start = os.fstat(output).st_size
            self.process = loop.adopt(
                processes.spawn(self._argv, environment, output), self._on_end
            )
        finally:
            os.close(output)
        temporary = f"{self.pid_file}.new"
        with open(temporary, "w", encoding="ascii") as file:
            file.write(f"{self.process.pid}\n")
        os.rename(temporary, self.pid_file)
        log(f"{self.name} started as process {self.process.pid}")

    def _on_end(self) -> None:
        log(f"{self.name} (process {self.process.pid}) {describe_status(self.process.status)}")
        # The number may soon be somebody else's.
        os.unlink(self.pid_file)

    def signal(self, number: int) -> None:
        """Send it a signal while it is there."""
        if self.process is not None:
            self.process.signal(number)

    def listens(self) -> bool:
        """Return whether somebody takes connections on its port."""
        return is_listening(self.port)

    def recent_output(self) -> str:
        """Return what its last process has written."""
        try:
            with open(self.output, "rb") as file:
                file.seek(self._log_start)
                return file.read().decode(errors="replace")
        except OSError:
            return ""

    def tail(self) -> str:
        """Return the last lines that its last process has written, indented, for a message."""
        lines = self.recent_output().splitlines()[-TAIL_LINES:]
        return "".join(f"\n  {self.file_name}: {line}" for line in lines)


def own_namespaces(*kinds: str) -> tuple[list[str], list[str]]:
    """Words before a command that give it namespaces of its own.

    Parameters
    ----------
    *kinds : str
        Options of unshare, such as ``--mount``.

    Returns
    -------
    tuple of list of str
        Before a command that may change the namespaces, as root; and, after these words, before
        one that is the same user as here.
    """
    unshare = ["unshare", *kinds]
    if os.geteuid() == 0:
        return unshare, []
    again = ["unshare", "--user", f"--map-user={os.geteuid()}", f"--map-group={os.getegid()}"]
    return [*unshare, "--user", "--map-root-user"], again


def _slurmd(
    programs: dict[str, str], layout: Layout, site: Site | None, node: str, slurmctld: int
) -> list[str]:
    argv = [programs["slurmd"], "-D", "-N", node]
    if site and node in site.off_at_first():
        argv.append("-b")  # its start counts as the node's
    if not (site and site.configless):
        return argv
    unshare, again = own_namespaces("--mount")
    shell = [
        "/usr/bin/env",
        *unshare,
        "/bin/sh",
        "-c",
        PRIVATE_RUN,
        layout.munge_socket,
        *again,
    ]
    return [*shell, *argv, f"--conf-server=127.0.0.1:{slurmctld}"]


def make_daemons(
    programs: dict[str, str],
    layout: Layout,
    nodes: list[str],
    ports: list[int],
    site: Site | None,
) -> list[Daemon]:
    """Return all daemons of a sandbox in the order of their start: munged, slurmctld, slurmds."""
    munged = [
        programs["munged"],
        "--foreground",
        "--force",
        f"--key-file={layout.munge_key}",
        f"--socket={layout.munge_socket}",
        f"--pid-file={layout.path('run', 'munged.pid')}",
        f"--log-file={layout.path('log', 'munged.log')}",
        f"--seed-file={layout.path('run', 'munged.seed')}",
    ]
    result = [
        Daemon("munged", "munged", munged, None, layout),
        Daemon("slurmctld", "slurmctld", [programs["slurmctld"], "-D"], ports[0], layout),
    ]
    for node, port in zip(nodes, ports[1:]):
        argv = _slurmd(programs, layout, site, node, ports[0])
        without = "SLURM_CONF" if site and site.configless else ""
        result.append(Daemon(node, f"slurmd.{node}", argv, port, layout, without))
    return result
