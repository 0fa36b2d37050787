"""Lingering, as ``dracoctl doctor`` sees and sets it: a stand-in for logind on a private bus."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import BUILD, PATIENCE, SMALL, Draco, wait_for
from standins import TINY, Daemon
from user_manager import hindrance, places

#: Answers as logind; what it is asked to set is a line of the file.
LOGIND = """
import os, signal, sys
import dbus, dbus.mainloop.glib, dbus.service
from gi.repository import GLib

NAME = "org.freedesktop.login1.Manager"
kills, only, exclude, answer, path = sys.argv[1:]

class Logind(dbus.service.Object):
    @dbus.service.method("org.freedesktop.DBus.Properties", "ss", "v")
    def Get(self, interface, name):
        return {"KillUserProcesses": kills == "yes",
                "KillOnlyUsers": dbus.Array(only.split(), "s"),
                "KillExcludeUsers": dbus.Array(exclude.split(), "s")}[name]

    @dbus.service.method(NAME, "ubb", "", async_callbacks=("done", "failed"))
    def SetUserLinger(self, user, enable, interactive, done, failed):
        with open(path, "a") as file:
            print(int(user), bool(enable), bool(interactive), file=file)
        if answer == "refuses":
            denied = "org.freedesktop.DBus.Error.AccessDenied"
            failed(dbus.DBusException("Access denied", name=denied))
        elif answer == "allows":
            done()

    @dbus.service.method(NAME, "ssss", "h")
    def Inhibit(self, what, who, why, mode):
        with open(path, "a") as file:
            print(what, who, mode, file=file)
        self.lock, theirs = os.pipe()
        try:
            return dbus.types.UnixFd(theirs)
        finally:
            os.close(theirs)

    @dbus.service.signal(NAME, "b")
    def PrepareForShutdown(self, begins):
        pass

dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
bus = dbus.SystemBus()
logind = Logind(bus, "/org/freedesktop/login1")
name = dbus.service.BusName("org.freedesktop.login1", bus)
with open(path, "a"):
    pass
GLib.unix_signal_add(0, signal.SIGUSR1, lambda: logind.PrepareForShutdown(True))
GLib.MainLoop().run()
"""
CONFIG = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={socket}</listen>
<policy context="default"><allow send_destination="*"/><allow eavesdrop="false"/>
<allow own="*"/></policy></busconfig>
"""
#: A host that was booted with systemd, where nobody lingers.
PLACE = (
    "mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system && mkdir -p /var/lib/systemd &&"
    ' mount -t tmpfs tmpfs /var/lib/systemd && exec "$@"'
)
ME = pwd.getpwuid(os.getuid()).pw_name
#: A mount namespace, for ordinary users in a user namespace that does not change who they are.
UNSHARE = [
    "unshare", "--mount",
    *([] if os.geteuid() == 0 else ["--user", "--map-current-user", "--keep-caps"]),
]  # fmt: skip

LOCKS = ["systemd-inhibit", "--list", "--no-legend", "--no-pager"]

Doctor = Callable[..., tuple[dict[str, Any], list[str]]]


