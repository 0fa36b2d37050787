"""``start`` and ``run``: the processes around the supervisor.

The process that the user started forks the supervisor, which forks the user's command (for
``run``) before it leaves terminal and session.  So the command stays in the foreground of the
terminal, where Ctrl-C and Ctrl-Z reach it, and yet descends from the supervisor, which ends it
and all that it leaves behind when the sandbox ends.  Between the user's process and the
supervisor there is a link, a pair of sockets: when the one dies, the other knows.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import socket
import stat
import sys
from collections.abc import Callable, Iterable

from sandbox import accounting, config, processes
from sandbox.client import clean_up
from sandbox.config import Layout, Options
from sandbox.daemons import find_programs
from sandbox.errors import SandboxError, UsageError
from sandbox.supervisor import Command, Supervisor

MESSAGE_MAX = 65536

# Exit statuses of `run`, as env, timeout and nohup have them.
STATUS_FAILED = 125
STATUS_CANNOT_EXECUTE = 126
STATUS_NOT_FOUND = 127


def say(text: str) -> None:
    """Write a line for a person."""
    print(f"sandbox: {text}", file=sys.stderr, flush=True)


def check(options: Options) -> None:
    """Refuse what cannot work, before anything is done.

    Raises
    ------
    SandboxError
        With the reason.
    """
    root = options.directory
    if root is None:
        fresh = os.path.join(options.parent, config.FOLDER_PREFIX + config.FOLDER_RANDOM * "X")
        config.check_root(fresh, f"TMPDIR {options.parent}", options)
        _check_parent(options.parent, f"TMPDIR {options.parent}")
    else:
        config.check_root(root, f"--dir {root}", options)
        if os.path.lexists(root):
            _check_empty(root)
        else:
            _check_parent(os.path.dirname(root), f"--dir {root}")
    if options.public:
        _check_public(root or options.parent)
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise SandboxError(
            f"user id {os.geteuid()} has no name in passwd, but Slurm needs one"
        ) from None


def _check_parent(parent: str, source: str) -> None:
    if not os.path.isdir(parent):
        raise UsageError(f"{source}: there is no folder {parent}; an existing one is right")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise UsageError(
            f"{source}: you cannot write to {parent}; a folder where you can is right"
        )


def _check_empty(root: str) -> None:
    source = f"--dir {root}"
    if not os.path.isdir(root) or os.path.islink(root):
        raise UsageError(
            f"{source}: exists and is no folder; a new or an empty folder is right"
        )
    if os.stat(root).st_uid != os.geteuid():
        raise UsageError(
            f"{source}: belongs to somebody else; a new or an empty folder of your own is right"
        )
    if os.listdir(root):
        raise UsageError(f"{source}: is not empty; a new or an empty folder is right")


def _check_public(root: str) -> None:
    if os.geteuid() != 0:
        raise UsageError(
            "--public: only root can run jobs as other users; leave it out, or run this as root"
        )
    folder = root if os.path.isdir(root) and not os.listdir(root) else os.path.dirname(root)
    while True:
        if not os.stat(folder).st_mode & stat.S_IXOTH:
            raise UsageError(
                f"--public: others cannot enter {folder}; give a folder with --dir where they can"
            )
        if folder == "/":
            return
        folder = os.path.dirname(folder)


def user_environment() -> dict[str, str]:
    """Return our environment without another Slurm's variables."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(config.FOREIGN_PREFIXES)
    }


def _fork_command(argv: list[str], mask: Iterable[int], link: socket.socket) -> Command:
    """Fork the user's command; it waits for its go, then it is executed."""
    read, write = os.pipe()

    def body() -> int:
        link.close()
        os.close(write)
        processes.prctl(processes.PR_SET_PDEATHSIG, signal.SIGTERM)
        processes.prepare_signals(mask)
        with os.fdopen(read, "rb") as file:
            message = file.read()
        if not message:
            return STATUS_FAILED
        try:
            os.execvpe(argv[0], argv, {**user_environment(), **json.loads(message)})
        except OSError as error:
            say(f"run: {argv[0]}: {error.strerror}")
            return (
                STATUS_NOT_FOUND
                if isinstance(error, FileNotFoundError)
                else STATUS_CANNOT_EXECUTE
            )

    pid = processes.fork(body)
    os.close(read)
    return Command(pid, write)


