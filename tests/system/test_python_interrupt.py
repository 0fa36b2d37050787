"""KeyboardInterrupt at any moment of a start leaves nothing that nobody wanted."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from harness import Draco, random_moments, wait_for
from kernels import SMALL, Kernel

CALL = (
    f"client = cluster = None\nclient, cluster = draco.start_slurm_cluster({SMALL}, quiet=True)"
)
MOMENTS = 20


def test_an_interrupt_at_any_moment(draco: Draco) -> None:
    pause, moments = threading.Event(), random_moments()
    with Kernel(draco) as kernel:
        kernel.run("import draco, distributed")
        for _ in range(2):  # the first one takes longer
            begin = time.monotonic()
            kernel.run(CALL)
            usual = time.monotonic() - begin
            kernel.run("client.close(); cluster.close()")
        interrupted = 0
        for _ in range(MOMENTS):
            kernel.send(CALL)
            pause.wait(moments.uniform(0, usual))
            kernel.interrupt()
            _out, error = kernel.answer()
            if error is None:  # it came too late
                usual *= 0.8
                kernel.run("client.close(); cluster.close()")
                continue
            assert error.rstrip().endswith("KeyboardInterrupt"), error
            interrupted += 1
            wait_for(
                lambda: draco.cluster_state() in ("stopped", "none") and not draco.jobs(),
                "nothing is left",
            )
        assert interrupted > MOMENTS / 4
        kernel.run(CALL)
        assert kernel.run("print(client.submit(pow, 2, 3).result())") == "8\n"
        kernel.run("client.close(); cluster.close()")


def test_an_interrupt_leaves_a_cluster_of_others(draco: Draco) -> None:
    draco.start()
    pause, moments = threading.Event(), random_moments()
    with Kernel(draco) as kernel:
        kernel.run("import draco, distributed")
        for _ in range(8):
            kernel.send(CALL)
            pause.wait(moments.uniform(0, 0.3))
            kernel.interrupt()
            _out, error = kernel.answer()
            assert error is None or error.rstrip().endswith("KeyboardInterrupt"), error
            kernel.run("if cluster: client.close(); cluster.close()")
    assert draco.cluster_state() == "running" and len(draco.jobs()) == 1
    wait_for(lambda: not draco.status()["attached"], "no lease is left")


_SLOW_CLIENT = """
import asyncio
start = distributed.Client._start

async def start_slowly(self, **arguments):
    await start(self, **arguments)
    connected.touch()
    await asyncio.sleep(300)

distributed.Client._start = start_slowly
"""


@pytest.mark.parametrize(
    "call", [CALL, "client = cluster.get_client()"], ids=["start", "client"]
)
def test_an_interrupt_while_the_client_begins(draco: Draco, tmp_path: Path, call: str) -> None:
    """Such a Client is connected, but not yet among distributed's instances."""
    connected = tmp_path / "connected"
    with Kernel(draco) as kernel:
        kernel.run("import draco, distributed, pathlib")
        if call != CALL:
            kernel.run(f"cluster = draco.Cluster({SMALL}, quiet=True)")
        kernel.run(f"connected = pathlib.Path({str(connected)!r})\n{_SLOW_CLIENT}")
        kernel.send(call)
        wait_for(connected.exists, "the client is connected")
        kernel.interrupt()
        _out, error = kernel.answer()
        assert error is not None and error.rstrip().endswith("KeyboardInterrupt"), error
        if call != CALL:
            kernel.run("cluster.close()")
        assert draco.cluster_state() == "stopped" and not draco.jobs()
        kernel.run("assert not distributed.client._global_clients")
