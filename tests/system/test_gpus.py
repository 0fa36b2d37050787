"""Each worker of a job sees its own GPUs: the devices are faked, what Slurm says of them is not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Draco, Sandbox, wait_for

#: The value of a variable in each worker, by the workers' names.
SEE = """
import json
from distributed import Client

with Client(timeout=60) as client:
    client.wait_for_workers({workers}, timeout=60)
    name = client.run(lambda dask_worker: str(dask_worker.name))
    value = client.run(lambda: __import__("os").environ.get("{variable}"))
    print(json.dumps([value[w] for w in sorted(name, key=name.get)]))
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Sandbox]:
    """A Slurm whose nodes have four GPUs."""
    with Sandbox("--nodes", "1", "--shared") as sandbox:
        folder = Path(sandbox.directory)
        conf = folder / "slurm.conf"
        text, count = re.subn(r"(?m)^(NodeName=n.*)$", r"\1 Gres=gpu:4", conf.read_text())
        assert count == 1
        conf.write_text(text + "GresTypes=gpu\n")
        for number in range(4):  # slurmd wants a device of some kind
            (folder / f"gpu{number}").symlink_to("/dev/null")
        (folder / "gres.conf").write_text(f"Name=gpu File={folder}/gpu[0-3]\n")
        for daemon in ("slurmctld", "n1"):
            sandbox.kill(daemon)
        for daemon in ("slurmctld", "n1"):
            sandbox.restart(daemon)
        wait_for(lambda: "gpu:4" in sandbox.command("sinfo", "-ho", "%G"), "there are GPUs")
        yield sandbox


@pytest.fixture
def user(site: Sandbox) -> Iterator[Draco]:
    with Draco(site) as draco:
        yield draco
    draco.check_nothing_left()


def seen(draco: Draco, workers: int, *options: str, variable: str = "CUDA_VISIBLE_DEVICES"):
    draco.start(f"--processes={workers}", f"--minimum={workers}", "--cores=4", *options)
    return json.loads(draco.python(SEE.format(workers=workers, variable=variable)))


@pytest.mark.parametrize(
    ("gpus", "start", "expected"),
    [
        (2, "forkserver", ["0", "1"]),
        (4, "spawn", ["0,1", "2,3"]),
        (3, "forkserver", ["0", "1,2"]),
        (1, "spawn", ["0", "0"]),
    ],
)
def test_what_slurm_gave(user: Draco, gpus: int, start: str, expected: list[str]) -> None:
    assert seen(user, 2, f"--gpus={gpus}", f"--worker-start={start}") == expected


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("CUDA_VISIBLE_DEVICES", "GPU-8a1c,GPU-77f0", ["GPU-8a1c", "GPU-77f0"]),
        ("CUDA_VISIBLE_DEVICES", "MIG-GPU-8a/1/0,MIG-77", ["MIG-GPU-8a/1/0", "MIG-77"]),
        ("ROCR_VISIBLE_DEVICES", "2,3", ["2", "3"]),
        ("CUDA_VISIBLE_DEVICES", "NoDevFiles", ["NoDevFiles", "NoDevFiles"]),
    ],
)
def test_other_names(user: Draco, variable: str, value: str, expected: list[str]) -> None:
    prologue = f"unset CUDA_VISIBLE_DEVICES\nexport {variable}={value}"
    assert seen(user, 2, f"--prologue={prologue}", variable=variable) == expected


def test_numbers_that_count_what_another_variable_leaves(user: Draco) -> None:
    """On AMD's GPUs: else the second worker would have the second of one."""
    prologue = "export CUDA_VISIBLE_DEVICES=0,1 ROCR_VISIBLE_DEVICES=0,1"
    assert (
        seen(user, 2, f"--prologue={prologue}", variable="ROCR_VISIBLE_DEVICES") == ["0,1"] * 2
    )