@pytest.fixture
def system_bus(draco: Draco, request: pytest.FixtureRequest) -> dict[str, str]:
    """A bus for logind; returns the environment of those who use it."""
    for program, package in (("dbus-daemon", "dbus"), ("busctl", "systemd")):
        if not shutil.which(program):
            pytest.skip(f"{program} is not there (on Debian: apt-get install {package})")
    for module in ("dbus", "gi"):
        trial = subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True)
        if trial.returncode:
            pytest.skip(f"no module {module} (on Debian: apt-get install python3-{module})")
    socket, config = draco.root / "system-bus", draco.root / "system-bus.conf"
    config.write_text(CONFIG.format(socket=socket))
    bus = subprocess.Popen(
        ["dbus-daemon", f"--config-file={config}", "--nofork", "--nosyslog"],
        stderr=subprocess.DEVNULL,
    )
    request.addfinalizer(lambda: (bus.kill(), bus.wait()))
    wait_for(socket.exists, "the bus is there")
    return {**draco.environment, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={socket}"}


@contextlib.contextmanager
def logind(
    environment: dict[str, str], asked: Path, *properties: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A logind; what it is asked to do is in the file ``asked``."""
    asked.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-c", LOGIND, *properties, str(asked)], env=environment
    )
    try:
        wait_for(asked.exists, "logind serves")
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def doctor(draco: Draco, system_bus: dict[str, str]) -> Doctor:
    """Run the doctor beside a logind with some properties.

    Returns what the doctor says about lingering, and what logind was asked to set.
    """
    trial = subprocess.run([*UNSHARE, "sh", "-c", PLACE, "sh", "true"], capture_output=True)
    if trial.returncode:
        pytest.skip(f"no mount namespace: {trial.stderr.decode().strip()}")
    asked = draco.root / "asked"

    def run(
        *options: str,
        kills: str = "yes",
        only: str = "",
        exclude: str = "",
        answer: str = "allows",
    ) -> tuple[dict[str, Any], list[str]]:
        with logind(system_bus, asked, kills, only, exclude, answer):
            result = subprocess.run(
                [*UNSHARE, "sh", "-c", PLACE, "sh",
                 *draco.command("--json", "doctor", *SMALL, *options)],
                env=system_bus, text=True, capture_output=True, timeout=120 * PATIENCE,
            )  # fmt: skip
        checks = {check["name"]: check for check in json.loads(result.stdout)["checks"]}
        return checks["lingering"], asked.read_text().splitlines()

    return run


def test_it_is_looked_at(doctor: Doctor) -> None:
    found, asked = doctor()
    assert found["status"] == "warning" and "ends all your processes" in found["text"]
    assert "dracoctl doctor --fix" in found["remedy"]
    for options in ({"kills": "no"}, {"exclude": f"other {ME}"}, {"only": "other"}):
        found, _ = doctor("--fix", **options)
        assert found["status"] == "ok" and "ends no processes" in found["text"], options
    assert doctor(only=f"other {ME}")[0]["status"] == "warning"
    assert not asked


def test_it_is_set(doctor: Doctor) -> None:
    found, asked = doctor("--fix")
    assert found["status"] == "ok" and found["text"].startswith("turned on")
    assert asked == [f"{os.getuid()} True False"]


def test_logind_refuses_or_is_silent(doctor: Doctor) -> None:
    found, asked = doctor("--fix", answer="refuses")
    assert found["status"] == "warning" and "Access denied" in found["text"]
    assert "administrators" in found["remedy"] and len(asked) == 1
    found, asked = doctor("--fix", answer="is silent")
    assert found["status"] == "warning" and "imed out" in found["text"] and len(asked) == 1


def test_a_dracod_of_the_user_manager(draco: Draco, doctor: Doctor) -> None:
    """It ends with the last session, whatever logind does with other processes."""
    why = hindrance()
    if why:
        pytest.skip(why)
    group = places()[0] / draco.root.name / f"user@{os.getuid()}.service/app.slice"
    group.mkdir(parents=True)
    try:
        with Daemon(draco) as daemon:
            (group / "cgroup.procs").write_text(str(daemon.pid))
            found, _ = doctor(kills="no")
            assert found["status"] == "warning" and "of which dracod is one" in found["text"]
            assert doctor("--fix", kills="no")[0]["status"] == "ok"
    finally:
        wait_for(lambda: not (group / "cgroup.procs").read_text(), "its processes have ended")
        for directory in (group, group.parent, group.parent.parent):
            directory.rmdir()


def is_delayed_by(pid: int) -> bool:
    """Whether logind waits for this dracod when the host is to shut down."""
    lines = subprocess.check_output(LOCKS, text=True).splitlines()
    return any({"draco", str(pid), "shutdown", "delay"} <= set(line.split()) for line in lines)


def test_the_host_shuts_down(draco: Draco, system_bus: dict[str, str]) -> None:
    """Logind waits while there is a cluster, and its jobs are given back."""
    if "#define HAVE_SYSTEMD 1" not in Path(BUILD, "config.h").read_text():
        pytest.skip("built without libsystemd")
    asked = draco.root / "asked"
    draco.environment = system_bus
    with logind(system_bus, asked, "no", "", "", "allows") as process, Daemon(draco) as dracod:
        draco.run("start", *TINY)
        wait_for(
            lambda: asked.read_text() == "shutdown draco delay\n", "logind is asked to wait"
        )
        process.send_signal(signal.SIGUSR1)
        assert dracod.wait() == 0
        assert not draco.jobs()
    assert "the host shuts down or restarts" in draco.log.read_text()


def test_the_logind_shuts_down(draco: Draco) -> None:
    """The real one has the host wait until the jobs are given back."""
    if not (begin := os.environ.get("DRACO_TEST_POWEROFF")):
        pytest.skip("only for a machine that may be switched off: tests/machine/poweroff")
    with Daemon(draco) as dracod:
        draco.run("start", *TINY)
        assert draco.jobs()
        wait_for(lambda: is_delayed_by(dracod.pid), "logind is asked to wait")
        Path(begin).touch()
        assert dracod.wait() == 0
        assert not draco.jobs()
    assert "the host shuts down or restarts" in draco.log.read_text()


def test_the_logind_of_this_host(draco: Draco) -> None:
    """It knows that a cluster wants to end in good order, and who lingers."""
    try:
        trial = subprocess.run(LOCKS, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("systemd is not there (on Debian: apt-get install systemd)")
    if trial.returncode:
        pytest.skip(f"no logind: {trial.stderr.strip()}")
    if "#define HAVE_SYSTEMD 1" not in Path(BUILD, "config.h").read_text():
        pytest.skip("built without libsystemd")

    with Daemon(draco) as dracod:
        draco.run("start", *TINY)
        wait_for(lambda: is_delayed_by(dracod.pid), "logind is asked to wait")
        draco.run("stop")
        wait_for(lambda: not is_delayed_by(dracod.pid), "logind need not wait")
    answer = draco.run("--json", "doctor", *SMALL, check=False).stdout
    checks = {check["name"]: check for check in json.loads(answer)["checks"]}
    if Path("/var/lib/systemd/linger", ME).exists():
        assert checks["lingering"]["status"] == "ok", checks
