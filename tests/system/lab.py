"""JupyterLab with the panel of dask-labextension, as a user of draco has it."""

from __future__ import annotations

import fcntl
import importlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from browser import Browser
from harness import BUILD, SOURCE, Draco, wait_for


def need_module(name: str) -> None:
    """Skip the tests of a file where a module of JupyterLab's is missing or broken."""
    try:
        importlib.import_module(name)
    except ImportError:
        why = f"{name} is not installed: ./check has an environment"
        pytest.skip(why, allow_module_level=True)
    except RuntimeError as error:  # dask-labextension makes a Future without an event loop
        pytest.skip(f"{name} does not work with this Python: {error}", allow_module_level=True)


PACKAGE = SOURCE / "client" / "python"

#: A notebook of Python with one empty cell.
EMPTY = {
    "cells": [
        {
            "cell_type": "code",
            "execution_count": None,
            "id": "a",
            "metadata": {},
            "outputs": [],
            "source": "",
        }
    ],
    "metadata": {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}  # fmt: skip


def install_package() -> None:
    """Have the package of this source tree, by pip, in the environment that runs the tests."""
    files = [
        path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".toml", ".yaml", ".json")
    ]
    newest = max(path.stat().st_mtime for path in files)
    stamp = Path(sys.prefix, "draco-installed")
    with open(Path(sys.prefix, "draco-lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # for other processes of pytest
        if stamp.exists() and stamp.stat().st_mtime >= newest:
            return
        with tempfile.TemporaryDirectory() as directory:
            source = shutil.copytree(PACKAGE, Path(directory, "source"))
            options = ["-q", "--no-deps", "--no-build-isolation", "--force-reinstall"]
            pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install"]
            subprocess.run([*pip, *options, str(source)], check=True)
        stamp.touch()
        os.utime(stamp, (newest, newest))


def environment(draco: Draco) -> dict[str, str]:
    """What a user has whose Python has draco installed by pip."""
    return {
        "DRACO_BIN": str(BUILD / "dracod"),
        **draco.environment,
        "PATH": f"{draco.environment['PATH']}:{BUILD}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


class Lab:
    """A JupyterLab of this user.

    Parameters
    ----------
    draco : Draco
        Whose it is.
    config : str
        What ``~/.config/dask/labextension.yaml`` says.
    prefix : str, optional
        Below which path it is, as a JupyterHub has it.
    """

    def __init__(self, draco: Draco, config: str, prefix: str = "") -> None:
        self.home = draco.home
        path = self.home / ".config/dask/labextension.yaml"
        path.parent.mkdir(parents=True)
        path.write_text(config)
        page = self.home / ".jupyter/labconfig/page_config.json"
        page.parent.mkdir(parents=True)
        news = "@jupyterlab/apputils-extension:announcements"
        page.write_text(json.dumps({"disabledExtensions": {news: True}}))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.log = self.home / "jupyter.log"
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}"]
        command += ["--ServerApp.ip=127.0.0.1", "--expose-app-in-browser"]
        if os.getuid() == 0:
            command.append("--allow-root")
        variables = environment(draco)
        if prefix:
            command.append(f"--ServerApp.base_url={prefix}")
            variables["JUPYTERHUB_SERVICE_PREFIX"] = prefix
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                command, cwd=self.home, env=variables, stdout=log, stderr=log
            )
        self.info: dict[str, Any] = wait_for(self._find, "JupyterLab serves", timeout=120)

    def _find(self) -> dict[str, Any] | None:
        assert self.process.poll() is None, self.log.read_text()
        path = self.home / f".local/share/jupyter/runtime/jpserver-{self.process.pid}.json"
        try:
            return json.loads(path.read_text())
        except (OSError, ValueError):
            return None

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, exc_type: Any, *exc_info: Any) -> None:
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if exc_type is not None:
            print(f"--- {self.log}\n{self.log.read_text()[-6000:]}")

    def open(self, browser: Browser, notebook: dict[str, Any] = EMPTY) -> None:
        """Open this notebook, and wait until its kernel can compute."""
        (self.home / "notebook.ipynb").write_text(json.dumps(notebook))
        browser.open(f"{self.info['url']}lab/tree/notebook.ipynb?token={self.info['token']}")
        browser.wait_for(
            "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status "
            "=== 'idle'",
            "the notebook's kernel is idle",
        )
