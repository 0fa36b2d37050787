"""What goes wrong in Python is one readable exception."""

from __future__ import annotations

import json
import os
import signal

from harness import Draco, wait_for
from kernels import SMALL, Kernel

START = f"from draco import Cluster\ncluster = Cluster({SMALL}, quiet=True)"


def last_line(traceback: str) -> str:
    return traceback.rstrip().splitlines()[-1]


def test_wrong_settings(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        kernel.run("from draco import *")
        for arguments, text in (
            (
                "walltime='00:10:00'",
                "Error: walltime 00:10:00 is below minimum_walltime 00:45:00",
            ),
            ("cores=2, processes=4", "Error: processes 4 is more than cores 2: each"),
            ("minimum=3, maximum=2", "Error: minimum 3 is above maximum 2: "),
            ("procesess=2", 'there is no setting "procesess"; did you mean "processes"?'),
            ("cores='many'", "Error: cores: "),
            ("memory=-1", "memory"),
            ("name='a/b'", "cannot name a cluster"),
            ("profile='nope'", "nope"),
        ):
            error = kernel.fail(f"Cluster({arguments}, quiet=True)")
            line = last_line(error)
            assert text in line and line.startswith("draco.errors.SettingError"), error
        out = kernel.run(
            "try: Cluster(cores='x', memory='y', quiet=True)\n"
            "except SettingError as error:\n"
            "    print(len(error.problems), isinstance(error, ValueError))"
        )
        assert out == "2 True\n"
        assert draco.cluster_state() in ("stopped", "none")


def test_no_place(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        out = kernel.run(
            "from draco import *\n"
            f"try: Cluster({SMALL}, quiet=True, queues_to_try=['nope', 'never'])\n"
            "except ClusterFailed as error:\n"
            "    print(len(error.candidates), *error.candidates, sep='\\n')"
        )
        count, first, second = out.splitlines()
        assert count == "2" and first.startswith("nope: ") and second.startswith("never: ")
        assert "no such partition" in first or "does not exist" in first, first
        # What draco does not know is sbatch's to refuse.
        line = last_line(
            kernel.fail(f"Cluster({SMALL}, quiet=True, directives={{'no-such': 1}})")
        )
        assert "no-such" in line
    wait_for(lambda: not draco.processes(), "nor is the dracod left that was started for it")


def test_workers_that_do_not_come(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        error = kernel.fail(
            "from draco import Cluster\n"
            f"Cluster({SMALL}, quiet=True, failure_limit=1, prologue='echo no luck; exit 3')"
        )
    assert "draco.errors.ClusterFailed: " in error
    assert "no luck" in error and "The end of " in error


def test_no_programs(draco: Draco) -> None:
    with Kernel(draco, DRACO_BIN="/nowhere/dracod", PATH="/nowhere") as kernel:
        line = last_line(kernel.fail(START))
        assert line.startswith(
            "draco.errors.DaemonNotRunning: draco's programs are not installed"
        )


def test_a_dracod_that_hangs_is_named(draco: Draco) -> None:
    draco.start()
    os.kill(draco.daemon(), signal.SIGSTOP)
    try:
        with Kernel(draco) as kernel:
            line = last_line(kernel.fail(START))
            assert "does not answer within" in line
    finally:
        os.kill(draco.daemon(), signal.SIGCONT)


def test_a_dracod_and_scheduler_that_die(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        kernel.run(START)
        scheduler = draco.status()["scheduler"]["pid"]
        os.kill(scheduler, signal.SIGSTOP)  # dracod must not replace it
        os.kill(draco.daemon(), signal.SIGKILL)
        os.kill(scheduler, signal.SIGKILL)
        wait_for(
            lambda: kernel.run("print(cluster.status.name)") == "closed\n", "it is noticed"
        )
        line = last_line(kernel.fail("cluster.scale(2)"))
        assert f'the cluster "{draco.name}" has ended' in line
        assert f"Cluster(name='{draco.name}') joins it or starts it anew" in line
        kernel.run("cluster.close()")
        kernel.run(START)
        kernel.run("cluster.close()")


def test_the_state_directory_cannot_be_written(draco: Draco) -> None:
    state = draco.root / "state"
    state.write_text("this is no directory")
    with Kernel(draco, XDG_STATE_HOME=str(state)) as kernel:
        line = last_line(kernel.fail(START))
        assert line.startswith("draco.errors.DaemonNotRunning: ") and str(state) in line


def test_on_another_host_it_says_where(draco: Draco) -> None:
    draco.start("--remote-port=none")
    daemon = draco.state / "daemon.json"
    text, pid = daemon.read_text(), draco.daemon()
    os.kill(pid, signal.SIGSTOP)  # it would notice, and end
    daemon.write_text(json.dumps({**json.loads(text), "host": "login7"}))
    try:
        with Kernel(draco) as kernel:
            error = last_line(kernel.fail(START))
            assert "runs on host login7" in error and "remote_port is none" in error
            assert kernel.run("import draco; print(draco.list_clusters()[0].state)") == (
                "elsewhere\n"
            )
    finally:
        daemon.write_text(text)
        os.kill(pid, signal.SIGCONT)


def test_a_panel_that_cannot_be_shown(draco: Draco) -> None:
    """What shows the progress fails: that is logged, and the start goes on."""
    with Kernel(draco) as kernel:
        kernel.run(
            "import draco, draco._progress\n"
            "def fail(*_):\n    raise LookupError('no widgets')\n"
            "draco._progress.Progress.__call__ = fail"
        )
        kernel.run(f"cluster = draco.Cluster({SMALL}, quiet=True)")
        assert kernel.run("print(cluster.report()['cluster']['state'])") == "running\n"
        kernel.run("cluster.close()")
