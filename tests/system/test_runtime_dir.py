"""Wherever dracod can or cannot have its sockets, and whatever becomes of them, it is reached."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from accounts import Account
from harness import COMPUTE, PYTHON, SMALL, Draco, is_alive, wait_for
from kernels import Kernel, environment

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can do that")

JOIN = "from draco import Cluster\ncluster = Cluster(quiet=True)\nclient = cluster.get_client()"


@pytest.fixture
def shared(draco: Draco) -> Iterator[Path]:
    """A directory for temporary files that all users have, in the place of /tmp."""
    path = draco.root / "tmp"
    path.mkdir()
    path.chmod(0o1777)
    draco.environment["TMPDIR"] = str(path)
    yield path


def socket_of(draco: Draco) -> Path:
    return Path(json.loads((draco.state / "daemon.json").read_text())["socket"])


def common(shared: Path) -> Path:
    return shared / f"draco-{os.getuid()}"


def check_quiet_life(draco: Draco, base: Path) -> None:
    """A start, a look and an end, with the sockets below this directory, and no complaint."""
    assert draco.start().stderr.count("dracoctl:") == 0
    assert socket_of(draco) == base / draco.name / "control.sock"
    assert draco.run("status").stderr == ""
    assert draco.run("--json", "launch").returncode == 0
    draco.run("shutdown")


def test_the_runtime_directory(draco: Draco, shared: Path) -> None:
    check_quiet_life(draco, draco.runtime / "draco")
    assert not common(shared).exists()
    assert f"sockets: in {draco.runtime}/draco/{draco.name}\n" in draco.log.read_text()


@pytest.mark.parametrize(
    "value", [None, "", "/nonexistent/run", "/dev/null", "/proc/1/fd", "/root", "run", "long"]
)
def test_the_fall_back(draco: Draco, shared: Path, value: str | None) -> None:
    if value == "/root" and os.getuid() == 0:
        value = str(draco.root / "foreign")
        Path(value).mkdir(mode=0o700)
        os.chown(value, 65534, 65534)
    if value == "long":
        value = str(draco.root / ("x" * 100))
        Path(value).mkdir(mode=0o700)
    draco.environment.pop("XDG_RUNTIME_DIR")
    if value is not None:
        draco.environment["XDG_RUNTIME_DIR"] = value
    check_quiet_life(draco, common(shared))
    reason = f"sockets: in {common(shared)}/{draco.name}, because XDG_RUNTIME_DIR"
    assert reason in draco.log.read_text()


def test_a_read_only_runtime_directory(draco: Draco, shared: Path) -> None:
    draco.runtime.chmod(0o500)
    # As root is used to write everywhere, it has to do without that.
    words = ["setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override"]
    subprocess.run(
        [*(words if os.geteuid() == 0 else []), *draco.command("start", *SMALL)],
        env=draco.environment, check=True, capture_output=True, timeout=240,
    )  # fmt: skip
    assert socket_of(draco).is_relative_to(common(shared))
    assert draco.cluster_state() == "running"


def test_in_a_batch_job(draco: Draco, shared: Path) -> None:
    """It inherits the variable of the login node, whose directory the node does not have."""
    out = draco.home / "out"
    script = f"dracoctl start {' '.join(SMALL)} && dracoctl status && dracoctl shutdown"
    subprocess.run(
        ["sbatch", "-W", "-t", "10", "-n", "1", "-o", str(out), f"--wrap={script}"],
        env={
            **draco.environment,
            "XDG_RUNTIME_DIR": "/run/user/4711",
            "PATH": f"{Path(draco.command()[0]).parent}:{draco.environment['PATH']}",
        },
        check=True,
        timeout=240,
    )
    text = out.read_text()
    assert "is ready: 1 job" in text and "has ended" in text
    assert "dracoctl:" not in text.replace("dracoctl: looking", "")


# The name in the temporary directory is taken.


def check_private(draco: Draco, shared: Path) -> Path:
    """It serves in a directory that nobody can guess; returns that."""
    base = socket_of(draco).parents[1]
    assert base.parent == shared and base.name.startswith(f"draco-{os.getuid()}-")
    assert base.stat().st_mode & 0o7777 == 0o700
    return base


@as_root
def test_taken_by_another_account(draco: Draco, shared: Path) -> None:
    draco.environment.pop("XDG_RUNTIME_DIR")
    draco.root.chmod(0o711)
    with Account() as account:
        account.run("mkdir", "-m", "777", str(common(shared)))
        assert "move it away" not in draco.start().stderr
        base = check_private(draco, shared)
        assert draco.cluster_state() == "running"
        with Kernel(draco) as kernel:
            kernel.run(JOIN)
            assert kernel.run("import draco; print(draco.list_clusters()[0].state)") == (
                "running\n"
            )
            kernel.run("client.close(); cluster.close()")
        draco.run("shutdown")
        assert not base.exists()
        assert not list(common(shared).iterdir())  # nothing was made there


def test_taken_by_a_file(draco: Draco, shared: Path) -> None:
    """What a dracod that crashed has left of its private directory is used again."""
    draco.environment.pop("XDG_RUNTIME_DIR")
    common(shared).write_text("mine")
    draco.run("launch")
    base, pid = check_private(draco, shared), draco.daemon()
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(pid), "dracod has died")
    draco.run("launch")
    assert check_private(draco, shared) == base and draco.daemon() != pid
    draco.run("shutdown")
    assert [path.name for path in shared.iterdir()] == [common(shared).name]


def test_two_homes_with_one_runtime_directory(draco: Draco, shared: Path) -> None:
    """Both have a dracod of the same name; the second one goes elsewhere."""
    draco.run("launch")
    other = {"XDG_STATE_HOME": str(draco.home / "other")}
    first = json.loads(draco.run("--json", "launch").stdout)
    second = json.loads(draco.run("--json", "launch", **other).stdout)
    assert first["pid"] != second["pid"]
    assert Path(second["socket"]).is_relative_to(common(shared))
    draco.run("shutdown", **other)
    assert json.loads(draco.run("--json", "launch").stdout)["pid"] == first["pid"]


# The directory goes.


def remove(draco: Draco, what: str) -> None:
    path = {
        "socket": socket_of(draco),
        "name": draco.runtime / "draco" / draco.name,
        "base": draco.runtime / "draco",
        "all": draco.runtime,
    }[what]
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


@pytest.mark.parametrize("what", ["socket", "name", "base", "all"])
def test_what_is_removed_is_made_again(draco: Draco, shared: Path, what: str) -> None:
    draco.start("--dashboard=socket")
    pid = draco.daemon()
    with Kernel(draco) as kernel:
        kernel.run(JOIN)
        for _ in range(2 if what != "all" else 1):
            remove(draco, what)
            # A client waits for them, or goes by the port.
            assert draco.run("status").stdout.count("running") and draco.daemon() == pid
            wait_for(lambda: socket_of(draco).is_socket(), "they are made again")
        place = socket_of(draco).parent
        assert place.is_relative_to(common(shared) if what == "all" else draco.runtime)
        # Who was connected still is; new ones come in, and the dashboard is served again.
        assert kernel.run("print(client.submit(pow, 2, 5).result(), cluster.status.name)") == (
            "32 running\n"
        )
        draco.run("scale", "4")
        draco.wait_for_workers(4)
        assert draco.python(COMPUTE).endswith(" 285\n")
        if what != "socket":
            dashboard = place / "http.sock"
            wait_for(dashboard.is_socket, "the dashboard is served again")
            page = [
                "curl",
                "-sf",
                "--unix-socket",
                str(dashboard),
                "http://x/info/main/workers.html",
            ]
            wait_for(
                lambda: "<html"
                in subprocess.run(page, check=False, capture_output=True, text=True).stdout,
                "it answers there",
            )
        kernel.run("client.close(); cluster.close()")
    assert "is stopped" in draco.run("stop").stdout
    draco.run("shutdown")
    assert not [path for path in place.parent.rglob("*") if path.is_socket()]
    assert "were removed: recreated" in draco.run("events").stdout


def test_removed_while_it_idles(draco: Draco, shared: Path) -> None:
    draco.run("launch")
    shutil.rmtree(draco.runtime)
    assert "stopped" in draco.run("status", check=False).stdout
    assert json.loads(draco.run("--json", "launch").stdout)["launched"] is False


def test_daemon_json_is_removed(draco: Draco) -> None:
    draco.run("launch")
    pid = draco.daemon()
    (draco.state / "daemon.json").unlink()
    assert json.loads(draco.run("--json", "launch").stdout)["pid"] == pid
    assert "stopped" in draco.run("status", check=False).stdout


def test_a_new_scheduler_after_a_move(draco: Draco, shared: Path) -> None:
    """The one that is started again connects to where dracod is by then."""
    draco.start()
    shutil.rmtree(draco.runtime)
    scheduler = draco.status()["scheduler"]["pid"]
    os.kill(scheduler, signal.SIGKILL)
    wait_for(
        lambda: draco.status()["scheduler"]["pid"] not in (None, scheduler)
        and draco.status()["scheduler"]["state"] == "up",
        "there is another scheduler",
    )


# Programs that see other directories than the rest of the host: PrivateTmp, containers.


class Apart:
    """The user, in programs that see another, empty runtime directory."""

    def __init__(self, draco: Draco) -> None:
        self.draco = draco
        script = 'mount -t tmpfs -o mode=700 tmpfs "$0" && exec "$@"'
        self.prefix = ["unshare", "-m", "sh", "-c", script, str(draco.runtime)]

    def run(self, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            [*self.prefix, *self.draco.command(*arguments)],
            env=self.draco.environment, text=True, capture_output=True, timeout=240, check=False,
        )  # fmt: skip
        assert result.returncode == status, result.stdout + result.stderr
        return result

    def python(self, code: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.prefix, PYTHON, "-c", code],
            env=environment(self.draco), text=True, capture_output=True, timeout=240, check=False,
        )  # fmt: skip


@pytest.fixture
def apart(draco: Draco) -> Apart:
    words = ["unshare", "-m", "true"]
    if os.getuid() != 0 or subprocess.run(words, check=False).returncode != 0:
        pytest.skip("no mount namespaces here")
    return Apart(draco)


def test_from_another_tmp(draco: Draco, apart: Apart) -> None:
    draco.start("--adaptive-scale-factor=2")
    pid = draco.daemon()
    assert json.loads(apart.run("--json", "status").stdout)["cluster"]["state"] == "running"
    assert "is running: 1 job" in apart.run("start", *SMALL).stdout
    assert json.loads(apart.run("--json", "launch").stdout)["launched"] is False
    apart.run("scale", "4")
    draco.wait_for_workers(4)
    result = apart.python(
        f"{JOIN}\nimport draco\nprint(client.submit(pow, 2, 5).result())\n"
        f"print(draco.list_clusters()[0].state, Cluster.from_name({draco.name!r}).name)"
    )
    assert result.stdout == f"32\nrunning {draco.name}\n", result.stderr
    assert draco.daemon() == pid
    assert "is stopped" in apart.run("stop").stdout


def test_from_another_tmp_without_a_cluster(draco: Draco, apart: Apart) -> None:
    """It has no port then: that is said, and no second dracod is started."""
    draco.run("launch")
    pid = draco.daemon()
    texts = [
        f'dracod "{draco.name}" runs on this host (process {pid}), but its socket cannot be '
        f"reached: no program serves {draco.runtime}/draco/{draco.name}/control.sock",
        "it has no cluster now, and so no port",
        "a container or a service may see other directories",
    ]
    for words, status in [(["status"], 3), (["stop"], 3), (["start", *SMALL], 1)]:
        error = apart.run(*words, status=status).stderr
        assert all(text in error for text in texts), error
        assert "no cluster" not in error.splitlines()[0]
    error = apart.python(JOIN).stderr
    assert f"DaemonNotRunning: {texts[0]}" in error and texts[1] in error
    result = apart.python("import draco; print(draco.list_clusters()[0].state)")
    assert result.stdout == "unknown\n"
    assert draco.daemon() == pid and is_alive(pid)


def test_from_another_tmp_without_a_port(draco: Draco, apart: Apart) -> None:
    draco.start("--remote-port=none")
    error = apart.run("status", status=1).stderr
    assert "nor can its port: remote_port is none" in error
    assert f"(process {draco.daemon()})" in error


def test_started_from_another_tmp(draco: Draco, apart: Apart) -> None:
    """The other way round: dracod is in the container."""
    apart.run("start", *SMALL)
    assert not any(draco.runtime.iterdir())
    assert draco.cluster_state() == "running"
    assert draco.python(COMPUTE).endswith(" 285\n")
    assert "has ended" in draco.run("shutdown").stdout
