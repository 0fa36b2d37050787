"""Several kernels, one cluster: leases, and who stops it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator

import pytest
from harness import PYTHON, Draco, Sandbox, is_alive, wait_for
from kernels import SMALL, Kernel, environment, show
from steps import attached

JOIN = "from draco import Cluster\ncluster = Cluster(quiet=True)\nclient = cluster.get_client()"
START = JOIN.replace("quiet=True", f"{SMALL}, quiet=True")


def test_three_kernels_share_the_workers(draco: Draco) -> None:
    with Kernel(draco, JPY_SESSION_NAME="/n/one.ipynb") as one, Kernel(draco) as two:
        one.run(START)
        two.run(JOIN)
        with Kernel(draco) as three:
            three.run(JOIN)
            kernels = [one, two, three]
            assert attached(draco, "pid") == [kernel.process.pid for kernel in kernels]
            text = draco.run("status").stdout
            assert "attached   /n/one.ipynb on " in text
            assert f"(process {two.process.pid}) for " in text
            # Different computations at the same time.
            for factor, kernel in enumerate(kernels, 2):
                kernel.send(
                    f"futures = client.map(lambda x: {factor} * x, range(200))\n"
                    "print(sum(client.gather(futures)))"
                )
            for factor, kernel in enumerate(kernels, 2):
                assert kernel.answer() == (f"{factor * 19900}\n", None)
            clusters = {job["name"].rpartition(".")[0] for job in draco.jobs()}
            assert len(clusters) == 1
            two.kill()
            wait_for(
                lambda: attached(draco, "pid") == [one.process.pid, three.process.pid],
                "the lease of the killed one ends",
            )
            one.run("client.close(); cluster.close()")
            assert attached(draco, "pid") == [three.process.pid]
            assert three.run("print(client.submit(pow, 2, 3).result())") == "8\n"
            assert three.run("print(len(cluster.attached), bool(cluster.jobs))") == "1 True\n"
            assert draco.cluster_state() == "running"
            three.run("cluster.close()")
        assert attached(draco, "pid") == []
        assert draco.cluster_state() == "running"  # three did not start it


def usage(draco: Draco, pid: int) -> dict:
    """What the attached program of this process has."""
    (lease,) = [x for x in draco.status()["attached"] if x["pid"] == pid]
    return lease


def test_shares_and_who_uses_what(draco: Draco) -> None:
    work = (
        "import time\n"
        "kept = client.submit(bytes, 2000000, pure=False)\n"
        "futures = client.map(lambda i: time.sleep(0.1), range(10000), pure=False)\n"
    )
    with Kernel(draco, JPY_SESSION_NAME="/n/one.ipynb") as one, Kernel(draco) as two:
        one.run(START)
        two.run(JOIN.replace("quiet=True", "quiet=True, share=3"))
        for kernel in (one, two):
            kernel.run(work)
        pids = [one.process.pid, two.process.pid]

        def used() -> list[float]:
            return [usage(draco, pid).get("core_seconds", 0) for pid in pids]

        wait_for(lambda: min(used()) > 0, "both to get something")
        before = used()  # the first one had all until the second one came
        wait_for(lambda: sum(used()) - sum(before) > 8, "them to get more")
        got = [now - then for now, then in zip(used(), before)]
        assert got[1] > 1.5 * got[0], got
        first, second = (usage(draco, pid) for pid in pids)
        assert (first["share"], second["share"]) == (1, 3)
        wait_for(lambda: usage(draco, pids[0]).get("bytes", 0) > 1000000, "its results")
        assert draco.run("share", "one.ipynb", "3").returncode == 0
        first, second = (usage(draco, pid) for pid in pids)
        assert (first["share"], second["share"]) == (3, 3)
        text = draco.run("status").stdout
        assert ", share 3" in text
        assert " core seconds used" in text
        panel = one.run("print(cluster._repr_html_())")
        assert "one.ipynb (share 3" in panel
        wrong = draco.run("share", "none.ipynb", "3", check=False)
        assert wrong.returncode == 1
        assert "no attached program is called none.ipynb" in wrong.stderr
        wrong = draco.run("share", "one.ipynb", "much", check=False)
        assert wrong.returncode == 2
        assert "much is not a number" in wrong.stderr


def test_the_last_one_that_started_it_stops_it(draco: Draco) -> None:
    with Kernel(draco) as one, Kernel(draco) as two:
        one.run(START)
        two.run(JOIN + "\nclient.close(); cluster.close()")
        assert draco.cluster_state() == "running"
        one.run("client.close(); cluster.close()")
        assert draco.cluster_state() == "stopped"
        # And again, from the other.
        two.run(START)
        assert draco.cluster_state() == "running"
        two.run("cluster.shutdown()")
        assert draco.cluster_state() == "stopped"


#: A program that knows nothing of draco, and waits for a line before it ends.
PLAIN = """
from distributed import Client
with Client(timeout=60) as client:
    print(client.submit(pow, 2, 4).result(), flush=True)
    input()
