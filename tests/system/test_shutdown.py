"""Nothing of a cluster is left after a shutdown, whatever hangs; what cannot be ended is named."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from harness import Draco, Sandbox, is_alive, wait_for
from standins import TINY

#: Who does not hear anything any more.
WHO = {
    "the workers": lambda words: "dask_worker" in words and "/bin/bash" not in words,
    "the whole job": lambda words: True,
}


def stop_processes(draco: Draco, who: str) -> list[int]:
    """Stop processes of this user's jobs by SIGSTOP; returns them."""
    stopped = []
    for pid in draco.processes():
        try:
            if b"\0SLURM_JOB_ID=" not in Path(f"/proc/{pid}/environ").read_bytes():
                continue
            if WHO[who](Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")):
                os.kill(pid, signal.SIGSTOP)
                stopped.append(pid)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
    assert len(stopped) >= 2
    return stopped


@pytest.mark.parametrize("epilogue", [False, True])
@pytest.mark.parametrize("who", WHO)
def test_workers_that_do_not_end(draco: Draco, who: str, epilogue: bool) -> None:
    draco.run("start", *TINY, "--minimum=2", *(["--epilogue=true"] if epilogue else []))
    stopped = stop_processes(draco, who)
    begin = time.monotonic()
    result = draco.run("shutdown", "--force")
    print(f"shutdown took {time.monotonic() - begin:.1f} s")
    assert result.stdout == f'dracod "{draco.name}" has ended.\n'
    wait_for(lambda: not any(map(is_alive, stopped)), "they have ended")
    assert not draco.jobs()
    wait_for(lambda: not draco.processes(), "nothing is left")


@pytest.mark.parametrize("epilogue", [False, True])
def test_slurm_does_not_answer(
    draco_alone: Draco, own_sandbox: Sandbox, epilogue: bool
) -> None:
    """What is left is named, and gone when Slurm answers; dracod stays until then."""
    draco = draco_alone
    draco.run("start", *TINY, "--minimum=2", *(["--epilogue=true"] if epilogue else []))
    first, second = sorted(job["id"] for job in draco.jobs())
    pid = draco.daemon()
    stopped = stop_processes(draco, "the whole job")
    own_sandbox.kill("slurmctld", "STOP")
    result = draco.run("shutdown", "--force", check=False)
    assert result.returncode == 1
    assert result.stderr == (
        f"dracoctl: Slurm does not answer: 2 jobs may still run ({first}, {second}); dracod ends "
        "what is left as soon as it does, and then itself (squeue --me shows them)\n"
    )
    assert is_alive(pid) and any(map(is_alive, stopped))
    own_sandbox.kill("slurmctld", "CONT")
    wait_for(lambda: not is_alive(pid), "dracod has ended", 180)
    assert not draco.jobs()
    wait_for(lambda: not any(map(is_alive, stopped)), "they have ended")
    wait_for(lambda: not draco.processes(), "nothing is left")


def test_a_start_finds_a_dracod_that_stays(draco_alone: Draco, own_sandbox: Sandbox) -> None:
    draco = draco_alone
    draco.run("start", *TINY)
    job, pid = draco.jobs()[0]["id"], draco.daemon()
    own_sandbox.kill("slurmctld", "STOP")
    assert draco.run("shutdown", "--force", check=False).returncode == 1
    own_sandbox.kill("slurmctld", "CONT")
    draco.run("start", *TINY)
    assert draco.daemon() == pid
    wait_for(lambda: job not in [job["id"] for job in draco.jobs()], "the old job is gone", 120)
    assert draco.cluster_state() == "running"
