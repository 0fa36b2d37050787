"""What goes wrong in Python is one readable exception."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import threading
from pathlib import Path

from harness import Draco, wait_for
from kernels import SMALL, Kernel

START = f"from draco import Cluster\ncluster = Cluster({SMALL}, quiet=True)"


def last_line(traceback: str) -> str:
    return traceback.rstrip().splitlines()[-1]


def test_wrong_settings(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        kernel.run("from draco import *")
        for arguments, text in (
            ("walltime='00:10:00'", "walltime 00:10:00 is below minimum_walltime 00:45:00"),
            ("procesess=2", 'there is no setting "procesess"; did you mean "processes"?'),
            ("cores='many'", "cores"),
            ("memory=-1", "memory"),
            ("directives={'no-such': 1}", "no-such"),
            ("name='a/b'", "cannot name a cluster"),
            ("profile='nope'", "nope"),
        ):
            error = kernel.fail(f"Cluster({arguments}, quiet=True)")
            line = last_line(error)
            assert text in line and line.startswith("draco.errors."), error
        out = kernel.run(
            "try: Cluster(cores='x', memory='y', quiet=True)\n"
            "except SettingError as error: print(len(error.problems), isinstance(error, ValueError))"
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
    assert draco.cluster_state() == "none"  # nor is the dracod left that was started for it


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


def test_a_dracod_that_dies(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        kernel.run(START)
        os.kill(draco.daemon(), signal.SIGKILL)
        wait_for(
            lambda: kernel.run("print(cluster.status.name)") == "closed\n", "it is noticed"
        )
        assert "has ended" in last_line(kernel.fail("cluster.scale(2)"))
        kernel.run("cluster.close()")
        kernel.run(START)  # a new dracod, which ends what was left
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
    text = daemon.read_text()
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


class OtherDracod:
    """Stands in for a dracod of another version.

    Parameters
    ----------
    draco : Draco
        Whose dracod it pretends to be.
    answers : dict
        For each method what it answers, without id; what is missing is unknown to it.
    """

    def __init__(self, draco: Draco, answers: dict[str, dict]) -> None:
        self.answers = answers
        self.socket = socket.socket(socket.AF_UNIX)
        path = draco.runtime / "other.sock"
        path.unlink(missing_ok=True)
        self.socket.bind(str(path))
        self.socket.listen()
        draco.state.mkdir(parents=True, exist_ok=True)
        self.file = Path(draco.state / "daemon.json")
        self.file.write_text(
            json.dumps({"socket": str(path), "host": socket.gethostname(), "pid": 1})
        )
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        unknown = {"error": {"code": -32601, "message": "there is no such method"}}
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), client, client.makefile("rw") as stream:
                for line in stream:
                    request = json.loads(line)
                    answer = self.answers.get(request["method"], unknown)
                    message = {"jsonrpc": "2.0", "id": request["id"], **answer}
                    stream.write(json.dumps(message) + "\n")
                    stream.flush()

    def __enter__(self) -> OtherDracod:
        return self

    def __exit__(self, *exc_info) -> None:
        self.socket.close()
        self.file.unlink()


def test_versions_that_do_not_fit(draco: Draco) -> None:
    refusal = {"code": -32002, "message": "this dracod is of version 9 ... of version 0.1.0"}
    hello = {"result": {"protocol": 1, "version": "0.0.1"}}
    with Kernel(draco) as kernel:
        with OtherDracod(draco, {"hello": {"error": refusal}}):
            line = last_line(kernel.fail(START))
            assert line == f"draco.errors.VersionMismatch: {refusal['message']}"
        with OtherDracod(draco, {"hello": hello}):
            line = last_line(kernel.fail(START))
            assert "this dracod is of version 0.0.1 and does not know 'start'" in line
            assert "the Python package draco is of version 0.1.0" in line
