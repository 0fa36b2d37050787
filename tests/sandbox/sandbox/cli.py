"""The command ``slurm``: options, help and messages."""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from sandbox import client, launch, site
from sandbox.config import FOREIGN_PREFIXES, NAME_VARIABLE, Options
from sandbox.errors import SandboxError, UsageError

NODES_MAX = 256
CPUS_MAX = 1024
MEMORY_MIB_MAX = 100_000_000

DESCRIPTION = """\
A private, real Slurm on this machine, for tests and experiments: munged, slurmctld and some
slurmds in a folder of their own, under a supervisor that leaves no trace when it ends. Any number
of them run side by side, for root and for ordinary users.
"""

EPILOG = """\
A sandbox has nodes n1, n2, ... and the partitions "short" (default, at most one hour, the first
half of the nodes) and "standard" (at most one day, the other half).

examples:
  %(prog)s run -- srun -N2 hostname
  %(prog)s run --nodes 2 -- make check
  eval "$(%(prog)s start)"; sinfo; sbatch --wrap "sleep 60"; %(prog)s stop

"%(prog)s SUBCOMMAND --help" tells more.
"""

START_TEXT = """\
Start a sandbox in the background. When all nodes are idle, print shell commands that make it the
Slurm of the shell that evaluates them:

  eval "$(tests/sandbox/slurm start)"

On failure the end of the log goes to standard error, nothing is left, and the shell command
printed is "false", so that eval fails, too.
"""

STOP_TEXT = """\
Stop a sandbox: cancel its jobs, end its daemons and every other process of it, remove its
folder. Works as well after its supervisor was killed.
"""

ENV_TEXT = """\
Print the environment of a running sandbox: SLURM_CONF and DRACO_SANDBOX. As shell commands it
also unsets what a surrounding Slurm job has set.
"""

RUN_TEXT = """\
Start a sandbox, run COMMAND with it, and stop it: also after Ctrl-C, SIGTERM, SIGHUP or kill -9 of
this command. All processes that COMMAND leaves behind are ended.

COMMAND sees SLURM_CONF and DRACO_SANDBOX, and no variable of a surrounding Slurm job.
"""

RUN_EPILOG = """\
exit status: that of COMMAND; 128 + n when signal n ended it; 127 when there is no such command;
126 when it cannot be executed; 125 when the sandbox failed; 2 for wrong options.

SIGTERM and SIGHUP are passed on to COMMAND, which is ended when it still runs 10 s later.
"""

RESTART_TEXT = """\
Start a daemon that was killed, and wait until it answers: munged, slurmctld, or a node's slurmd
by the node's name. Daemons that die are not started again otherwise. A daemon that runs is left
alone, one that was stopped by SIGSTOP is continued. After slurmctld is back, the nodes whose
slurmd runs are back, too.
"""

KILL_TEXT = """\
Send a signal to a daemon: munged, slurmctld, or a node's slurmd by the node's name. After TERM and
KILL, wait until it has ended. Jobs on a node go on without its slurmd.

$DRACO_SANDBOX/pids has a file with the process id of each daemon that runs: munged.pid,
slurmctld.pid, slurmd.n1.pid, ...
"""