def _fork_supervisor(
    options: Options, argv: list[str] | None, mask: Iterable[int]
) -> tuple[int, socket.socket]:
    """Fork the supervisor; return its process id and our end of the link."""
    accounting_wanted = options.site is not None and options.site.accounting
    programs = find_programs(accounting.PROGRAMS if accounting_wanted else {})
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def body() -> int:
        ours.close()
        command = _fork_command(argv, mask, theirs) if argv else None
        os.setsid()
        os.chdir("/")
        processes.prctl(processes.PR_SET_CHILD_SUBREAPER, 1)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        processes.close_others({theirs.fileno()} | ({command.go} if command else set()))
        return Supervisor(options, programs, theirs, command).run()

    pid = processes.fork(body)
    theirs.close()
    return pid, ours


def _receive(link: socket.socket) -> dict[str, object] | None:
    """Return the supervisor's next message, None after the last one."""
    try:
        message = link.recv(MESSAGE_MAX)
    except ConnectionResetError:
        return None
    return json.loads(message) if message else None


def start(options: Options, show: Callable[[dict[str, str]], None]) -> int:
    """Start a sandbox that outlives this process.

    Parameters
    ----------
    options : Options
        What the user wants.
    show : function
        Called with the sandbox's environment once it is up; when that fails, it is stopped.

    Returns
    -------
    int
        Exit status.
    """
    check(options)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid, link = _fork_supervisor(options, None, [])
    try:
        message = _receive(link)
        if message and "environment" in message:
            environment = message["environment"]
            say(f"{options.nodes} nodes with {options.cpus} CPUs, up in {message['seconds']} s")
            show(environment)
            link.send(b"detach")
            return 0
        say(f"start: {message['error'] if message else 'the supervisor died'}")
    except KeyboardInterrupt:
        say("start: interrupted")
    link.close()
    os.waitpid(pid, 0)
    return 1


def run(options: Options, argv: list[str]) -> int:
    """Start a sandbox, run a command with it, stop it.

    Parameters
    ----------
    options : Options
        What the user wants.
    argv : list of str
        The command and its arguments.

    Returns
    -------
    int
        The command's exit status, 128 + n after signal n; 125 when the sandbox failed, 127
        without command.
    """
    check(options)
    if shutil.which(argv[0], os.F_OK) is None:
        say(f"run: {argv[0]}: no such command")
        return STATUS_NOT_FOUND
    ending = {signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP}
    watched = {number for number in ending if signal.getsignal(number) != signal.SIG_IGN} | {
        signal.SIGCHLD
    }
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    pid, link = _fork_supervisor(options, argv, mask)
    status = _follow(pid, link, watched)
    root = None
    while True:
        message = _receive(link)
        if message is None:
            break
        if "error" in message:
            say(f"run: {message['error']}")
            status = STATUS_FAILED
        elif "environment" in message:
            root = message["environment"][config.NAME_VARIABLE]
    if status < 0:
        say(f"run: the supervisor was killed by signal {-status}")
        status = STATUS_FAILED
        if root is not None:
            clean_up(Layout(root))
    return status


def _follow(pid: int, link: socket.socket, watched: set[signal.Signals]) -> int:
    """Wait for the supervisor's end and pass signals on; return its status, -n after signal n."""
    while True:
        info = signal.sigwaitinfo(watched)
        if info.si_signo == signal.SIGCHLD:
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
        elif info.si_code <= 0 or info.si_signo in (signal.SIGTERM, signal.SIGHUP):
            try:
                link.send(f"signal {info.si_signo}".encode())
            except OSError:
                pass  # the supervisor is ending
        # else: Ctrl-C or Ctrl-\ in the terminal, which reaches the command, too
