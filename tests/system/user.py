"""A user who has settings files and dracoctl, but no Slurm."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from harness import BUILD


class User:
    """Somebody with settings files, but without Slurm.

    Parameters
    ----------
    root : Path
        An empty directory: home and site are made there.
    """

    def __init__(self, root: Path) -> None:
        self.home = root / "home"
        self.site = root / "etc/draco.yaml"
        self.config = self.home / ".config/draco/draco.yaml"
        for file in (self.site, self.config):
            file.parent.mkdir(parents=True)
        self.runtime = root / "run"
        self.runtime.mkdir(mode=0o700)
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("DRACO_", "XDG_"))},
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "DRACO_SITE_CONFIG": "/dev/null",
            "TERM": "dumb",
        }

    def write_site(self, text: str) -> None:
        self.site.write_text(text)
        self.environment["DRACO_SITE_CONFIG"] = str(self.site)

    def write(self, text: str | bytes) -> None:
        self.config.write_bytes(text.encode() if isinstance(text, str) else text)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(BUILD / "dracoctl"), *arguments],
            text=True,
            capture_output=True,
            timeout=60,
            cwd=self.home,
            env={**self.environment, **environment},
        )

    def show(self, *arguments: str, **environment: str) -> dict[str, Any]:
        """What ``config show --json`` answers."""
        result = self.run("--json", "config", "show", *arguments, **environment)
        assert result.returncode == 0, result.stdout + result.stderr
        return json.loads(result.stdout)

    def value(self, name: str, *arguments: str, **environment: str) -> tuple[Any, str]:
        """Value and source of a setting."""
        setting = self.show(*arguments, **environment)["settings"][name]
        return setting["value"], setting["source"]