"""


@contextlib.contextmanager
def plain_client(draco: Draco) -> Iterator[None]:
    """Such a program is connected while the context lasts."""
    variables = json.loads(draco.run("env", "--format", "json").stdout)
    with subprocess.Popen(
        [PYTHON, "-c", PLAIN],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=draco.home,
        env={**environment(draco), **variables},
    ) as program:
        assert program.stdout is not None and program.stdout.readline() == "16\n"
        yield
        program.communicate("\n", timeout=60)


def test_the_client_of_another_program_keeps_it(draco: Draco) -> None:
    """But not one of this process, nor one that was just closed."""
    with Kernel(draco) as one:
        one.run(START + "\nfrom distributed import Client")
        with plain_client(draco):
            one.run("second = Client(cluster)\ncluster.close()")
            assert draco.cluster_state() == "running"
        draco.run("stop")
        one.run(START)
        one.run("second = Client(cluster); Client(cluster).close(); cluster.close()")
        assert draco.cluster_state() == "stopped"


@pytest.mark.parametrize(("policy", "state"), [("True", "stopped"), ("False", "running")])
def test_shutdown_on_close(draco: Draco, policy: str, state: str) -> None:
    with Kernel(draco) as one, Kernel(draco) as two:
        one.run(START)
        two.run(
            f"from draco import Cluster\nCluster(quiet=True, shutdown_on_close={policy}).close()"
        )
        assert draco.cluster_state() == state
        if state == "stopped":
            wait_for(
                lambda: one.run("print(cluster.status.name)") == "closed\n",
                "the other object notices",
            )
            assert "ClusterNotRunning" in one.fail("cluster.scale(2)")
            one.run("cluster.close()")
        else:
            one.run("client.close(); cluster.close()")


def test_a_stop_from_the_terminal_is_noticed(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        kernel.run(START + "\nclient.close()")
        draco.run("stop")
        wait_for(
            lambda: kernel.run("print(cluster.status.name)") == "closed\n", "it is noticed"
        )
        kernel.run(START)  # a new one
        assert kernel.run("print(client.submit(pow, 2, 3).result())") == "8\n"
        kernel.run("client.close(); cluster.close()")


def test_from_name_and_the_list(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        assert kernel.run("import draco; print(draco.list_clusters())") == "[]\n"
        assert "DaemonNotRunning" in kernel.fail("draco.Cluster.from_name()")
        kernel.run("try: draco.Cluster.from_name()\nexcept draco.ClusterNotRunning: pass")
        draco.start()
        assert kernel.run(
            "info, = draco.list_clusters(); print(info.name, info.state, info.workers)"
        ).startswith(f"{draco.name} running ")
        # As dask-ctl asks by the package's entry point.
        assert (
            kernel.run(
                "import asyncio; from draco.discovery import discover\n"
                "async def names(): return [(n, c.__name__) async for n, c in discover()]\n"
                "print(asyncio.run(names()))"
            )
            == f"[('{draco.name}', 'Cluster')]\n"
        )
        kernel.run("cluster = draco.Cluster.from_name(info.name)")
        assert attached(draco, "pid") == [kernel.process.pid]
        kernel.run("cluster.close()")
        assert draco.cluster_state() == "running"
        draco.run("stop")
        assert "ClusterNotRunning" in kernel.fail("draco.Cluster.from_name()")
        assert kernel.run("print(draco.list_clusters()[0].state)") == "stopped\n"


def test_two_starts_at_once_are_one(draco: Draco) -> None:
    with Kernel(draco) as one, Kernel(draco) as two:
        one.send(START)
        two.send(START)
        assert one.answer() == ("", None)
        assert two.answer() == ("", None)
        assert len(draco.all_jobs()) == 1
        one.run("client.close(); cluster.close()")
        two.run("client.close(); cluster.close()")
        draco.run("stop")


def test_a_kernel_that_is_killed_while_it_starts_leaves_nothing(
    draco: Draco, full: Sandbox
) -> None:
    with Kernel(draco) as one:
        one.send(START)
        wait_for(lambda: draco.cluster_state() == "starting", "the cluster starts")
        one.kill()
    wait_for(lambda: draco.cluster_state() == "stopped", "it is given up")
    assert not draco.jobs()


def test_who_waits_takes_over_from_one_that_is_killed(draco: Draco, full: Sandbox) -> None:
    with Kernel(draco) as one, Kernel(draco) as two:
        one.send(START)
        wait_for(lambda: draco.cluster_state() == "starting", "the cluster starts")
        shown = draco.home / "shown"
        two.send(show(shown, START.replace("quiet=True", "quiet=False")))
        wait_for(
            lambda: shown.exists() and "pending" in shown.read_text(),
            "the other one waits, too",
        )
        one.kill()
        full.command("scancel", "--name=filler")
        assert two.answer() == ("", None)
        two.run("client.close(); cluster.close()")
        assert draco.cluster_state() == "stopped"  # it is two's by now


def test_a_lease_is_use(draco: Draco) -> None:
    """idle_shutdown does not stop a cluster that somebody is attached to."""
    with Kernel(draco) as kernel:
        kernel.run(
            "from draco import Cluster\n"
            f"cluster = Cluster({SMALL}, quiet=True, idle_shutdown=1, shutdown_on_close=False)"
        )
        stop = threading.Event()
        assert not stop.wait(3)
        assert draco.cluster_state() == "running"
        kernel.run("cluster.close()")
        wait_for(lambda: draco.cluster_state() == "stopped", "it stops when nobody is attached")


def test_use_is_told_while_work_is_under_way(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        kernel.run(START)
        kernel.run("import time; future = client.submit(time.sleep, 60)")

        def unused_for() -> int:
            (lease,) = draco.status()["attached"]
            return lease["last_use"] - lease["since"]

        wait_for(lambda: unused_for() >= 4, "the last use is told again")
        kernel.run("future.cancel(); client.close(); cluster.close()")


#: Break the connection of the cluster's object.
CUT = (
    "connection = cluster._link.connection\n"
    "socket = connection._writer.get_extra_info('socket')\n"
    "cluster.loop.add_callback(socket.shutdown, 2)"
)


def test_a_connection_that_breaks_is_made_again(draco: Draco) -> None:
    """As that of a program that was stopped for long."""
    with Kernel(draco) as kernel:
        kernel.run(START)
        for _ in range(2):
            kernel.run(CUT)
            wait_for(lambda: kernel.run("print(connection.is_open)") == "False\n", "it breaks")
            assert kernel.run("cluster.scale(2); print(len(cluster.attached))") == "1\n"
            assert attached(draco, "pid") == [kernel.process.pid]
        assert kernel.run("print(client.submit(pow, 2, 3).result())") == "8\n"
        draco.run("stop")  # it hears of that
        wait_for(
            lambda: kernel.run("print(cluster.status.name)") == "closed\n", "it is noticed"
        )
        error = kernel.fail("cluster.scale(2)").splitlines()[-1]
        assert f'the cluster "{draco.name}" was stopped' in error and "starts it anew" in error


def test_shutdown_while_the_connection_is_made_again(draco: Draco) -> None:
    """It stops the cluster, for which it needs the connection."""
    slow = (
        "import asyncio, draco._link as link\n"
        "connect = link.connect\n"
        "async def slow(*arguments):\n"
        "    await asyncio.sleep(2)\n"
        "    return await connect(*arguments)\n"
        "link.connect = slow\n"
    )
    with Kernel(draco) as kernel:
        kernel.run(START)
        kernel.run(slow + CUT + "\nwhile connection.is_open: pass\ncluster.shutdown()")
        assert draco.cluster_state() == "stopped"


def test_a_forked_child_has_no_part_in_it(draco: Draco) -> None:
    """Such as a worker of multiprocessing, which outlives a kernel that is killed."""
    with Kernel(draco) as kernel:
        kernel.run(START)
        told = draco.home / "child"
        kernel.run(
            f"""
