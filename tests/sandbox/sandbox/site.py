"""Kinds of sites: a file below tests/sites says how its Slurm differs from the plain sandbox."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any

from sandbox.errors import UsageError

SITES = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "sites")
KEYS = {"about", "nodes", "conf", "files", "accounting", "configless", "user", "holds"}


@dataclass(frozen=True)
class Site:
    """How the Slurm of a site differs from the plain sandbox.

    Attributes
    ----------
    name : str
        Its name.
    about : str
        One line on what is special.
    nodes : list of dict
        ``name`` and ``line`` of each node: what slurm.conf says of it, such as ``CPUs=4``.
    conf : str
        Lines for slurm.conf. Each replaces that of the same name; without a value it removes it.
        Partitions replace all of the sandbox's. ``@DIR@`` is the sandbox's folder.
    files : dict
        Files beside slurm.conf, by name; those that begin with ``#!`` are programs.
    accounting : str
        Commands for sacctmgr, a line each, where ``@USER@`` is the user; empty: no accounting.
    configless : bool
        Whether nodes have their configuration from slurmctld, in a cache of their own.
    user, holds : dict
        For the test: what a user there sets, and what must hold.
    """

    name: str
    about: str = ""
    nodes: list[dict[str, str]] = field(default_factory=list)
    conf: str = ""
    files: dict[str, str] = field(default_factory=dict)
    accounting: str = ""
    configless: bool = False
    user: dict[str, Any] = field(default_factory=dict)
    holds: dict[str, Any] = field(default_factory=dict)

    def off_at_first(self) -> set[str]:
        """Return the names of nodes that run only after slurmctld has had them booted."""
        return {
            node["name"]
            for node in self.nodes
            if re.search(r"\bState=CLOUD\b", node.get("line", ""), re.IGNORECASE)
        }

    def apply(self, conf: str, root: str, where: list[str]) -> str:
        """Change slurm.conf.

        Parameters
        ----------
        conf : str
            That of the plain sandbox.
        root : str
            The sandbox's folder.
        where : list of str
            For each node, its host, address and port, as slurm.conf says it.
        """
        own = self.conf.replace("@DIR@", root)
        names = {name.lower() for name in re.findall(r"^(\w+)\s*=", own, re.MULTILINE)}
        if self.nodes:
            names.add("nodename")
        kept = [
            line
            for line in conf.replace("\\\n", "").splitlines()
            if line.partition("=")[0].lower() not in names
        ]
        added = [line for line in own.splitlines() if not re.fullmatch(r"\w+=", line.strip())]
        nodes = [
            f"NodeName={node['name']} {place} {node.get('line', '')}"
            for node, place in zip(self.nodes, where)
        ]
        partitions = [line for line in added if line.startswith("PartitionName=")]
        rest = [line for line in added if line not in partitions]
        base = [line for line in kept if line.startswith("PartitionName=")]
        kept = [line for line in kept if line not in base]
        return "\n".join([*kept, *rest, *nodes, *base, *partitions, ""])

    def write_files(self, root: str) -> None:
        """Write the files beside slurm.conf. ``@SANDBOX@`` in them is the command ``slurm``."""
        tool = os.path.join(os.path.dirname(SITES), "sandbox", "slurm")
        for name, text in self.files.items():
            path = os.path.join(root, name)
            with open(path, "w", encoding="ascii") as file:
                file.write(
                    text.replace("@DIR@", root).replace("@SANDBOX@", os.path.realpath(tool))
                )
            if text.startswith("#!"):
                os.chmod(path, 0o700)


def names() -> list[str]:
    """Return the names of all sites."""
    found = os.listdir(SITES) if os.path.isdir(SITES) else []
    return sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml"))


def load(name: str) -> Site:
    """Read a site.

    Parameters
    ----------
    name : str
        The name of one in tests/sites, or the path of a file.

    Raises
    ------
    UsageError
        There is no such site, or its file is wrong.
    """
    import tomllib

    path = name if "/" in name else os.path.join(SITES, f"{name}.toml")
    try:
        with open(path, "rb") as file:
            text = tomllib.load(file)
    except FileNotFoundError:
        raise UsageError(
            f"there is no site {name!r}; there are {', '.join(names())}, or give the path of a file"
        ) from None
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path}: {error}") from None
    if unknown := sorted(text.keys() - KEYS):
        raise UsageError(
            f"{path}: {', '.join(unknown)}: {', '.join(sorted(KEYS))} are right here"
        )
    return Site(name=os.path.basename(path).removesuffix(".toml"), **text)
