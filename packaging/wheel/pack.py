"""pack.py SOURCE PLACE TO TAG: put what packaging/wheel/build has made in PLACE into a wheel.

The programs become scripts, so that pip puts them on PATH; what they need lies below the
environment's prefix, where they find it wherever that is.
"""

from __future__ import annotations

import base64
import hashlib
import re
import stat
import sys
import zipfile
from pathlib import Path

from dist_info import make_entry_points, make_metadata, read_project

#: What is built in, and the file of its source package that has its licence.
BUILT_IN = {
    "libevent": "LICENSE",
    "jansson": "LICENSE",
    "libyaml": "License",
    "openssl": "LICENSE.txt",
}
#: All files have this time, so that equal contents make an equal wheel.
TIME = (2026, 1, 1, 0, 0, 0)


class Wheel:
    """A wheel that is being written.

    Parameters
    ----------
    path : Path
        The file.
    """

    def __init__(self, path: Path) -> None:
        self.zip = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9)
        self.record: list[str] = []

    def add(self, name: str, content: bytes, executable: bool = False) -> None:
        """Add a file."""
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
        self.record.append(f"{name},sha256={digest.decode()},{len(content)}")
        self._write(name, content, 0o755 if executable else 0o644)

    def _write(self, name: str, content: bytes, mode: int) -> None:
        info = zipfile.ZipInfo(name, TIME)
        info.external_attr = (stat.S_IFREG | mode) << 16
        info.compress_type = zipfile.ZIP_DEFLATED
        self.zip.writestr(info, content)

    def add_tree(self, tree: Path, to: str) -> None:
        """Add all files below a directory, as they are."""
        for file in sorted(tree.rglob("*")):
            if file.is_file() and file.suffix != ".pyc":
                executable = bool(file.stat().st_mode & stat.S_IXUSR)
                self.add(f"{to}/{file.relative_to(tree)}", file.read_bytes(), executable)

    def close(self, info: str) -> None:
        """Add the list of what is in it."""
        lines = [*self.record, f"{info}/RECORD,,"]
        self._write(f"{info}/RECORD", ("\n".join(lines) + "\n").encode(), 0o644)
        self.zip.close()


def move_unit(text: str) -> str:
    """Let the unit of systemd name the program where ``pip install --user`` puts it."""
    return re.sub(r"^ExecStart=\S+/dracod", "ExecStart=%h/.local/bin/dracod", text, flags=re.M)


def main() -> None:
    source, place, to, tag = *map(Path, sys.argv[1:4]), sys.argv[4]
    package = source / "client/python"
    pyproject = read_project(package)
    project = pyproject["project"]
    name = f"{project['name']}-{project['version']}"
    info, data = f"{name}.dist-info", f"{name}.data"
    path = to / f"{name}-py3-none-{tag}.whl"
    wheel = Wheel(path)

    wheel.add_tree(package / "draco", "draco")
    installed = place / "root/usr/local"
    for program in ("dracod", "dracoctl"):
        wheel.add(f"{data}/scripts/{program}", (installed / "bin" / program).read_bytes(), True)
    for part in ("libexec", "share"):
        for file in sorted((installed / part).rglob("*")):
            if not file.is_file() or "dbus-1" in file.parts:  # it is built without D-Bus
                continue
            content = file.read_bytes()
            if file.suffix == ".service":
                content = move_unit(content.decode()).encode()
            executable = bool(file.stat().st_mode & stat.S_IXUSR)
            wheel.add(f"{data}/data/{file.relative_to(installed)}", content, executable)
    for directory, files in pyproject["tool.setuptools.data-files"].items():
        for file in files:
            content = (package / file).read_bytes()
            wheel.add(f"{data}/data/{directory}/{Path(file).name}", content)

    licences = {"LICENSE": (source / "LICENSE").read_bytes()}
    for library, file in BUILT_IN.items():
        text = (place / "src" / library / "tree" / file).read_bytes()
        licences[f"{library}/{file}"] = text
    for licence, content in licences.items():
        wheel.add(f"{info}/licenses/{licence}", content)
    wheel.add(f"{info}/METADATA", make_metadata(package, list(licences)).encode())
    lines = ["Wheel-Version: 1.0", "Generator: draco", "Root-Is-Purelib: false"]
    lines.append(f"Tag: py3-none-{tag}")
    wheel.add(f"{info}/WHEEL", ("\n".join(lines) + "\n").encode())
    wheel.add(f"{info}/entry_points.txt", make_entry_points(package).encode())
    wheel.close(info)
    print(f"{path} ({path.stat().st_size / 2**20:.1f} MiB)")


main()