import os, time
if os.fork() == 0:
    try:
        cluster.scale(4)
    except BaseException as error:
        text = f"{{os.getpid()}} {{error}} {{cluster.status.name}}"
    cluster.close()
    with open({str(told)!r} + ".new", "w") as file:
        file.write(text)
    os.rename({str(told)!r} + ".new", {str(told)!r})
    time.sleep(300)
    os._exit(0)
"""
        )
        wait_for(told.exists, "the child has gone on")
        child, text = told.read_text().split(" ", 1)
        assert f"is that of process {kernel.process.pid}" in text and text.endswith(" closed")
        # The parent's is as it was.
        assert kernel.run("cluster.scale(2); print(client.submit(pow, 2, 3).result())") == "8\n"
        assert kernel.run("print(cluster.status.name, len(cluster.attached))") == "running 1\n"
        kernel.kill()
        try:
            wait_for(lambda: attached(draco, "pid") == [], "the lease ends")
            assert is_alive(int(child))
        finally:
            os.kill(int(child), signal.SIGKILL)


def test_differences_are_told_once(draco: Draco) -> None:
    with Kernel(draco) as one, Kernel(draco) as two:
        one.run(START)
        two.run(
            "import warnings\nimport draco\nwarnings.simplefilter('error', draco.DracoWarning)\n"
            + JOIN
        )
        text = two.fail(
            "Cluster(processes=2, cores=4, walltime='00:55:00', quiet=True)"
        ).splitlines()[-1]
        assert text.startswith("draco.errors.DracoWarning: ")
        assert "cores is 2, not 4; " in text or "; cores is 2, not 4" in text
        assert "walltime is 00:50:00, not 00:55:00" in text and "name=" in text
        assert "processes" not in text
        two.run("client.close(); cluster.close()")
        one.run("client.close(); cluster.close()")


def test_another_distributed_is_told(draco: Draco) -> None:
    """Dask's client would only fail, and not say why."""
    draco.start()
    with Kernel(draco) as kernel:
        kernel.run(
            "import warnings, distributed\nfrom draco import Cluster, DracoWarning\n"
            "warnings.simplefilter('error', DracoWarning)\n"
            "Cluster(quiet=True).close()\ndistributed.__version__ = '2038.1.0'"
        )
        for code in ("Cluster(quiet=True)", f"Cluster.from_name({draco.name!r})"):
            text = kernel.fail(code).splitlines()[-1]
            assert text.startswith(
                f'draco.errors.DracoWarning: the cluster "{draco.name}" has '
            )
            assert "and this program 2038.1.0 (" in text and "for this Python." in text


