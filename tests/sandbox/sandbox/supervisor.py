"""The supervisor: brings munge and Slurm up, serves requests, and leaves no trace.

It is the only parent of all daemons and, as subreaper, of whatever they, the jobs or the user's
command leave behind; so when it has no children left, nothing of the sandbox runs any more.
Its link to the process that the user started ends with that process, and then the sandbox ends.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import signal
import socket
import tempfile
import time
import traceback
from collections.abc import Callable

from sandbox import accounting, config, processes
from sandbox.config import Layout, Options
from sandbox.control import Control
from sandbox.daemons import Daemon, daemon_environment, make_daemons
from sandbox.errors import SandboxError, StartError, UsageError
from sandbox.loop import Child, Loop, Stopped, describe_status, log
from sandbox.ports import Ports, reserve

START_LIMIT_S = 180
START_ATTEMPTS = 5
TOOL_LIMIT_S = 5
COMMAND_END_LIMIT_S = 2  # after SIGTERM, when the sandbox ends under it
COMMAND_SIGNAL_LIMIT_S = 10  # after a SIGTERM or SIGHUP to `run` that was passed on
JOBS_END_LIMIT_S = 3
DAEMONS_END_LIMIT_S = 1
REST_END_LIMIT_S = 1
KILL_LIMIT_S = 10
PORT_TAKEN = "Address already in use"


class Command:
    """The user's command: a child that waits to be let go.

    Attributes
    ----------
    pid : int
        Its process id.
    go : int
        Descriptor where it expects its environment.
    """

    def __init__(self, pid: int, go: int) -> None:
        self.pid = pid
        self.go = go


class Supervisor:
    """One sandbox, from its folder's creation to its removal."""

    def __init__(
        self,
        options: Options,
        programs: dict[str, str],
        link: socket.socket,
        command: Command | None,
    ) -> None:
        self._options = options
        self._programs = programs
        self._link: socket.socket | None = link
        self._loop = Loop()
        self._layout: Layout | None = None
        self._environment: dict[str, str] = {}
        self._ports: Ports | None = None
        self._daemons: dict[str, Daemon] = {}
        self._control: Control | None = None
        self._go = command.go if command else None
        self._command: Child | None = None
        self._command_deadline: float | None = None
        self._loop.add(link.fileno(), self._on_link)
        if command:
            self._command = self._loop.adopt(command.pid, self._on_command_end)

    def run(self) -> int:
        """Do it all; return the command's status, or 0 when there is no command."""
        begin = time.monotonic()
        try:
            self._create_folder()
            self._bring_up()
            self._announce(time.monotonic() - begin)
            self._serve()
        except Stopped:
            log("stopping")
        except (SandboxError, OSError) as error:
            self._tell({"error": str(error)})
        except Exception:
            self._tell({"error": f"the supervisor failed\n{traceback.format_exc()}"})
        finally:
            self._tear_down()
        if self._command is None or self._command.status is None:
            return 0
        status = self._command.status
        return status if status >= 0 else 128 - status

    # The link to the process that the user started, and the user's command.

    def _on_link(self) -> None:
        try:
            words = self._link.recv(64).split()
        except OSError:
            words = []
        if words and words[0] == b"signal":
            self._pass_on(int(words[1]))
            return
        self._loop.remove(self._link.fileno())
        self._link.close()
        self._link = None
        if words != [b"detach"]:
            self._loop.stop_requested = True

    def _tell(self, message: dict[str, object]) -> None:
        if "error" in message:
            log(f"error: {message['error']}")
        if self._link is not None:
            try:
                self._link.send(json.dumps(message).encode())
            except OSError:
                pass  # gone: its end of the link says so, too

    def _pass_on(self, number: int) -> None:
        if self._command is None:
            return
        self._command.signal(number)
        if number in (signal.SIGTERM, signal.SIGHUP) and self._command_deadline is None:
            self._command_deadline = time.monotonic() + COMMAND_SIGNAL_LIMIT_S

    def _on_command_end(self) -> None:
        log(f"command {describe_status(self._command.status)}")
        self._loop.stop_requested = True

    # Coming up.

    def _create_folder(self) -> None:
        mode = 0o755 if self._options.public else 0o700
        os.umask(0o777 & ~mode)
        root = self._options.directory
        if root is None:
            root = tempfile.mkdtemp(prefix=config.FOLDER_PREFIX, dir=self._options.parent)
        elif not os.path.isdir(root):
            os.mkdir(root, mode)
        os.chmod(root, mode)
        self._layout = Layout(root)
        pid = os.getpid()
        with open(self._layout.supervisor_pid, "w", encoding="ascii") as file:
            file.write(f"{pid} {processes.start_time(pid)}\n")
        os.mkdir(self._layout.path("log"))
        os.mkdir(self._layout.path("pids"))
        os.mkdir(self._layout.path("run"), 0o700)
        os.mkdir(self._layout.path("state"), 0o700)
        for node in config.node_names(self._options):
            os.makedirs(self._layout.path("spool", node))
        output = os.open(
            self._layout.supervisor_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666
        )
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.close(output)
        self._environment = daemon_environment(self._layout)

    def _bring_up(self) -> None:
        key = os.open(self._layout.munge_key, os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(key, os.urandom(128))
        os.close(key)
        cgroup_conf = config.cgroup_conf(self._slurm_version())
        if cgroup_conf is not None:
            with open(self._layout.cgroup_conf, "w", encoding="ascii") as file:
                file.write(cgroup_conf)
        for attempt in range(1, START_ATTEMPTS + 1):
            try:
                self._start_daemons()
                break
            except StartError as error:
                if not error.port_taken or attempt == START_ATTEMPTS:
                    raise
                log(f"{error}\ntrying other ports")
            self._end_daemons(list(self._daemons.values()), signal.SIGKILL)
            self._ports.release()
        self._control = Control(self._layout.control, self._loop)

    def _slurm_version(self) -> tuple[int, int]:
        argv = [self._programs["slurmctld"], "-V"]
        _, output = self._loop.run(argv, self._environment, START_LIMIT_S)
        found = re.search(r"(\d+)\.(\d+)", output)
        if found is None:
            raise SandboxError(
                f"slurmctld -V does not tell its version: {output.strip() or 'no output'}"
            )
        return int(found[1]), int(found[2])

    def _start_daemons(self) -> None:
        nodes = config.node_names(self._options)
        site = self._options.site
        self._ports = reserve(len(nodes) + 1 + bool(site and site.accounting))
        numbers = self._ports.numbers
        user = pwd.getpwuid(os.geteuid()).pw_name
        name = socket.gethostname()
        conf = config.slurm_conf(
            self._options,
            self._layout,
            user,
            name.partition(".")[0],
            numbers,
            config.is_resolved_to_loopback(name),
        )
        with open(self._layout.slurm_conf, "w", encoding="ascii") as file:
            file.write(conf)
        if site:
            site.write_files(self._layout.root)
        daemons = make_daemons(self._programs, self._layout, nodes, numbers, site)
        self._daemons = {daemon.name: daemon for daemon in daemons}
        self._start([daemons[0]], self._munged_answers)
        if site and site.accounting:
            self._start_accounting(user, numbers[-1])
        # Programs that find no slurmctld listening wait for a second: so first things first.
        self._start([daemons[1]], daemons[1].listens)
        off = site.off_at_first() if site else set()
        on = [daemon for daemon in daemons[2:] if daemon.name not in off]
        names = [daemon.name for daemon in on]
        self._start(on, lambda: self._nodes_are_in({"idle"}, names))

    def _start_accounting(self, user: str, port: int) -> None:
        accounting.prepare(self._programs, self._layout, user, port, self._loop)
        self._environment.update(accounting.environment(self._layout))
        mariadbd, slurmdbd = accounting.make_daemons(self._programs, self._layout, port)
        self._daemons.update({mariadbd.name: mariadbd, slurmdbd.name: slurmdbd})
        self._start([mariadbd], lambda: accounting.mariadbd_answers(self._layout))
        self._start([slurmdbd], slurmdbd.listens)
        commands = self._options.site.accounting.replace("@USER@", user)
        accounting.set_up(self._programs, self._environment, commands, self._loop)

    def _start(self, daemons: list[Daemon], answers: Callable[[], bool]) -> None:
        for daemon in daemons:
            daemon.start(self._loop, self._environment)

        def up() -> bool:
            for daemon in self._daemons.values():
                if daemon.process is not None and not daemon.running():
                    self._fail_start(daemon)
            return answers()

        if not self._loop.wait(up, START_LIMIT_S):
            names = ", ".join(daemon.name for daemon in daemons)
            tails = "".join(daemon.tail() for daemon in daemons[:2])
            raise StartError(f"{names}: no answer within {START_LIMIT_S} s{tails}")

    def _fail_start(self, daemon: Daemon) -> None:
        how = describe_status(daemon.process.status)
        raise StartError(
            f"{daemon.name} {how} while starting{daemon.tail()}",
            port_taken=PORT_TAKEN in daemon.recent_output(),
        )

    def _announce(self, seconds: float) -> None:
        conf = None
        if self._options.site and self._options.site.configless:
            # What a login node has where configuration comes from slurmctld: a slurmd's copy.
            node = config.node_names(self._options)[0]
            conf = self._layout.path("spool", node, "conf-cache", "slurm.conf")
        environment = self._layout.announce(conf)
        self._tell({"environment": environment, "seconds": round(seconds, 2)})
        log(f"up in {seconds:.2f} s")
        if self._go is not None:
            os.write(self._go, json.dumps(environment).encode())
            os.close(self._go)

    # Answers of daemons.

    def _munged_answers(self) -> bool:
        if not os.path.exists(self._layout.munge_socket):
            return False
        argv = [
            self._programs["munge"],
            "--no-input",
            f"--socket={self._layout.munge_socket}",
        ]
        return self._loop.run(argv, self._environment, TOOL_LIMIT_S)[0] == 0

    def _slurmctld_answers(self) -> bool:
        if not self._daemons["slurmctld"].listens():
            return False
        argv = [self._programs["scontrol"], "ping"]
        status, output = self._loop.run(argv, self._environment, TOOL_LIMIT_S)
        return status == 0 and "is UP" in output

    def _node_states(self) -> dict[str, str]:
        argv = [self._programs["sinfo"], "--noheader", "--Node", "--format=%N %t"]
        status, output = self._loop.run(argv, self._environment, TOOL_LIMIT_S)
        lines = [line.split() for line in output.splitlines()] if status == 0 else []
        return {words[0]: words[1] for words in lines if len(words) == 2}

    def _nodes_are_in(self, wanted: set[str], nodes: list[str]) -> bool:
        states = self._node_states()
        return all(states.get(node) in wanted for node in nodes)

    def _nodes_respond(self, nodes: list[str]) -> bool:
        states = self._node_states()
        found = [states.get(node, "unk") for node in nodes]
        return not any(state.startswith("unk") or state.endswith("*") for state in found)

    def _answers(self, daemon: Daemon) -> bool:
        if daemon.name == "munged":
            return self._munged_answers()
        if daemon.name == "slurmctld":
            return self._slurmctld_answers()
        if daemon.name == "mariadbd":
            return accounting.mariadbd_answers(self._layout)
        if daemon.name == "slurmdbd" or not daemon.listens():
            return daemon.listens()
        return not self._daemons["slurmctld"].running() or self._nodes_respond([daemon.name])

    # Requests.

    def _serve(self) -> None:
        while True:
            self._loop.turn(0.2 if self._command_deadline else None)
            if self._command_deadline and time.monotonic() > self._command_deadline:
                log(f"command does not end within {COMMAND_SIGNAL_LIMIT_S} s")
                raise Stopped
            while self._control.requests:
                request = self._control.requests.pop(0)
                log(f"request: {' '.join(request.words)}")
                try:
                    request.answer("ok", self._handle(request.words))
                except SandboxError as error:
                    request.answer(
                        "usage" if isinstance(error, UsageError) else "failed",
                        str(error),
                    )

    def _handle(self, words: list[str]) -> str:
        daemon = self._daemons.get(words[1].partition("slurmd.")[2] or words[1])
        if daemon is None:
            raise UsageError(
                f"{words[1]}: no such daemon; {self._daemon_names()} would be right"
            )
        if words[0] == "restart":
            return self._restart(daemon)
        return self._kill(daemon, int(words[2]))

    def _daemon_names(self) -> str:
        last = config.node_names(self._options)[-1]
        return "munged, slurmctld or n1" + (f" to {last}" if last != "n1" else "")

    def _restart(self, daemon: Daemon) -> str:
        started = False

        def up() -> bool:
            nonlocal started
            if daemon.running():
                return not processes.is_dying(daemon.process.pid) and self._answers(daemon)
            if started:
                self._fail_start(daemon)
            daemon.start(self._loop, self._environment)
            started = True
            return False

        daemon.signal(signal.SIGCONT)
        if not self._loop.wait(up, START_LIMIT_S):
            raise SandboxError(
                f"{daemon.name} does not answer within {START_LIMIT_S} s{daemon.tail()}"
            )
        if started and daemon.name == "slurmctld":
            self._register_nodes()
        how = "is up again" if started else "was running"
        return f"{daemon.name} {how}, process {daemon.process.pid}"

    def _register_nodes(self) -> None:
        """Have the nodes register now with a new slurmctld: on its own it takes seconds to ask."""
        names = []
        for name in config.node_names(self._options):
            daemon = self._daemons[name]
            if daemon.running() and not processes.is_stopped(daemon.process.pid):
                daemon.signal(signal.SIGHUP)
                names.append(name)
        if not self._loop.wait(lambda: self._nodes_respond(names), START_LIMIT_S):
            raise SandboxError(f"{', '.join(names)}: not registered within {START_LIMIT_S} s")

    def _kill(self, daemon: Daemon, number: int) -> str:
        if not daemon.running():
            raise SandboxError(f"{daemon.name} is not running")
        pid = daemon.process.pid
        daemon.signal(number)
        if number not in (signal.SIGKILL, signal.SIGTERM):
            return f"{daemon.name}, process {pid}: signal {number} sent"
        if not self._loop.wait(lambda: not daemon.running(), START_LIMIT_S / 2):
            raise SandboxError(
                f"{daemon.name}, process {pid}, still runs after signal {number}"
            )
        return f"{daemon.name}, process {pid}, {describe_status(daemon.process.status)}"

    # Going down.

    def _tear_down(self) -> None:
        self._loop.stopping = True
        if self._control is not None:
            self._control.close()
        self._end_command()
        if self._daemons:
            self._end_jobs()
            daemons = list(self._daemons.values())
            self._end_daemons(daemons[1:], signal.SIGTERM)
            self._end_daemons(daemons[:1], signal.SIGTERM)
        self._end_rest()
        self._remove_folder()

    def _end_command(self) -> None:
        command = self._command
        if command is None or command.status is not None:
            return
        for pid in [command.pid, *processes.descendants(command.pid)]:
            processes.send_signal(pid, signal.SIGTERM)
            processes.send_signal(pid, signal.SIGCONT)
        self._loop.wait(lambda: command.status is not None, COMMAND_END_LIMIT_S)

    def _steps(self) -> list[int]:
        """Return the job steps: marked by their slurmd; our children since it let them go."""
        own = {daemon.process.pid for daemon in self._daemons.values() if daemon.process}
        children = set(processes.children_by_parent().get(os.getpid(), [])) - own
        return [pid for pid in processes.with_variable(self._layout.mark()) if pid in children]

    def _end_jobs(self) -> None:
        """Let running jobs end in peace, by Slurm if it still works; then kill them."""
        steps = self._steps()
        if not steps:
            return
        if not self._cancel_jobs():
            for pid in processes.descendants(*steps):
                processes.send_signal(pid, signal.SIGTERM)
        ended = self._loop.wait(
            lambda: not processes.descendants(*self._steps()), JOBS_END_LIMIT_S
        )
        if not ended:
            log(f"jobs do not end within {JOBS_END_LIMIT_S} s")
        # A slurmd waits for its steps, and a step for a slurmctld.
        steps = self._steps()
        for pid in [*steps, *processes.descendants(*steps)]:
            processes.send_signal(pid, signal.SIGKILL)

    def _cancel_jobs(self) -> bool:
        """Cancel all jobs; return whether Slurm did it."""
        slurmctld = self._daemons["slurmctld"]
        slurmctld.signal(signal.SIGCONT)
        if not slurmctld.running() or not slurmctld.listens():
            return False
        for state in ("PENDING", "SUSPENDED", "RUNNING"):
            argv = [self._programs["scancel"], "--quiet", f"--state={state}"]
            if self._loop.run(argv, self._environment, TOOL_LIMIT_S)[0] != 0:
                return False
        return True

    def _end_daemons(self, daemons: list[Daemon], number: int) -> None:
        def ended() -> bool:
            return not any(daemon.running() for daemon in daemons)

        for daemon in daemons:
            daemon.signal(number)
            daemon.signal(signal.SIGCONT)
        if not self._loop.wait(ended, DAEMONS_END_LIMIT_S):
            for daemon in daemons:
                daemon.signal(signal.SIGKILL)
            self._loop.wait(ended, DAEMONS_END_LIMIT_S)

    def _end_rest(self) -> None:
        """End whatever is left of jobs and command: all of it descends from us."""

        def alone() -> bool:
            return not self._loop.reap()

        def kill() -> bool:
            for pid in processes.descendants(os.getpid()):
                processes.send_signal(pid, signal.SIGKILL)
            return alone()

        if alone():
            return
        for pid in processes.descendants(os.getpid()):
            log(f"ending left-over process {pid}")
            processes.send_signal(pid, signal.SIGTERM)
            processes.send_signal(pid, signal.SIGCONT)
        if not self._loop.wait(alone, REST_END_LIMIT_S) and not self._loop.wait(
            kill, KILL_LIMIT_S
        ):
            log("cannot end all processes")

    def _remove_folder(self) -> None:
        if self._layout is None:
            return
        shutil.rmtree(self._layout.root, ignore_errors=True)
        if os.path.lexists(self._layout.root):
            self._tell({"error": f"cannot remove {self._layout.root}"})
