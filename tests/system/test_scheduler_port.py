"""The port of the Dask scheduler: the one that was named, and nothing else."""

from __future__ import annotations

import socket

from accounts import address_of
from harness import Draco
from test_doctor import FITS, doctor


def test_the_port_that_was_named(draco: Draco) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        in_use = f"scheduler_port {port}: port {port} of 127.0.0.1 is in use"
        failed = draco.start(f"--scheduler-port={port}", check=False)
        assert failed.returncode == 1
        assert in_use in failed.stderr and "a range" in failed.stderr
        found = doctor(draco, "--nodes", FITS, f"--scheduler-port={port}")["network"]
        assert found["status"] == "warning" and in_use in found["text"]
    # A node connects to the very port that the start takes then, and so does each later one.
    found = doctor(draco, "--nodes", FITS, f"--scheduler-port={port}")["network"]
    assert found["status"] == "ok" and found["text"].endswith(f"at 127.0.0.1, port {port}")
    for _ in range(2):
        draco.start(f"--scheduler-port={port}")
        assert address_of(draco.status()["scheduler"]["address"]) == ("127.0.0.1", port)
        draco.run("stop")