def test_two_clusters_side_by_side(draco: Draco) -> None:
    other = Draco(draco.sandbox)
    with other, Kernel(draco) as kernel:
        kernel.run(START)
        kernel.run(
            f"two = Cluster(name={other.name!r}, {SMALL}, quiet=True)\n"
            "assert two != cluster and two.get_client() is not client\n"
            "print(two.get_client().submit(pow, 2, 3).result())\n"
            "two.shutdown()"
        )
        assert kernel.run("print(client.submit(pow, 2, 3).result())") == "8\n"
        kernel.run("client.close(); cluster.close()")
        # The second one's dracod is a child of this user, too.
        daemon = draco.state.parent / other.name / "daemon.json"
        pid = json.loads(daemon.read_text())["pid"]
        draco.run("--name", other.name, "shutdown")
        wait_for(lambda: not is_alive(pid), "the second dracod ends")
    other.check_nothing_left()


def test_two_programs_of_one_name_are_told_apart(draco: Draco) -> None:
    names = {"JPY_SESSION_NAME": "/n/student.ipynb"}
    with Kernel(draco, **names) as one, Kernel(draco, **names) as two:
        one.run(START)
        two.run(JOIN)
        html = one.run("print(cluster._repr_html_())")
        for kernel in (one, two):
            assert f"/n/student.ipynb (process {kernel.process.pid})" in html
        two.run("client.close(); cluster.close()")
        one.run("client.close(); cluster.close()")


