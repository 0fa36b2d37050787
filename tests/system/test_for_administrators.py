"""What docs/administrators.md promises: RPCs of slurmctld, and site files that are right."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from harness import BUILD, Draco, Sandbox, wait_for
from user import User

DOCUMENTED = Path(__file__).parents[2] / "docs/administrators.md"

#: A row of the table there.
LOOK = "a look at the queue, whatever is in it"

#: What the commands of this test ask themselves.
OURS = ("STATS_INFO", "STATS_RESET")
#: The looks at the queue, whose number depends on how long Slurm takes; squeue of root reads all.
LOOKS = ("JOB_USER_INFO", "JOB_INFO")


def documented(interface: str) -> dict[str, int]:
    """Return the most RPCs by row of the table in the documentation."""
    rows = re.findall(r"^\| ([^|]+?) \| (\d+) \| (\d+) \|$", DOCUMENTED.read_text(), re.M)
    column = {"libslurm": 1, "commands": 2}[interface]
    return {row[0]: int(row[column]) for row in rows}


class Meter:
    """Counts RPCs by slurmctld's own statistics."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def read(self) -> dict[str, int]:
        """Return the RPCs by type since the last call, and begin anew."""
        text = self.sandbox.command("sdiag").split("by message type")[1].split("by user")[0]
        self.sandbox.command("sdiag", "--reset")
        found = {name: int(n) for name, n in re.findall(r"REQUEST_(\w+) .*?count:(\d+)", text)}
        # What slurmd and slurmstepd say of their jobs is not draco's.
        return {
            name: n
            for name, n in found.items()
            if name not in OURS and not re.match(r"COMPLETE_|NODE_REG|.*(STEP|EPILOG)", name)
        }


def documented_site_files() -> dict[str, str]:
    """Return each file of "Five kinds of site" by its heading."""
    part = DOCUMENTED.read_text().split("\n## Five kinds of site\n")[1].split("\n## ")[0]
    return {
        section.split("\n")[0]: "".join(
            f"{line[4:]}\n" for line in section.split("\n") if line.startswith("    ")
        )
        for section in part.split("\n### ")[1:]
    }


@pytest.mark.parametrize("kind", documented_site_files())
def test_documented_site_files(user: User, kind: str) -> None:
    """They can be copied as they are, and are the whole of what a start needs."""
    user.write_site(documented_site_files()[kind])
    checked = user.run("config", "check", "--site")
    assert (checked.returncode, checked.stdout) == (0, f"site  {user.site}: good\n")
    assert user.run("config", "show").stderr == ""


@pytest.mark.parametrize("interface", ["libslurm", "commands"])
def test_rpcs(own_sandbox: Sandbox, interface: str) -> None:
    """An idle hour is 120 looks and a few: scene_outages counts them."""
    if interface == "libslurm" and not (BUILD / "draco-libslurm.so").exists():
        pytest.skip("this draco was built without libslurm")
    limits = documented(interface)
    assert limits["an idle hour of a cluster of any size"] == 130 * limits[LOOK]
    meter = Meter(own_sandbox)
    with Draco(own_sandbox) as draco:
        meter.read()

        def hold(name: str, since: float, apart: float = 0.5) -> None:
            seconds = time.monotonic() - since
            rpcs = meter.read()
            print(f"{interface}: {name}: {rpcs} in {seconds:.1f} s")
            looks = sum(rpcs.pop(look, 0) for look in LOOKS)
            assert looks <= seconds / apart + 3, f"{apart} s apart at least"
            beside = sum(rpcs.values()) - looks * (limits[LOOK] - 1)
            assert beside <= limits[f"{name}, besides the looks"], rpcs

        since = time.monotonic()
        draco.start(f"--slurm-interface={interface}", "--maximum=100")
        hold("a start", since)
        since = time.monotonic()
        draco.run("scale", "6", check=True)
        wait_for(lambda: draco.status()["cluster"]["workers"] == 6, "it has grown")
        hold("a growth by any number of jobs", since)
        since = time.monotonic()
        draco.run("stop", check=True)
        hold("the end of a cluster", since, apart=0.2)
