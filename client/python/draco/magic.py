"""``%draco`` in IPython and notebooks, after ``%load_ext draco``."""

from __future__ import annotations

import html
import json
import os
import shlex
import socket
import subprocess
import time
from typing import Any

from distributed.core import Status
from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.display import display

from draco import _html, _join
from draco._daemon import default_name
from draco._dracoctl import find_dracoctl
from draco.cluster import Cluster
from draco.errors import DaemonNotRunning, SettingError
from draco.seed import start_slurm_cluster


class StatusReport:
    """The output of ``dracoctl status``: a table in a notebook, text elsewhere."""

    def __init__(self, name: str, text: str, report: dict[str, Any]) -> None:
        self._name = name
        self._text = text
        self._report = report

    def __repr__(self) -> str:
        return self._text.rstrip()

    def _repr_html_(self) -> str:
        if "cluster" not in self._report:
            return f"<pre>{html.escape(self._text)}</pre>"
        return _html.status_html(self._name, self._report)


@magics_class
class DracoMagics(Magics):
    """The magic ``%draco``."""

    @line_magic
    def draco(self, line: str) -> None:
        """Use the cluster from a cell: ``%draco [COMMAND] [OPTION]... [--name NAME]``.

        %draco                                the status, as %draco status
        %draco start [--processes 4 ...]      start or join: makes the variables client and cluster;
                                              any setting is an option
        %draco scale 16                       so many workers; also --jobs 2, --cores 8,
                                              --memory 64GiB
        %draco adapt [--minimum 4 ...]        as large as the work again
        %draco stop [--force]                 end it; with --force though others use it
        %draco logs, events, dashboard, ...   whatever dracoctl knows: %draco help
        """
        try:
            words = shlex.split(line)
        except ValueError as exc:
            raise UsageError(f"%draco {line}: {exc}") from None
        name, words = _take_option(words, "name", default_name())
        command, *rest = words or ["status"]
        try:
            if command == "status" and not rest:
                display(self._status(name))
            elif command == "start":
                self._start(name, rest)
            elif command == "stop":
                self._stop(name, rest)
            else:
                self._dracoctl(name, words)
        except (SettingError, DaemonNotRunning) as exc:
            raise UsageError(str(exc)) from None

    def _status(self, name: str) -> StatusReport:
        texts = [
            subprocess.run(
                [find_dracoctl(), "--name", name, *options, "status"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ).stdout
            for options in ([], ["--json"])
        ]
        try:
            report = json.loads(texts[1])
        except ValueError:
            report = {}
        return StatusReport(name, texts[0], report)

    def _start(self, name: str, words: list[str]) -> None:
        settings = _settings_of(words)
        cluster = self._own(name)
        if cluster is not None:
            if settings:
                raise UsageError(
                    f'"cluster" is connected to the cluster "{name}", which has its settings: '
                    "%draco stop ends it, --name OTHER makes another"
                )
            print(f'client and cluster are connected to the cluster "{name}".')
            return
        client, cluster = start_slurm_cluster(name=name, **settings)
        self.shell.push({"client": client, "cluster": cluster})

    def _stop(self, name: str, words: list[str]) -> None:
        force = words == ["--force"]
        if words and not force:
            raise UsageError(f"%draco stop: {words[0]!r} is not --force, which is all it takes")
        users = "" if force else self._others(name)
        if users:
            raise UsageError(
                f'the cluster "{name}" is in use by {users}: %draco stop --force ends it for all'
            )
        self._dracoctl(name, ["stop", "--force"])

    def _others(self, name: str) -> str:
        """Name the other programs that use the cluster; "" when there are none."""
        own, clients = _join.own_stop()["clients"], 0
        for _ in range(_join.STOP_TRIES):  # a closed client may still be connected for a moment
            report = self._status(name)._report
            leases = [x for x in report.get("attached") or [] if not _is_here(x)]
            if leases:
                return ", ".join(_html.users_of(leases))
            load = (report.get("scheduler") or {}).get("load") or {}
            clients = sum(client not in own for client in load.get("clients") or [])
            if not clients:
                return ""
            time.sleep(_join.STOP_PAUSE)
        return "a Client() of another program" if clients == 1 else f"{clients} Client()s"

    def _own(self, name: str) -> Cluster | None:
        """Return the cluster with this name in the variable ``cluster``."""
        cluster = self.shell.user_ns.get("cluster")
        mine = isinstance(cluster, Cluster) and cluster.name == name
        return cluster if mine and cluster.status == Status.running else None

    def _dracoctl(self, name: str, words: list[str]) -> None:
        """Run dracoctl, and show its output at once."""
        with subprocess.Popen(
            [find_dracoctl(), "--name", name, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            lines = []
            try:
                assert process.stdout is not None
                for line in process.stdout:
                    lines.append(line)
                    if len(lines) > 1:
                        print(lines.pop(0), end="")
            except KeyboardInterrupt:  # the way to leave "logs -f"
                process.terminate()
                return
        last = "".join(lines).rstrip("\n")
        if process.returncode:
            raise UsageError(last.removeprefix("dracoctl: ") or f"dracoctl {words[0]} failed")
        if last:
            print(last)


def _take_option(words: list[str], option: str, default: str) -> tuple[str, list[str]]:
    """Split ``--option VALUE`` or ``--option=VALUE`` off the words of a line."""
    value, rest, iterator = default, [], iter(words)
    for word in iterator:
        if word == f"--{option}":
            given = next(iterator, None)
            if given is None:
                raise UsageError(f"%draco: --{option} needs a value")
            value = given
        elif word.startswith(f"--{option}="):
            value = word.partition("=")[2]
        else:
            rest.append(word)
    return value, rest


def _settings_of(words: list[str]) -> dict[str, Any]:
    """Turn options of ``dracoctl start`` into settings; dracod parses the values."""
    settings: dict[str, Any] = {}
    while words:
        word, *words = words
        key, has_value, value = word.removeprefix("--").partition("=")
        if not word.startswith("--") or not key:
            raise UsageError(f"%draco start: {word!r} is no option, such as --processes 4")
        key = key.replace("-", "_")
        if has_value:
            settings[key] = value
        elif words and not words[0].startswith("--"):
            settings[key], *words = words
        elif key.startswith("no_"):
            settings[key.removeprefix("no_")] = False
        else:
            settings[key] = True
    return settings


def _is_here(lease: dict[str, Any]) -> bool:
    return (lease.get("host"), lease.get("pid")) == (socket.gethostname(), os.getpid())
