"""The site's own sbatch submits and predicts: what it says and how it fails reaches the user."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import SMALL, Draco, Sandbox

SBATCH = shutil.which("sbatch")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox("--nodes", "2") as sandbox:
        yield sandbox


@pytest.fixture
def draco(sandbox: Sandbox) -> Iterator[Draco]:
    """A user with a folder of own programs first in PATH."""
    with Draco(sandbox) as draco:
        (draco.root / "bin").mkdir()
        yield draco
        draco.run("shutdown", check=False)
    draco.check_nothing_left()


def wrap(draco: Draco, script: str) -> dict[str, str]:
    """Put a script of that name before the real sbatch; returns the PATH with it."""
    path = draco.root / "bin/sbatch"
    path.write_text(f"#!/bin/sh\nW={draco.root} SBATCH={SBATCH}\n{script}")
    path.chmod(0o755)
    return {"PATH": f"{path.parent}:{draco.environment['PATH']}"}


def test_the_sbatch_of_the_starts_path_submits_and_its_words_are_told(draco: Draco) -> None:
    # dracod itself has another PATH.
    path = wrap(
        draco,
        'printf "%s\\n" "$*" >>$W/calls; echo "Your quota: 3 h" >&2; exec $SBATCH "$@"',
    )
    draco.run("launch")
    draco.start(*SMALL, **path)
    calls = (draco.root / "calls").read_text().splitlines()
    assert any(call.startswith("--test-only") for call in calls), calls
    assert sum(call.startswith("--parsable") for call in calls) == 1, calls
    assert "Slurm says: Your quota: 3 h" in draco.run("events").stdout


def test_a_busy_slurmctld_is_asked_again(draco: Draco) -> None:
    # sbatch itself would sleep for two minutes.
    path = wrap(
        draco,
        'case "$*" in --parsable*) if ! [ -e $W/was ]; then touch $W/was;\n'
        'echo "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying" >&2\n'
        'exec sleep 120; fi;; esac; exec $SBATCH "$@"',
    )
    draco.start(*SMALL, **path)
    events = draco.run("events").stdout
    assert "not submitted, trying again: Slurm is busy" in events
    assert "does not answer" not in events
    assert len(draco.all_jobs()) == 1


def test_an_sbatch_that_hangs_after_it_has_submitted(draco: Draco) -> None:
    path = wrap(
        draco,
        'case "$*" in --parsable*) $SBATCH "$@" >$W/id; sleep 300;; esac; exec $SBATCH "$@"',
    )
    draco.start(*SMALL, **path)
    events = draco.run("events").stdout
    assert "sbatch has not ended within 20 s" in events
    assert f"found in the queue as job {(draco.root / 'id').read_text().strip()}" in events
    assert len(draco.all_jobs()) == 1


def test_without_sbatch(draco: Draco, tmp_path: Path) -> None:
    # Its directory holds nothing but what the shell of the Python search needs.
    (tmp_path / "python3").symlink_to("/usr/bin/python3")
    draco.environment["PATH"] = str(tmp_path)
    result = draco.start(*SMALL, check=False)
    assert result.returncode == 1
    assert f'there is no sbatch in PATH, which is "{tmp_path}"' in result.stderr