def test_a_pause_is_told_where_it_is_waited_for(draco: Draco) -> None:
    """Each time, in the panel and by the object, and when it is over not any more."""
    with Kernel(draco) as kernel:
        kernel.run(
            START + "\nimport warnings\ntold = []\n"
            "warnings.showwarning = lambda message, *rest, **more: told.append(str(message))"
        )
        for times in (1, 2):
            draco.run("pause")
            wait_for(lambda n=times: kernel.run("print(len(told))") == f"{n}\n", "it warns")
            text = kernel.run("print(told[-1])")
            assert text.startswith(f'the cluster "{draco.name}" is paused: by hand; ')
            assert f"dracoctl --name {draco.name} resume" in text
            assert kernel.run("print(cluster)").endswith(", paused)\n")
            assert ">Paused</strong>: by hand; " in kernel.run("print(cluster._repr_html_())")
            with Kernel(draco) as other:
                other.run(
                    "import warnings, draco\n"
                    "warnings.simplefilter('error', draco.DracoWarning)"
                )
                error = other.fail(JOIN)
                assert "is paused: by hand" in error
            draco.run("resume")
            wait_for(
                lambda: "paused" not in kernel.run("print(cluster)"), "it is not told any more"
            )
            assert "Paused" not in kernel.run("print(cluster._repr_html_())")
        kernel.run("client.close(); cluster.close()")


def test_a_scheduler_that_was_started_anew_is_told(draco: Draco) -> None:
    """And is told of the cluster again."""
    with Kernel(draco) as kernel:
        kernel.run(
            START.replace("\nclient = cluster.get_client()", "")
            + "\nimport warnings\ntold = []\n"
            "warnings.showwarning = lambda message, *rest, **more: told.append(str(message))"
        )
        os.kill(draco.status()["scheduler"]["pid"], signal.SIGKILL)
        wait_for(lambda: kernel.run("print(len(told))") == "1\n", "it warns")
        assert kernel.run("print(told[0])").startswith(
            f'the scheduler of the cluster "{draco.name}" was started anew: all results'
        )
        ask = (
            "info = cluster.sync(cluster.scheduler_comm.get_metadata,"
            " keys=['cluster-manager-info'], default={})\nprint(info.get('name'))"
        )
        wait_for(lambda: kernel.run(ask).strip() == draco.name, "it knows the cluster")
        kernel.run("cluster.close()")
