"""Programs inside Slurm jobs: each job has a cluster of its own, which ends with it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from harness import BUILD, PYTHON, SMALL, Draco, is_alive, wait_for
from kernels import SMALL as KEYWORDS
from kernels import environment

DRIVER = f"""
import os, sys, warnings
from draco import Cluster
with warnings.catch_warnings(record=True) as told:
    warnings.simplefilter("always")
    cluster = Cluster({KEYWORDS}, maximum=2, quiet=True, name=sys.argv[1] or None)
text = [str(w.message) for w in told if "ends with" in str(w.message)]
def name_inside():
    from draco._daemon import default_name
    return default_name()
with cluster, cluster.get_client() as client:
    print(cluster.name, client.submit(name_inside).result(), len(text), flush=True)
"""


def submit(draco: Draco, script: str) -> tuple[str, Path]:
    """Submit a batch script without a cluster's name; returns the job, and its output."""
    variables = {**environment(draco), "PATH": f"{BUILD}:{environment(draco)['PATH']}"}
    del variables["DRACO_NAME"]
    words = ["env", "-u", "DRACO_NAME", *(f"{k}={v}" for k, v in variables.items())]
    script = f"exec {shlex.join(words)} bash -c {shlex.quote(script)}"
    options = ["--parsable", "--job-name=batch", "--export=NIL", "--ntasks=1"]
    output = f"--output={draco.root}/%j.out"
    answer = draco.sandbox.command("sbatch", *options, output, "--wrap", script)
    return answer.strip(), draco.root / f"{answer.strip()}.out"


def text_of(path: Path, lines: int = 1) -> list[str]:
    """The output of a job, once it has so many lines."""
    wait_for(
        lambda: path.exists() and path.read_text().count("\n") >= lines,
        f"the output {path}",
        240,
    )
    return path.read_text().splitlines()


def daemon_of(draco: Draco, name: str) -> int | None:
    file = draco.state.parent / name / "daemon.json"
    return json.loads(file.read_text())["pid"] if file.exists() else None


def test_drivers_do_not_meet(draco: Draco) -> None:
    program = draco.root / "driver.py"
    program.write_text(DRIVER)
    run = shlex.join([PYTHON, "-u", str(program)])
    outputs = [submit(draco, f"{run} ''") for _ in range(2)]
    for job, output in outputs:
        assert text_of(output)[-1] == f"job-{job} job-{job} 0"
    # A name that was given is used as it is.
    job, output = submit(draco, f"{run} {draco.name}")
    assert text_of(output)[-1] == f"{draco.name} {draco.name} 1"
    for name in (draco.name, *(f"job-{job}" for job, _ in outputs)):
        draco.run("--name", name, "shutdown", check=False)


def test_a_cluster_ends_with_its_job(draco: Draco) -> None:
    start = shlex.join(["dracoctl", "start", "--quiet", *SMALL])
    job, output = submit(
        draco, f"{start} && dracoctl env | wc -l && dracoctl status && sleep 600"
    )
    name = f"job-{job}"
    lines = text_of(output, 6)
    assert int(lines[0]) > 0
    assert any(line.startswith(f"cluster    {name}: running") for line in lines), lines
    assert any(line.startswith(f"ends with  Slurm job {job} on ") for line in lines), lines
    pid = daemon_of(draco, name)
    assert pid is not None
    assert draco.run("status", check=False).returncode != 0  # it is nobody else's
    # Where Slurm does not track processes, dracod has got away from the job.
    draco.sandbox.command("scancel", job)
    wait_for(lambda: not is_alive(pid), "dracod ends with its job")
    draco.sandbox.wait_until_free(f"draco-{name}")
    events = (draco.state.parent / name / "events.jsonl").read_text()
    assert f"because Slurm job {job} has ended" in events or "SIGTERM" in events
