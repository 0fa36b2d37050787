"""A sandbox's options, the paths in its folder and its slurm.conf; no side effects."""

from __future__ import annotations

import json
import os
import re
import socket
from dataclasses import dataclass

from sandbox.errors import UsageError
from sandbox.site import Site

SOCKET_PATH_MAX = 107  # sun_path holds 108 bytes, the last one is zero
FOLDER_PREFIX = "draco-sandbox-"
FOLDER_RANDOM = 8  # characters that tempfile.mkdtemp() adds
NAME_VARIABLE = "DRACO_SANDBOX"
MARK_VARIABLE = "DRACO_SANDBOX_DAEMON"  # in the environment of our daemons, and only there

# Variables that a surrounding job, or its user, has set for another Slurm.
FOREIGN_PREFIXES = (
    "SLURM_",
    "SLURMD_",
    "SBATCH_",
    "SALLOC_",
    "SRUN_",
    "SQUEUE_",
    "SINFO_",
    "SCANCEL_",
)


@dataclass(frozen=True)
class Options:
    """What a user may choose about a sandbox.

    Attributes
    ----------
    directory : str or None
        The folder, absolute; None for a fresh one.
    parent : str
        Where a fresh folder goes, absolute.
    nodes, cpus, memory_mib : int
        Number of nodes; CPUs and memory of each.
    shared : bool
        Whether both partitions have all nodes.
    public : bool
        Whether other users of this machine may use it.
    cluster : str
        Slurm's name for it.
    site : Site or None
        The kind of site that it is to be; its nodes come before those above.
    """

    directory: str | None = None
    parent: str = "/tmp"
    nodes: int = 4
    cpus: int = 8
    memory_mib: int = 16000
    shared: bool = False
    public: bool = False
    cluster: str = "sandbox"
    site: Site | None = None


@dataclass(frozen=True)
class Layout:
    """Where things are in a sandbox's folder.

    Attributes
    ----------
    root : str
        The folder, absolute.
    """

    root: str

    def path(self, *names: str) -> str:
        """Return the path of something in the folder."""
        return os.path.join(self.root, *names)

    @property
    def slurm_conf(self) -> str:
        """Slurm's settings; SLURM_CONF for all who use the sandbox."""
        return self.path("slurm.conf")

    @property
    def cgroup_conf(self) -> str:
        """Settings that Slurm looks for beside slurm.conf."""
        return self.path("cgroup.conf")

    @property
    def munge_socket(self) -> str:
        """Where munged listens."""
        return self.path("munge.socket")

    @property
    def munge_key(self) -> str:
        """The secret of this sandbox's munged."""
        return self.path("munge.key")

    @property
    def control(self) -> str:
        """Where the supervisor takes requests."""
        return self.path("control")

    @property
    def supervisor_pid(self) -> str:
        """The supervisor's process id and start time."""
        return self.path("supervisor.pid")

    @property
    def supervisor_log(self) -> str:
        """What the supervisor did."""
        return self.path("log", "supervisor.log")

    def environment(self) -> dict[str, str]:
        """Return the variables that users of the sandbox need."""
        try:
            with open(self.path("environment"), encoding="ascii") as file:
                return json.load(file)
        except FileNotFoundError:
            return {"SLURM_CONF": self.slurm_conf, NAME_VARIABLE: self.root}

    def announce(self, conf: str | None) -> dict[str, str]:
        """Keep and return the variables that users need, where their slurm.conf is another."""
        result = {"SLURM_CONF": conf or self.slurm_conf, NAME_VARIABLE: self.root}
        with open(self.path("environment"), "w", encoding="ascii") as file:
            json.dump(result, file)
        return result

    def mark(self) -> str:
        """Return the assignment that tells our daemons from all other processes."""
        return f"{MARK_VARIABLE}={self.root}"


def node_names(options: Options) -> list[str]:
    """Return the names of all nodes."""
    if options.site and options.site.nodes:
        return [node["name"] for node in options.site.nodes]
    return [f"n{number}" for number in range(1, options.nodes + 1)]


def _bracketed(prefix: str, first: int, last: int) -> str:
    return f"{prefix}{first}" if first == last else f"{prefix}[{first}-{last}]"


