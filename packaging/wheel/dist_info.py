"""dist_info.py PACKAGE DIRECTORY: write what pip would write about the Python package.

These files let Dask, Jupyter and pip know of a package that ``make install`` has installed. The
wheel has them from here, too.

PACKAGE is the directory of ``pyproject.toml``. DIRECTORY gets ``METADATA``, ``entry_points.txt``
and ``INSTALLER``, by which pip tells who can remove the package.
"""

from __future__ import annotations

import re
import sys
from ast import literal_eval
from pathlib import Path

_SECTION = re.compile(r"^\[([\w.-]+)\]\n(.*?)(?=^\[|\Z)", re.M | re.S)
_ENTRY = re.compile(r'^"?([\w./-]+)"? = (.*?)(?=^["\w#]|\Z)', re.M | re.S)


def read_project(package: Path) -> dict[str, dict]:
    """Return what describes the package in ``pyproject.toml``: sections, by their whole names.

    Python has a reader of TOML from 3.11 on only. The values here are literals of Python, too.
    """
    text = (package / "pyproject.toml").read_text()
    return {
        title: {key: literal_eval(value) for key, value in _ENTRY.findall(body)}
        for title, body in _SECTION.findall(text)
        if title.startswith(("project", "tool.setuptools"))
    }


def make_metadata(package: Path, licences: list[str]) -> str:
    """Return METADATA; `licences` are the paths of licences below the ``licenses`` beside it."""
    project = read_project(package)["project"]
    lines = [
        "Metadata-Version: 2.4",
        f"Name: {project['name']}",
        f"Version: {project['version']}",
        f"Summary: {project['description']}",
        f"License-Expression: {project['license.text']}",
        *[f"License-File: {name}" for name in licences],
        *[f"Classifier: {name}" for name in project["classifiers"]],
        f"Requires-Python: {project['requires-python']}",
        *[f"Requires-Dist: {name}" for name in project["dependencies"]],
        "Description-Content-Type: text/markdown",
    ]
    return "\n".join(lines) + "\n\n" + (package / "README.md").read_text()


def make_entry_points(package: Path) -> str:
    """Return entry_points.txt."""
    lines = []
    for title, points in read_project(package).items():
        before, _, group = title.partition("project.entry-points.")
        if group and not before:
            lines += [f"[{group}]", *[f"{point} = {where}" for point, where in points.items()]]
    return "\n".join(lines) + "\n"


def main() -> None:
    package, directory = Path(sys.argv[1]), Path(sys.argv[2])
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "METADATA").write_text(make_metadata(package, []))
    (directory / "entry_points.txt").write_text(make_entry_points(package))
    (directory / "INSTALLER").write_text("make\n")


if __name__ == "__main__":
    main()
