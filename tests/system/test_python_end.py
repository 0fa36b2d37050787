"""The end of a program, or of its cluster, is short and clear."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest
from harness import PYTHON, Draco, wait_for
from kernels import SMALL, Kernel, environment

START = f"from draco import Cluster\ncluster = Cluster({SMALL}, quiet=True)\n"


def run_script(draco: Draco, code: str) -> subprocess.CompletedProcess[str]:
    """Run a script to its end."""
    script = draco.home / "script.py"
    script.write_text(code)
    return subprocess.run(
        [PYTHON, str(script)],
        env=environment(draco),
        cwd=draco.home,
        capture_output=True,
        text=True,
        timeout=240,
    )


@pytest.mark.parametrize(
    "client",
    [
        "cluster.get_client()",
        "Client(cluster.scheduler_address, security=cluster.security)",
    ],
)
def test_a_script_that_closes_nothing_ends_in_silence(draco: Draco, client: str) -> None:
    work = (
        f"{START}import time\nfrom distributed import Client\nclient = {client}\n"
        "futures = client.map(lambda i: time.sleep(0.1) or i, range(1000))\n"
        "print(futures[0].result())\n"
    )
    result = run_script(draco, work)
    assert (result.returncode, result.stdout, result.stderr) == (0, "0\n", "")
    assert draco.cluster_state() == "stopped" and not draco.jobs()
    result = run_script(draco, work + "raise LookupError('mine')")
    assert result.returncode == 1 and result.stderr.endswith("LookupError: mine\n")
    assert len(result.stderr.splitlines()) <= 5, result.stderr
    assert draco.cluster_state() == "stopped" and not draco.jobs()


@pytest.mark.parametrize(
    "client",
    ["cluster.get_client()", "Client(cluster.scheduler_address, security=cluster.security)"],
)
def test_a_program_is_told_at_once_that_its_cluster_was_stopped(
    draco: Draco, client: str
) -> None:
    with Kernel(draco) as kernel:
        kernel.run(
            f"{START}import time, warnings\nfrom distributed import Client\nclient = {client}\n"
            "told = []\n"
            "warnings.showwarning = lambda message, *rest, **more: told.append(str(message))\n"
            "client.submit(pow, 2, 3).result()\nfuture = client.submit(time.sleep, 600)\n"
        )
        kernel.send("try: future.result()\nfinally: end = time.monotonic()")
        stop = draco.popen("stop")
        error = kernel.answer()[1]
        assert stop.wait(120) == 0
        stopped = time.monotonic()
        assert error is not None and "CancelledError" in error
        # Without this a client tries for half a minute to reach the scheduler.
        assert kernel.run(f"print(end - {stopped} < 25, client.status)") == "True closed\n"
        assert kernel.run("print(*told, sep='\\n')") == (
            f'the cluster "{draco.name}" was stopped: requested by dracoctl (process {stop.pid}); '
            f"Cluster(name='{draco.name}') starts it anew\n"
        )
        assert f'cluster "{draco.name}" was stopped: requested by' in kernel.fail(
            "cluster.scale(2)"
        )


def test_one_object_that_stops_the_cluster_is_no_news_for_another(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        kernel.run(
            f"{START}import warnings\ntold = []\n"
            "warnings.showwarning = lambda message, *rest, **more: told.append(str(message))\n"
            "other = Cluster(quiet=True)\nother.shutdown()\n"
        )
        wait_for(lambda: kernel.run("print(cluster.status.name)") == "closed\n", "it has ended")
        assert kernel.run("print(told)") == "[]\n"


@pytest.mark.parametrize(
    "end",
    ["", "cluster.close()\nother.close()", "other.close()\ncluster.close()", "cluster.close()"],
)
def test_the_last_object_of_the_program_that_started_it_stops_it(
    draco: Draco, end: str
) -> None:
    result = run_script(draco, f"{START}other = Cluster({SMALL}, quiet=True)\n{end}\n")
    assert (result.returncode, result.stderr) == (0, "")
    assert draco.cluster_state() == "stopped" and not draco.jobs()


def test_another_object_of_the_program_is_named_as_such(draco: Draco) -> None:
    result = run_script(
        draco,
        f"{START}other = Cluster.from_name(quiet=True)\nclient = cluster.get_client()\n"
        "try:\n    client.shutdown()\nexcept Exception as error:\n    print(error)\n",
    )
    assert "is in use: another object of this program is attached to it" in result.stdout
    assert draco.cluster_state() == "stopped" and not draco.jobs()


def test_a_dracod_that_hangs_holds_nobody(draco: Draco) -> None:
    """Neither a call on an open connection, nor the end of the program."""
    with Kernel(draco) as kernel:
        kernel.run(START)
        os.kill(draco.daemon(), signal.SIGSTOP)
        for call in ("cluster.report()", "cluster.shutdown()"):
            assert "dracod does not answer within 10 s" in kernel.fail(call)
    os.kill(draco.daemon(), signal.SIGCONT)
    wait_for(lambda: draco.cluster_state() == "stopped", "the stop was asked for")
    code = f"{START}import os, signal\nos.kill({draco.daemon()}, signal.SIGSTOP)\n"
    result = run_script(draco, code)
    os.kill(draco.daemon(), signal.SIGCONT)
    assert "may run on: dracod does not answer within 10 s" in result.stderr, result.stderr
    assert f"dracoctl --name {draco.name} stop ends it" in result.stderr


def test_a_dracod_that_is_killed_while_the_program_ends(draco: Draco) -> None:
    """The next one stops the cluster."""
    script = draco.home / "script.py"
    script.write_text(f"{START}print('begun', flush=True)\ninput()\n")
    with subprocess.Popen(
        [PYTHON, str(script)],
        env=environment(draco),
        cwd=draco.home,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None and program.stdout.readline() == "begun\n"
        daemon = draco.daemon()
        os.kill(daemon, signal.SIGSTOP)  # it gets the request to stop, and never answers
        assert program.stdin is not None
        program.stdin.write("\n")
        program.stdin.close()
        time.sleep(1)
        os.kill(daemon, signal.SIGKILL)
        assert program.wait(120) == 0
    assert draco.cluster_state() in ("stopped", "none") and not draco.jobs()


def test_a_closed_object_leaves_no_thread_and_no_descriptor(draco: Draco) -> None:
    draco.start()
    with Kernel(draco) as kernel:
        kernel.run(
            "import gc, os, threading\nfrom draco import Cluster\n"
            "def count():\n"
            "    cluster = Cluster(quiet=True)\n"
            "    client = cluster.get_client()\n"
            "    cluster.close()\n"
            "    print(client.submit(pow, 2, 3).result())\n"
            "    client.close()\n"
            "    gc.collect()\n"
            "    return threading.active_count(), len(os.listdir('/proc/self/fd')), cluster\n"
            "*before, closed = count()"
        )
        assert kernel.run(
            "*after, closed = count()\nprint(before == after, before, after)"
        ) == (kernel.run("print(8)\nprint(True, before, after)"))
        for call in ("scale(1)", "report()", "get_logs()"):
            assert f'this object of the cluster "{draco.name}" was closed' in kernel.fail(
                f"closed.{call}"
            )