def check_root(root: str, source: str, options: Options) -> None:
    """Refuse a folder whose path would not work.

    Parameters
    ----------
    root : str
        The path; for a fresh folder with any characters for the random ones.
    source : str
        Where it comes from, for the message.
    options : Options
        The names of the nodes are in paths, too.
    """
    if not re.fullmatch(r"[A-Za-z0-9_./+-]+", root):
        raise UsageError(
            f"{source}: slurm.conf cannot hold this path; one of letters, digits and _ . / + - "
            "is right"
        )
    node = max(node_names(options), key=len)
    # The longest path: slurmstepd's socket, here for the largest job id and the batch step's
    # number.
    longest = len(os.fsencode(f"{root}/spool/{node}/{node}_67043328.4294967291"))
    if longest > SOCKET_PATH_MAX:
        most = SOCKET_PATH_MAX - (longest - len(os.fsencode(root)))
        hint = "" if source.startswith("--dir") else "; give a shorter one with --dir"
        raise UsageError(
            f"{source}: the sandbox's folder would have {len(os.fsencode(root))} characters, "
            f"at most {most} are right, because paths of Unix sockets end at "
            f"{SOCKET_PATH_MAX}{hint}"
        )


def cgroup_conf(version: tuple[int, int]) -> str | None:
    """Return cgroup.conf for a version of Slurm, None where there must not be one.

    Without it slurmd takes what is mounted, and with cgroup v2 insists on a cgroup of its own,
    which an ordinary user cannot give it. 22.05 knows no other word against that than the one
    for v1, which makes nothing by itself; older versions know no plugins.
    """
    if version >= (23, 2):
        return "CgroupPlugin=disabled\n"
    return "CgroupPlugin=cgroup/v1\n" if version >= (22, 5) else None


def is_resolved_to_loopback(name: str) -> bool:
    """Return whether Slurm finds 127.0.0.1 for the name of this machine.

    Parameters
    ----------
    name : str
        The name, as the kernel has it.
    """
    try:
        found = socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)
    except OSError:
        return False
    return found[0][4][0] == "127.0.0.1"


def slurm_conf(
    options: Options, layout: Layout, user: str, host: str, ports: list[int], loopback: bool
) -> str:
    """Return slurm.conf.

    Parameters
    ----------
    options, layout : Options, Layout
        The sandbox.
    user : str
        Name of the account that the daemons run as.
    host : str
        Short name of this machine.
    ports : list of int
        One for slurmctld, one for each node, in a row, and one for slurmdbd where there is one.
    loopback : bool
        Whether to listen on the address of this machine's name alone, which is 127.0.0.1 then.
        Slurm knows only that address and all addresses.
    """
    listen = "CommunicationParameters=NoCtldInAddrAny,NoInAddrAny\n" if loopback else ""
    half = (options.nodes + 1) // 2
    everything = _bracketed("n", 1, options.nodes)
    if options.shared or options.nodes == 1:
        short = standard = everything
    else:
        short = _bracketed("n", 1, half)
        standard = _bracketed("n", half + 1, options.nodes)
    if options.site and options.site.nodes:
        names = node_names(options)
        short = ",".join(names[:half])
        standard = ",".join(names[half:] or names)
    node_ports = _bracketed("", ports[1], ports[len(node_names(options))])
    text = f"""\
# A private Slurm.  To change it: edit, then scontrol reconfigure.
ClusterName={options.cluster}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={layout.munge_socket}
{listen}
StateSaveLocation={layout.path("state")}
SlurmdSpoolDir={layout.path("spool", "%n")}
SlurmctldPidFile={layout.path("run", "slurmctld.pid")}
SlurmdPidFile={layout.path("run", "slurmd.%n.pid")}
SlurmctldLogFile={layout.path("log", "slurmctld.log")}
SlurmdLogFile={layout.path("log", "slurmd.%n.log")}
LogTimeFormat=iso8601_ms

ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
MailProg=/bin/true
ReturnToService=2
KillWait=5
SlurmctldTimeout=30
SlurmdTimeout=30

SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU={max(1, options.memory_mib // options.cpus)}
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,batch_sched_delay=0,bf_interval=1
# Nodes may claim more CPUs and memory than this machine has.
SlurmdParameters=config_overrides
NodeName={everything} NodeHostname={host} NodeAddr=127.0.0.1 Port={node_ports} \
CPUs={options.cpus} RealMemory={options.memory_mib}
PartitionName=short Nodes={short} Default=YES MaxTime=1:00:00 State=UP
PartitionName=standard Nodes={standard} MaxTime=1-00:00:00 State=UP
"""
    if not options.site:
        return text
    if options.site.accounting:
        text += f"""\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={ports[-1]}
AccountingStoragePass={layout.munge_socket}
"""
    where = [f"NodeHostname={host} NodeAddr=127.0.0.1 Port={port}" for port in ports[1:]]
    return options.site.apply(text, layout.root, where)
