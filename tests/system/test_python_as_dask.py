"""What distributed's tests of its own clusters check, of draco.Cluster."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from harness import Draco, Sandbox, wait_for
from kernels import SMALL, Kernel

START = (
    "import os\nfrom distributed import Client\nfrom draco import Cluster\n"
    f"cluster = Cluster({SMALL}, maximum=6, quiet=True)\n"
    "client = Client(cluster)\ncluster.wait_for_workers(2, timeout=60)\n"
)


@pytest.fixture
def kernel(draco: Draco):
    """A process with a cluster of two workers, and a client of it."""
    with Kernel(draco) as kernel:
        kernel.run(START)
        yield kernel
        kernel.run("client.close(); cluster.close()")


@pytest.fixture(scope="module")
def shared(shared_sandbox: Sandbox) -> Iterator[Kernel]:
    """The same for all tests that leave it as it was."""
    with Draco(shared_sandbox) as draco, Kernel(draco) as kernel:
        kernel.run(START)
        yield kernel
        kernel.run("client.close(); cluster.close()")
    draco.check_nothing_left()


def test_several_clients(shared: Kernel) -> None:
    out = shared.run(
        "with Client(cluster) as other:\n"
        "    future = other.submit(pow, 2, 5)\n"
        "    print(client.submit(sum, [1, 2]).result(), future.result())\n"
        "print(client.status, cluster.status.name, client.cluster is cluster)"
    )
    assert out.splitlines() == ["3 32", "running running True"]


def test_identity(shared: Kernel) -> None:
    out = shared.run(
        "other = Cluster.from_name(quiet=True)\n"
        "print(cluster == other, cluster != client, len({cluster, other, cluster}))\n"
        "print(cluster.scheduler_address == other.scheduler_address == client.scheduler.address)\n"
        "print(cluster.asynchronous, cluster.loop.asyncio_loop.is_running())\n"
        "other.close()"
    )
    assert out.splitlines() == ["True True 2", "True", "False True"]
    # The scheduler knows who manages it.
    info = 'print(client.get_metadata(["cluster-manager-info"])["name"])'
    assert shared.run(info) == shared.run("print(os.environ['DRACO_NAME'])")


def test_what_there_is(shared: Kernel) -> None:
    out = shared.run(
        "address = list(cluster.scheduler_info['workers'])[0]\n"
        "logs = cluster.get_logs(cluster=False, scheduler=False, workers=[address])\n"
        "print(list(logs) == [address])\n"
        "print(list(cluster.get_logs(cluster=True, scheduler=False, workers=False)))"
    )
    assert out.splitlines() == ["True", "['Cluster']"]
    assert "<strong>Workers:</strong> 2" in shared.run("print(cluster._repr_html_())")
    assert "workers=2, threads=2, memory=1.00 GiB" in shared.run("print(cluster)")


def test_to_zero_and_back(kernel: Kernel, draco: Draco) -> None:
    kernel.run("cluster.scale(0)")
    wait_for(lambda: not draco.jobs(), "no job is left")
    wait_for(
        lambda: kernel.run("print(len(cluster.scheduler_info['workers']))") == "0\n",
        "no worker is left",
    )
    assert "workers=0, threads=0" in kernel.run("print(cluster)")
    kernel.run("future = client.submit(pow, 2, 5)\ncluster.scale(2)")
    assert kernel.run("print(future.result(timeout=60))") == "32\n"
    # Adaptive, then by hand again.
    kernel.run("cluster.adapt(minimum=4, maximum=6)\ncluster.wait_for_workers(4, timeout=60)")
    assert "Adaptive" in kernel.run("print(cluster._scaling_status())")
    kernel.run("cluster.scale(2)")
    assert "Manual" in kernel.run("print(cluster._scaling_status())")
    wait_for(lambda: len(draco.jobs()) == 1, "one job is left")


def test_arguments_as_other_clusters_take_them(shared: Kernel) -> None:
    shared.run("import math\nfrom distributed import Adaptive")
    for code in (
        "cluster.wait_for_workers(2, timeout='60 s')",
        "client.wait_for_workers(2, timeout='60 s')",
        "cluster.adapt(Adaptive, minimum=2, maximum=4.0, interval='1s')",
        "cluster.adapt(Adaptive=Adaptive, minimum=2, wait_count=3).stop()",
    ):
        shared.run(code)
    for code, text in (
        ("cluster.adapt(maximum=math.inf)", "SettingError: adapt: maximum inf is not a whole"),
        ("cluster.adapt(minimum_jobs='two')", "SettingError: adapt: minimum_jobs 'two' is not"),
        ("cluster.adapt(maximun=4)", "TypeError: adapt() got an unexpected keyword argument"),
        ("cluster.scale(2.5)", "SettingError: scale: workers 2.5 is not a whole number"),
        ("Cluster(idle_hold=math.nan)", "SettingError: "),
        ("import pickle; pickle.dumps(cluster)", "TypeError: a draco.Cluster cannot be"),
        ("import copy; copy.copy(cluster)", "TypeError: a draco.Cluster cannot be"),
    ):
        assert text in shared.fail(code).splitlines()[-1], code
    # The connection to dracod has borne it all.
    assert shared.run("print(cluster.status.name, client.submit(pow, 2, 5).result())") == (
        "running 32\n"
    )


def test_workers_that_take_no_tasks_are_not_waited_for_in_vain(shared: Kernel) -> None:
    """As a Client counts them."""
    shared.run(
        "def become(status, dask_scheduler):\n"
        "    worker = next(iter(dask_scheduler.workers))\n"
        "    dask_scheduler.handle_worker_status_change(status, worker, stimulus_id='test')\n"
        "client.run_on_scheduler(become, 'paused')"
    )
    assert "Only 1/2 workers" in shared.fail("cluster.wait_for_workers(2, timeout=1)")
    shared.run("client.run_on_scheduler(become, 'running')")


def test_restart(kernel: Kernel, draco: Draco) -> None:
    # dracod tells of workers that come and go: nobody looks only now and then.
    kernel.run("import draco._watch\ndraco._watch.REFRESH = 3600\nimport time; time.sleep(6)")
    known = "print(*cluster.scheduler_info['workers'])"
    before = set(kernel.run(known).split())
    kernel.run("client.restart(timeout=60)")
    assert kernel.run("print(client.submit(pow, 2, 5).result(timeout=60))") == "32\n"
    wait_for(
        lambda: len(set(kernel.run(known).split()) - before) == 2, "it knows the new workers"
    )
    assert len(draco.all_jobs()) == 1


def test_a_failure_of_the_network_passes(kernel: Kernel) -> None:
    """The workers are still kept up to date after it."""
    kernel.run(
        "comm, cluster.scheduler_comm = cluster.scheduler_comm, None\n"
        "class Broken:\n    failures = 0\n    async def identity(self):\n"
        "        Broken.failures += 1\n        raise OSError('the network is down')\n"
        "cluster.scheduler_comm = Broken()\ncluster.scale(4)"
    )
    wait_for(lambda: int(kernel.run("print(Broken.failures)")) > 0, "it has failed")
    kernel.run("cluster.scheduler_comm = comm")
    wait_for(
        lambda: kernel.run("print(len(cluster.scheduler_info['workers']))") == "4\n",
        "the new workers are seen",
    )


def test_after_the_end(kernel: Kernel, draco: Draco) -> None:
    kernel.run("cluster.close()")
    wait_for(lambda: kernel.run("print(client.status)") == "closed\n", "the client closes")
    assert draco.cluster_state() == "stopped"
    # It can still be looked at, but not used.
    assert draco.name in kernel.run("print(cluster, cluster._repr_html_(), cluster.jobs)")
    for code, text in (
        ("Client(cluster)", "RuntimeError"),
        ("client.submit(sum, [1])", "losed"),
        ("cluster.scale(2)", "ClusterNotRunning"),
        ("cluster.adapt()", "ClusterNotRunning"),
        ("cluster.get_logs()", "ClusterNotRunning"),
        ("cluster.wait_for_workers(5, timeout=5)", "ClusterNotRunning"),
    ):
        assert text in kernel.fail(code), code


def test_again_and_again(draco: Draco) -> None:
    """Nothing piles up in the process."""
    with Kernel(draco) as kernel:
        kernel.run(
            "import threading, warnings\nwarnings.simplefilter('error', ResourceWarning)"
        )
        kernel.run(START + "client.close(); cluster.close()")
        before = int(kernel.run("print(threading.active_count())"))
        kernel.run(
            "for _ in range(2):\n"
            f"    with Cluster({SMALL}, quiet=True) as cluster, Client(cluster) as client:\n"
            "        assert client.submit(pow, 2, 5).result() == 32"
        )
        wait_for(
            lambda: int(kernel.run("print(threading.active_count())")) <= before,
            "no thread is left",
        )


def test_asynchronous_leaves_no_task(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        out = kernel.run(
            f"""
import asyncio
from distributed import Client
from draco import Cluster

async def use():
    before = asyncio.all_tasks()
    async with Cluster({SMALL}, asynchronous=True, quiet=True) as cluster:
        assert cluster.asynchronous and await cluster is cluster
        async with Client(cluster, asynchronous=True) as client:
            print(await client.submit(pow, 2, 5))
    for _ in range(300):  # they have been told to end
        if asyncio.all_tasks() <= before:
            break
        await asyncio.sleep(0.1)
    print(asyncio.all_tasks() - before)
    try:
        await Client(cluster, asynchronous=True)
    except RuntimeError as error:
        print(error)

asyncio.run(use())
"""
        )
    result, tasks, error = out.splitlines()
    assert result == "32" and tasks == "set()"
    assert "closed" in error
