"""Compare the versions of packages that this program and the workers send each other objects of."""

from __future__ import annotations

import importlib.metadata
import os
import sys

from draco._instances import is_name

#: By the name of a distribution: its module, and how many numbers of its version must agree so that
#: objects of the one version can be read by the other. draco_paths.py has the same names.
PACKAGES = {
    "cloudpickle": ("cloudpickle", 1),
    "dask": ("dask", 3),
    "msgpack": ("msgpack", 1),
    "numpy": ("numpy", 2),
    "pandas": ("pandas", 2),
    "polars": ("polars", 1),
    "pyarrow": ("pyarrow", 1),
    "scikit-learn": ("sklearn", 2),
    "scipy": ("scipy", 2),
    "toolz": ("toolz", 1),
    "xarray": ("xarray", 2),
    "zarr": ("zarr", 1),
}

#: Usual names of an environment in the directory of its project.
_NAMELESS = {"venv", "env", "virtualenv"}


def own_versions() -> dict[str, str]:
    """Find the installed ones of the packages.

    Returns
    -------
    dict of str to str
        The version of each.
    """
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except (importlib.metadata.PackageNotFoundError, OSError, ValueError, KeyError):
            continue
    return {name: version for name, version in found.items() if isinstance(version, str)}


def differences(own: dict[str, str], theirs: dict[str, str | None]) -> list[str]:
    """List the packages by which the cluster differs from this program.

    Parameters
    ----------
    own : dict of str to str
        The versions here.
    theirs : dict of str to str or None
        The versions there; None for a package that is not there. A package that is not named is not
        compared.

    Returns
    -------
    list of str
        "numpy 1.26.4 (here 2.1.0)" for each. A package that is not there counts when this program
        has imported it.
    """
    found = []
    for name, here in own.items():
        module, numbers = PACKAGES[name]
        there = theirs.get(name, here)
        if there is None:
            if module in sys.modules:
                found.append(f"no {name} (here {here})")
        elif _numbers(here, numbers) != _numbers(there, numbers):
            found.append(f"{name} {there} (here {here})")
    return found


def _numbers(version: str, count: int) -> list[str]:
    return version.partition("+")[0].split(".")[:count]


def is_same_version(one: str, other: str) -> bool:
    """Whether two versions differ at most in what a distributor has added, as "+ds.1"."""
    return one.partition("+")[0] == other.partition("+")[0]


def own_cluster(name: str) -> str:
    """Say how a program gets a cluster that runs its own Python.

    Parameters
    ----------
    name : str
        Of the cluster that does not.

    Returns
    -------
    str
        A sentence, with a name that all programs of this environment are told.
    """
    return f'name="{_name_of_python(name)}" makes a cluster for this Python.'


def _name_of_python(other: str) -> str:
    """Name this environment, or else the version of Python, but never ``other``."""
    name = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    is_conda = os.path.isdir(os.path.join(sys.prefix, "conda-meta"))
    if is_conda or sys.prefix != sys.base_prefix:
        parent, own = os.path.split(sys.prefix)
        found = os.path.basename(parent) if own.strip(".") in _NAMELESS else own
        name = found if is_name(found) and "@" not in found else name
    return name if name != other else f"{name}-2"
