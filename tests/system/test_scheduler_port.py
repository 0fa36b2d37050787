"""The ports of scheduler, dashboard, dracod, workers and nannies: those that were named."""

from __future__ import annotations

import json
import random
import socket
from pathlib import Path

from accounts import address_of
from harness import Draco
from test_doctor import FITS, doctor

WORKERS = """
from distributed import Client
for address, worker in Client().scheduler_info()["workers"].items():
    print(address.rpartition(":")[2], worker["nanny"].rpartition(":")[2])
"""


def free_range(count: int) -> range:
    """Find neighbouring ports that nobody uses, nor gets by chance: Linux gives others."""
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    places = list(range(12000, max(lowest, 19000) - count, count))
    random.shuffle(places)  # other tests may look for some, too
    for first in places:
        try:
            for port in range(first, first + count):
                socket.create_server(("0.0.0.0", port)).close()
        except OSError:
            continue
        return range(first, first + count)
    raise AssertionError("no free ports")


def test_the_port_that_was_named(draco: Draco) -> None:
    (port,) = free_range(1)
    with socket.create_server(("127.0.0.1", port)):
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


def test_ranges_of_ports(draco: Draco) -> None:
    names = ("worker", "nanny", "scheduler", "remote", "dashboard")
    ports = dict.fromkeys(names, range(0))
    spare = free_range(50)
    for i, name in enumerate(names):
        ports[name] = spare[10 * i : 10 * i + 10]
    options = [f"--{name}-port={part[0]}-{part[-1]}" for name, part in ports.items()]
    found = doctor(draco, "--nodes", FITS, *options)
    for title, name in (("worker ports", "worker"), ("nanny ports", "nanny")):
        assert found[title]["status"] == "ok"
        assert int(found[title]["text"].rpartition(":")[2]) in ports[name]
    assert found["remote_port"]["status"] == found["dashboard_port"]["status"] == "ok"
    draco.start(*options, "--processes=2", "--minimum=2")
    lines = draco.python(WORKERS).splitlines()
    assert len(lines) == 2
    for line in lines:
        worker, nanny = line.split()
        assert int(worker) in ports["worker"] and int(nanny) in ports["nanny"]
    status = draco.status()
    assert address_of(status["scheduler"]["address"])[1] in ports["scheduler"]
    connect = json.loads((draco.state / "connect.json").read_text())
    assert int(connect["daemon"].rpartition(":")[2]) in ports["remote"]
    draco.run("stop")
    # Too few for the workers of a job.
    few = draco.start("--processes=2", f"--worker-port={ports['worker'][0]}", check=False)
    assert few.returncode == 2 and "too few ports" in few.stderr