Arguments = argparse.Namespace


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and exit with status 2."""
        launch.say(f"{message}; see {self.prog} --help")
        sys.exit(UsageError.status)


def _number(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text) if re.fullmatch(r"[0-9]{1,12}", text) else -1
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(
                f"{text!r}: a whole number from {low} to {high} is right"
            )
        return value

    return parse


def _directory(text: str) -> str:
    if not text:
        raise argparse.ArgumentTypeError("'': the path of a new or an empty folder is right")
    return os.path.abspath(text)


def _cluster(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,39}", text):
        raise argparse.ArgumentTypeError(
            f"{text!r}: 1 to 40 small letters, digits, '_' and '-' are right"
        )
    return text


def _site(text: str) -> site.Site:
    try:
        return site.load(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _signal(text: str) -> int:
    name = text.upper()
    if name.isdigit() and int(name) in set(signal.Signals):
        return int(name)
    try:
        return signal.Signals[name if name.startswith("SIG") else f"SIG{name}"].value
    except KeyError:
        raise argparse.ArgumentTypeError(
            f"{text!r}: a signal's name or number, as TERM or 9, is right"
        ) from None


def _make_parser() -> Parser:
    parser = Parser(
        prog="slurm",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(dest="subcommand", metavar="SUBCOMMAND", required=True)

    def add(
        name: str,
        summary: str,
        text: str,
        function: Callable[[Arguments], int],
        epilog: str = "",
    ) -> Parser:
        result = commands.add_parser(
            name,
            help=summary,
            description=text,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        result.set_defaults(function=function)
        return result

    start = add("start", "start a sandbox in the background", START_TEXT, _start)
    _add_options(start)
    stop = add("stop", "stop a sandbox", STOP_TEXT, _stop)
    _add_sandbox(stop)
    env = add("env", "print a sandbox's environment", ENV_TEXT, _env)
    _add_sandbox(env)
    env.add_argument(
        "--format",
        choices=("sh", "json"),
        default="sh",
        help="shell commands (default) or JSON",
    )
    run = add("run", "run a command with a sandbox of its own", RUN_TEXT, _run, RUN_EPILOG)
    run.usage = "slurm run [OPTION ...] -- COMMAND [ARGUMENT ...]"
    _add_options(run)
    restart = add("restart", "start a daemon again", RESTART_TEXT, _restart)
    restart.add_argument("daemon", metavar="DAEMON", help="munged, slurmctld, n1, n2, ...")
    _add_sandbox(restart)
    kill = add("kill", "send a signal to a daemon", KILL_TEXT, _kill)
    kill.add_argument("daemon", metavar="DAEMON", help="munged, slurmctld, n1, n2, ...")
    _add_sandbox(kill)
    kill.add_argument(
        "--signal",
        metavar="SIG",
        type=_signal,
        default=signal.SIGTERM,
        help="name or number (default TERM)",
    )
    return parser


def _add_options(parser: Parser) -> None:
    default = Options()
    parser.add_argument(
        "--dir",
        metavar="DIR",
        type=_directory,
        help="the sandbox's folder, new or empty; it is removed in the end "
        "(default: a fresh one in ${TMPDIR:-/tmp})",
    )
    parser.add_argument(
        "--nodes",
        metavar="N",
        type=_number(1, NODES_MAX),
        default=default.nodes,
        help="number of nodes (default %(default)s)",
    )
    parser.add_argument(
        "--cpus",
        metavar="C",
        type=_number(1, CPUS_MAX),
        default=default.cpus,
        help="CPUs of each node, also more than this machine has (default %(default)s)",
    )
    parser.add_argument(
        "--memory",
        metavar="MIB",
        type=_number(1, MEMORY_MIB_MAX),
        default=default.memory_mib,
        help="memory of each node in MiB, also more than this machine has (default %(default)s)",
    )
    parser.add_argument(
        "--shared", action="store_true", help="give all nodes to both partitions"
    )
    parser.add_argument(
        "--cluster",
        metavar="NAME",
        type=_cluster,
        default=default.cluster,
        help="Slurm's ClusterName (default %(default)s)",
    )
    parser.add_argument(
        "--site",
        metavar="NAME",
        type=_site,
        help=f"a kind of site, in place of the options above: {', '.join(site.names())}, or the "
        "path of such a file",
    )
    parser.add_argument(
        "--public",
        action="store_true",
        help="let other users of this machine submit jobs, which run as those users; for root only",
    )


def _add_sandbox(parser: Parser) -> None:
    parser.add_argument(
        "dir",
        metavar="DIR",
        nargs="?",
        help=f"the sandbox's folder (default ${NAME_VARIABLE})",
    )


def _options(arguments: Arguments) -> Options:
    return Options(
        directory=arguments.dir,
        parent=os.path.abspath(os.environ.get("TMPDIR") or "/tmp"),
        nodes=len(arguments.site.nodes)
        if arguments.site and arguments.site.nodes
        else arguments.nodes,
        cpus=arguments.cpus,
        memory_mib=arguments.memory,
        shared=arguments.shared,
        public=arguments.public,
        cluster=arguments.cluster,
        site=arguments.site,
    )


def _sandbox(arguments: Arguments) -> client.Layout:
    root = arguments.dir or os.environ.get(NAME_VARIABLE)
    if not root:
        raise UsageError(f"DIR is missing: give it, or set {NAME_VARIABLE}")
    return client.find(root)


def _print_shell(environment: dict[str, str]) -> None:
    for name in sorted(os.environ):
        if name.startswith(FOREIGN_PREFIXES) and name not in environment:
            print(f"unset {shlex.quote(name)};")
    for name, value in environment.items():
        print(f"export {name}={shlex.quote(value)};")
    sys.stdout.flush()


def _start(arguments: Arguments) -> int:
    return launch.start(_options(arguments), _print_shell)


def _stop(arguments: Arguments) -> int:
    client.stop(_sandbox(arguments))
    return 0


def _env(arguments: Arguments) -> int:
    environment = client.environment(_sandbox(arguments))
    if arguments.format == "json":
        print(json.dumps(environment, indent=2))
    else:
        _print_shell(environment)
    return 0


def _run(arguments: Arguments) -> int:
    if not arguments.command:
        raise UsageError("COMMAND is missing: slurm run [OPTION ...] -- COMMAND is right")
    try:
        return launch.run(_options(arguments), arguments.command)
    except UsageError:
        raise
    except SandboxError as error:
        error.status = launch.STATUS_FAILED
        raise


def _restart(arguments: Arguments) -> int:
    launch.say(client.request(_sandbox(arguments), ["restart", arguments.daemon]))
    return 0


def _kill(arguments: Arguments) -> int:
    launch.say(
        client.request(
            _sandbox(arguments), ["kill", arguments.daemon, str(int(arguments.signal))]
        )
    )
    return 0


def main(argv: list[str]) -> int:
    """Do what the command line says.

    Parameters
    ----------
    argv : list of str
        The arguments, without the program's name.

    Returns
    -------
    int
        Exit status.
    """
    command: list[str] | None = None
    if argv[:1] == ["run"] and "--" in argv:
        place = argv.index("--")
        argv, command = argv[:place], argv[place + 1 :]
    arguments = _make_parser().parse_args(argv)
    arguments.command = command
    try:
        status = arguments.function(arguments)
    except SandboxError as error:
        launch.say(f"{arguments.subcommand}: {error}")
        status = error.status
    if status and arguments.subcommand == "start":
        print("false")
    return status
