"""dracoctl run: a command with the cluster under it; dracoctl launch."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest
from harness import PYTHON, SMALL, Draco, wait_for
from standins import children

CODE = "from distributed import Client\nprint(Client().submit(pow, 2, 5).result())"


def test_the_cluster_is_there_for_the_command(draco: Draco) -> None:
    result = draco.run("run", *SMALL, "--", PYTHON, "-c", CODE)
    assert result.stdout == "32\n"
    assert "is pending" in result.stderr or "runs" in result.stderr
    wait_for(lambda: not draco.processes(), "nor is a dracod left")
    assert not draco.jobs()


def test_workers_run_the_python_of_the_command(draco: Draco) -> None:
    """Of a virtual environment that is not in PATH, also by a script that its first line names."""
    venv = draco.root / "venv"
    make = ("-m", "venv", "--without-pip", "--system-site-packages", str(venv))
    subprocess.run([PYTHON, *make], check=True)
    script = draco.root / "tool"
    script.write_text(
        f"#!{venv}/bin/python3\nimport sys\nfrom distributed import Client\n"
        "print(sys.executable, *Client().run(lambda: sys.executable).values())\n"
    )
    script.chmod(0o755)
    for command in ([str(script)], [f"{venv}/bin/python", str(script)]):
        own, *workers = draco.run("run", *SMALL, "--", *command).stdout.split()
        assert {os.path.dirname(own)} == {os.path.dirname(one) for one in workers}
        assert own.startswith(str(venv)) and workers
        wait_for(lambda: not draco.processes(), "no dracod is left")


@pytest.mark.any_dask
def test_a_python_without_distributed_is_told(draco: Draco) -> None:
    """The cluster runs another Python, which start names, and run says why."""
    broken = draco.root / "bin/python3"
    broken.parent.mkdir()
    broken.write_text(f'#!/bin/sh\nexec {PYTHON} -S -I "$@"\n')
    broken.chmod(0o755)
    path = f"{broken.parent}:{draco.environment['PATH']}"
    out = draco.run("start", *SMALL, PATH=path).stdout
    python = draco.status()["scheduler"]["python"]  # the next one in PATH, by one of its names
    line = f"  python     {python}\n"
    assert line in out and os.path.samefile(python, PYTHON)
    assert line not in draco.run("start", *SMALL).stdout
    for command, told in (("python3", True), (PYTHON, False), ("true", False)):
        result = draco.run("run", "--", command, "-c", "pass", PATH=path)
        text = " ".join(result.stderr.split())
        assert (f"{broken} has no distributed: the workers run {python}" in text) == told, text


@pytest.mark.any_dask
def test_other_versions_are_told(draco: Draco) -> None:
    """The cluster runs already, and cannot run the functions of such a command."""
    other = draco.root / "bin/python3"
    other.parent.mkdir()
    other.write_text(
        "#!/bin/sh\ncase $2 in *version_info*) echo Python 3.99; exit;; esac\n"
        f'exec {PYTHON} "$@"\n'
    )
    other.chmod(0o755)
    draco.start()
    for command, told in ((str(other), True), (PYTHON, False), ("true", False)):
        text = " ".join(draco.run("run", "--", command, "-c", "pass").stderr.split())
        line = "the command runs Python 3.99, and the workers run Python 3."
        assert (line in text) == told, text
        assert ("dracoctl --name OTHER run ... makes a cluster" in text) == told, text


@pytest.mark.any_dask
def test_it_is_attached_as_its_script(draco: Draco) -> None:
    draco.start()
    script = draco.root / "analysis.py"
    script.write_text("input()\n")
    running = draco.popen("run", "--", PYTHON, "-u", str(script), stdin=subprocess.PIPE)
    wait_for(
        lambda: [a["program"] for a in draco.status()["attached"]] == [str(script)],
        "the script is attached",
    )
    running.communicate("\n")


@pytest.mark.any_dask
def test_its_exit_status(draco: Draco) -> None:
    draco.start()
    for command, status in (
        (["sh", "-c", "exit 7"], 7),
        (["sh", "-c", "kill -TERM $$"], 128 + signal.SIGTERM),
        (["/no/such/program"], 127),
        (["/etc/passwd"], 126),
        (["no-such-program"], 127),
    ):
        assert draco.run("run", *SMALL, "--", *command, check=False).returncode == status
    assert draco.run("run", *SMALL, check=False).returncode == 2
    # Without "--", too, what stands behind the command is left to it.
    result = draco.run("run", "--quiet", "echo", "--json", "--nonsense", "-n", "4")
    assert result.stdout == "--json --nonsense -n 4\n" and not result.stderr
    assert draco.cluster_state() == "running"  # run did not start it


@pytest.mark.any_dask
def test_no_jobs_for_a_command_that_is_not_there(draco: Draco) -> None:
    result = draco.run("run", *SMALL, "--", "no-such-program", check=False)
    assert result.returncode == 127
    assert result.stderr == "dracoctl: cannot run no-such-program: No such file or directory\n"
    assert not draco.state.exists()  # no dracod was started


@pytest.mark.any_dask
def test_it_stays_for_others(draco: Draco) -> None:
    """Whoever is attached keeps the cluster of one who began it."""
    first = draco.popen(
        "run", *SMALL, "--", "cat", stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: draco.cluster_state() == "running", "the cluster runs")
    second = draco.popen(
        "run", *SMALL, "--", "cat", stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    wait_for(lambda: len(draco.status()["attached"]) == 2, "both are attached")
    assert {lease["program"] for lease in draco.status()["attached"]} == {"cat"}
    first.communicate(timeout=60)
    assert draco.cluster_state() == "running"
    second.communicate(timeout=60)
    assert draco.cluster_state() == "running"


def test_it_stays_for_a_client_that_the_command_leaves_behind(draco: Draco) -> None:
    code = "from distributed import Client; c = Client(); print(1, flush=True); input()"
    script = (
        f"exec 3<&0; '{PYTHON}' -c '{code}' <&3 >out & while ! [ -s out ]; do sleep 0.1; done"
    )
    first = draco.popen("run", *SMALL, "--", "sh", "-c", script, stdin=subprocess.PIPE)
    assert first.wait(120) == 0
    assert draco.cluster_state() == "running"
    assert first.stdin is not None
    first.stdin.close()


@pytest.mark.any_dask
def test_signals_reach_the_command(draco: Draco) -> None:
    trap = "trap 'echo term; exit 3' TERM; echo ready; while :; do sleep 0.1; done"
    process = draco.popen("run", *SMALL, "--", "sh", "-c", trap, stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=120)[0] == "term\n"
    assert process.returncode == 3
    assert not draco.jobs()


@pytest.mark.any_dask
def test_killed_it_leaves_the_cluster_to_idle_shutdown(draco: Draco) -> None:
    process = draco.popen("run", *SMALL, "--idle-shutdown=1", "--", "sleep", "1000")
    wait_for(lambda: draco.cluster_state() == "running", "the cluster runs")
    wait_for(lambda: draco.status()["attached"], "it is attached")
    (child,) = wait_for(
        lambda: [pid for pid, name in children(process.pid).items() if name == "sleep"],
        "the command runs",
    )
    process.kill()
    process.wait()
    os.kill(child, signal.SIGKILL)
    wait_for(lambda: draco.cluster_state() == "stopped", "it stops by itself")


@pytest.mark.any_dask
def test_launch(draco: Draco) -> None:
    first = json.loads(draco.run("--json", "launch").stdout)
    second = json.loads(draco.run("--json", "launch").stdout)
    assert first["launched"] is True and second["launched"] is False
    assert first["pid"] == second["pid"] == draco.daemon()
    assert os.path.exists(first["socket"])
    assert "runs already, as process" in draco.run("launch").stdout
    assert draco.cluster_state() == "stopped" and not draco.all_jobs()
