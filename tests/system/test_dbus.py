"""dracod on the user bus, a real dbus-daemon, by busctl as docs/dbus.md shows it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import SOURCE, Draco, wait_for
from standins import Daemon

CONFIG = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={socket}</listen>
<policy context="default"><allow send_destination="*"/><allow eavesdrop="false"/>
<allow own="*"/></policy></busconfig>
"""
TARGET = ["org.draco.Manager1", "/org/draco/Manager1", "org.draco.Manager1"]
#: The settings of standins.TINY, as ``a{sv}`` of busctl.
SETTINGS = [
    "5", "processes", "i", "1", "cores", "i", "1", "memory", "s", "512MiB",
    "walltime", "s", "00:50:00", "poll_interval", "d", "0.5",
]  # fmt: skip
WITHOUT = "#define HAVE_SYSTEMD 1" not in (
    Path(os.environ.get("DRACO_BUILD", SOURCE / "build"), "config.h").read_text()
)


class Bus:
    """A bus of a user of draco, while the context lasts; restarted by entering again."""

    def __init__(self, draco: Draco) -> None:
        self.socket = draco.runtime / "bus"
        self.config = draco.root / "bus.conf"
        self.config.write_text(CONFIG.format(socket=self.socket))
        self.environment = {
            **draco.environment, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.socket}"
        }  # fmt: skip

    def __enter__(self) -> Bus:
        self.process = subprocess.Popen(
            ["dbus-daemon", f"--config-file={self.config}", "--nofork", "--nosyslog"],
            stderr=subprocess.DEVNULL,
        )
        wait_for(self.socket.exists, "the bus is there")
        return self

    def __exit__(self, *exc_info) -> None:
        self.process.kill()
        self.process.wait()
        with contextlib.suppress(FileNotFoundError):
            self.socket.unlink()

    def busctl(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            ["busctl", "--user", "--timeout=60", "--json=short", *arguments],
            env=self.environment, text=True, capture_output=True, timeout=120,
        )  # fmt: skip
        assert not check or result.returncode == 0, result.stderr
        return result

    def call(self, method: str, *arguments: str) -> dict[str, Any]:
        text = self.busctl("call", *TARGET, method, "a{sv}", *arguments or "0").stdout
        return json.loads(text)["data"][0]

    def property(self, name: str) -> Any:
        return json.loads(self.busctl("get-property", *TARGET, name).stdout)["data"]

    def is_served(self) -> bool:
        return self.busctl("status", TARGET[0], check=False).returncode == 0


@pytest.fixture
def bus(draco: Draco) -> Iterator[Bus]:
    if WITHOUT:
        pytest.skip("built without libsystemd")
    for program, package in (("dbus-daemon", "dbus"), ("busctl", "systemd")):
        if not shutil.which(program):
            pytest.skip(f"{program} is not there (on Debian: apt-get install {package})")
    draco.environment.pop("DBUS_SESSION_BUS_ADDRESS", None)
    with Bus(draco) as bus:
        yield bus


def test_start_and_stop_by_busctl(draco: Draco, bus: Bus) -> None:
    with Daemon(draco):
        wait_for(bus.is_served, "dracod is on the bus")
        assert bus.property("State") == "stopped" and bus.property("Name") == draco.name
        shown = bus.call("Start", "1", "settings", "a{sv}", *SETTINGS)
        assert shown["state"]["data"] == "starting"
        wait_for(lambda: bus.property("State") == "running", "the cluster is running")
        wait_for(lambda: bus.property("Workers") == 1, "its worker is counted")
        assert bus.property("Jobs") == len(draco.jobs()) == 1
        status = draco.status()
        assert bus.call("Status")["cluster"]["data"]["state"]["data"] == "running"
        assert status["scheduler"]["address"] == bus.call("Environment")[
            "DASK_SCHEDULER_ADDRESS"]["data"]  # fmt: skip
        bus.call("Scale", "1", "jobs", "i", "2")
        draco.wait_for_workers(2)
        wait_for(lambda: bus.property("Jobs") == 2, "the second job is counted")
        refused = bus.busctl(
            "call", *TARGET, "Scale", "a{sv}", "1", "job", "i", "2", check=False
        )
        assert refused.returncode != 0 and 'did you mean "jobs"?' in refused.stderr
        assert bus.call("Stop")["state"]["data"] == "stopped"
        assert not draco.jobs()
        wait_for(lambda: bus.property("State") == "stopped", "the property follows")
        assert bus.property("Jobs") == 0


def test_a_start_that_cannot_be(draco: Draco, bus: Bus) -> None:
    """What is wrong is told as by ``dracoctl start``, at once or, with wait, in the end."""
    with Daemon(draco):
        wait_for(bus.is_served, "dracod is on the bus")
        for settings, words in (
            (["cores", "i", "0"], "cores"),
            (["queues_to_try", "as", "1", "nowhere"], "nowhere"),
        ):
            refused = bus.busctl(
                "call", *TARGET, "Start", "a{sv}", "2", "wait", "b", "true",
                "settings", "a{sv}", "1", *settings, check=False,
            )  # fmt: skip
            assert refused.returncode != 0 and words in refused.stderr
        assert bus.property("State") == "failed" and "nowhere" in bus.property("Failure")


def test_the_bus_goes_and_comes(draco: Draco, bus: Bus) -> None:
    """Without the bus dracod goes on, and is there again on the next one."""
    with Daemon(draco):
        wait_for(bus.is_served, "dracod is on the bus")
        bus.__exit__()
        assert draco.run("status", check=False).returncode == 3
        with bus:
            wait_for(bus.is_served, "dracod is on the bus again")
            bus.call("Shutdown")
        wait_for(lambda: not draco.processes(), "dracod has ended")


def test_the_page_shows_what_there_is(draco: Draco, bus: Bus) -> None:
    """docs/dbus.md names each method and property, and no other."""
    page = (SOURCE / "docs/dbus.md").read_text()
    with Daemon(draco):
        wait_for(bus.is_served, "dracod is on the bus")
        text = subprocess.run(
            ["busctl", "--user", "introspect", TARGET[0], TARGET[1], TARGET[2]],
            env=bus.environment, text=True, capture_output=True, check=True,
        ).stdout  # fmt: skip
    told = set(re.findall(r"^\.(\w+)", text, re.M))
    assert told == set(re.findall(r"^\| `(\w+)`", page, re.M))
