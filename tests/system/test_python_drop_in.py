"""What programs written for other clusters of Dask expect of draco.Cluster, row by row."""

from __future__ import annotations

import pytest
from harness import Draco, Sandbox, wait_for
from kernels import SMALL, Kernel

START = (
    "import asyncio, copy, dask, distributed, math, pickle\nfrom distributed import Client\n"
    "from draco import Cluster, _size, list_clusters\n"
    "EIGHT_GB = {'per_job': {'memory_mib': 7630, 'workers': 1}}\n"
    f"cluster = Cluster({SMALL}, maximum=6, quiet=True)\n"
    "client = cluster.get_client()\ncluster.wait_for_workers(2, timeout=60)\n"
)


@pytest.fixture(scope="module")
def kernel(shared_sandbox) -> Kernel:
    """A process with a cluster of two workers, which the tests leave as it was."""
    with Draco(shared_sandbox) as draco, Kernel(draco) as kernel:
        kernel.run(START)
        yield kernel
        kernel.run("client.close(); cluster.shutdown()")


#: What stands on the left is true.
TRUE = [
    "cluster.scheduler.address == cluster.scheduler_address",
    "cluster.observed == set(w['name'] for w in cluster.scheduler_info['workers'].values())",
    "len(cluster.observed) == 2",
    "cluster.requested == cluster.plan == cluster.observed == set(cluster.workers)",
    "[job['id'] for job in cluster.workers.values()] == 2 * [cluster.jobs[0]['id']]",
    "cluster.name in repr(cluster) and 'workers=2' in repr(cluster)",
    "cluster.get_client() is client and client.cluster is cluster",
    "cluster.status.name == 'running' and cluster.asynchronous is False",
    "cluster.job_script().startswith('#!')",
    "set(cluster.get_logs(workers=False)) == {'Cluster', 'Scheduler'}",
    "cluster._cluster_info['name'] == cluster.name",
    "isinstance(cluster, distributed.deploy.Cluster)",
    "cluster.scheduler_address.startswith('tls://')",
    "cluster.scheduler_info['address'] == cluster.scheduler_address",
    "cluster.scheduler_info['type'] == 'Scheduler'",
    "cluster.scheduler_info['id'] == client.scheduler_info()['id']",
    "cluster.scheduler_info['workers'].keys() == client.scheduler_info()['workers'].keys()",
    "cluster.scheduler_comm.address == cluster.scheduler_address",
    "set(client.nthreads()) == set(cluster.scheduler_info['workers'])",
    "[w['nthreads'] for w in cluster.scheduler_info['workers'].values()] == [1, 1]",
    "{w['memory_limit'] for w in cluster.scheduler_info['workers'].values()} == {2**29}",
    "client.submit(pow, 2, 5).result() == 32",
    "client.gather(client.map(abs, [-1, -2])) == [1, 2]",
    "client.gather(client.scatter([1, 2])) == [1, 2]",
    "dask.delayed(sum)([1, 2]).compute() == 3",
    "client.submit(pow, 2, 5, workers=list(client.nthreads())[0]).result() == 32",
    "client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.workers)) == 2",
    "set(client.run(lambda: 1).values()) == {1}",
    "client.get_versions(check=True)['scheduler'] is not None",
    "client.wait_for_workers(2) is None and cluster.wait_for_workers(1) is None",
    "distributed.get_client() is client is distributed.default_client()",
    "client.dashboard_link == cluster.dashboard_link",
    "Client(cluster, set_as_default=False).close() is None and cluster.status.name == 'running'",
    "not Client(cluster.scheduler_address, security=cluster.security, set_as_default=0).close()",
    "cluster.security.require_encryption is True",
    "cluster.sync(asyncio.sleep, 0, 7) == 7",
    "cluster.loop.asyncio_loop.is_running()",
    "cluster.quiet is True and cluster.shutdown_on_close == 'auto'",
    "cluster._supports_scaling and asyncio.iscoroutinefunction(cluster._close)",
    "str(cluster) == repr(cluster) and cluster == cluster and hash(cluster) is not None",
    "'Workers' in cluster._repr_html_() and cluster.name in cluster._repr_html_()",
    "'Cluster' in client._repr_html_()",
    "set(cluster.get_logs(cluster=False, scheduler=False)) == set(client.nthreads())",
    "set(cluster.get_logs(cluster=False, workers=False)) == {'Scheduler'}",
    "set(cluster.get_logs(scheduler=False, workers=False)) == {'Cluster'}",
    "len(cluster.get_logs(False, False, workers=list(client.nthreads())[:1])) == 1",
    "'#SBATCH' in cluster.job_script() and '--nworkers 2' in cluster.job_script()",
    "len(cluster.jobs) == len(cluster.attached) == 1",
    "cluster.report()['cluster']['state'] == 'running'",
    "cluster.name in [info.name for info in list_clusters()]",
    # A job of 8 GB is one of 7630 MiB, and two of them are more than 16 GB.
    "_size.bounds_wished(EIGHT_GB, _size.bounds_given({'maximum_memory': '16 GB'}))"
    " == {'maximum': 2}",
    "_size.bounds_wished(EIGHT_GB, _size.bounds_given({'maximum_memory': '15 GB'}))"
    " == {'maximum': 1}",
]


@pytest.mark.parametrize("expression", TRUE)
def test_it_is_so(kernel: Kernel, expression: str) -> None:
    assert kernel.run(f"print(bool({expression}))") == "True\n"


#: A call, and what it is to print.
CALLS = [
    ("cluster.adapt(minimum=2, maximum=4)", "Adaptive(minimum=2, maximum=4)"),
    ("cluster.adapt(minimum_jobs=1, maximum_jobs=3)", "Adaptive(minimum=2, maximum=6)"),
    ("cluster.adapt(minimum_cores=1, maximum_cores=5)", "Adaptive(minimum=2, maximum=4)"),
    (
        "cluster.adapt(minimum_memory='1 GiB', maximum_memory='3.9 GiB')",
        "Adaptive(minimum=2, maximum=6)",
    ),
    (
        "cluster.adapt(minimum_memory=2**30, maximum_memory=2**31)",
        "Adaptive(minimum=2, maximum=4)",
    ),
    ("cluster.adapt(interval='1s', wait_count=2, minimum=2, maximum=6)", "maximum=6)"),
    ("cluster.scale(2)", "None"),
    ("cluster.scale(cores=2)", "None"),
    ("cluster.scale(memory=2**30)", "None"),
    ("cluster.scale(n=2)", "None"),
    ("cluster.scale(jobs=1)", "None"),
    ("cluster.adapt()", "Adaptive(minimum=2, maximum=6)"),
    ("cluster.adapt(minimum=1, maximum=6)", "Adaptive(minimum=2, maximum=6)"),
    ("cluster.adapt(distributed.Adaptive, minimum=2, maximum=6)", "maximum=6)"),
    ("cluster.adapt(minimum=2)", "Adaptive(minimum=2, maximum=6)"),
]


@pytest.mark.parametrize(("call", "printed"), CALLS)
def test_it_is_called_so(kernel: Kernel, call: str, printed: str) -> None:
    assert printed in kernel.run(f"print({call})")


#: A call that cannot be, and the words that help.
REFUSED = [
    ("cluster.adapt(maximum=math.inf)", "maximum=40"),
    ("cluster.adapt(maximum_cores=math.inf)", "not a whole number"),
    ("pickle.dumps(cluster)", "scheduler_address"),
    ("copy.deepcopy(cluster)", "cannot be copied"),
    ("cluster.wait_for_workers(0)", "positive integer"),
    ("cluster.wait_for_workers(9, timeout=0.3)", "Only 2/9 workers arrived after 0.3 s"),
    ("cluster.scale()", "give one of n, jobs, cores and memory"),
    ("cluster.scale(2, jobs=1)", "give one of n, jobs, cores and memory"),
    ("cluster.scale(-1)", "at least 0"),
    ("cluster.scale(memory='lots')", "scale: memory 'lots' is not an amount of memory"),
    ("cluster.adapt(maximum_memory='lots')", "adapt: maximum_memory 'lots' is not an amount"),
    ("cluster.adapt(maximum_memory=math.inf)", "maximum=40"),
    ("cluster.adapt(minimum=5, maximum=2)", "minimum 5 is more than maximum 2"),
    ("cluster.adapt(minimum='two')", "not a whole number"),
    ("cluster.scheduler.close()", "run_on_scheduler"),
    ("Cluster(nosuch=1)", "there is no setting"),
    ("Cluster(cores='many')", "not a whole number"),
    ("Cluster(walltime='soon')", "hours:minutes:seconds"),
    ("Cluster(scheduler_kwargs={})", 'use "scheduler_options"'),
    ("cluster.adapt(maximun=3)", "unexpected keyword argument 'maximun'"),
    ("cluster.scheduler.workers", "scheduler_info"),
    ("cluster.scheduler.transition", "run_on_scheduler"),
    ("Cluster(memory=80)", '"80 GiB" or "80 MiB"'),
    ("Cluster(n_workers=4)", 'use "minimum"'),
    ("Cluster(job_extra_directives=['--x'])", 'use "directives"'),
    ("Cluster(job_extra=['--x'])", 'use "directives"'),
    ("Cluster(local_directory='/tmp')", 'use "scratch_directory"'),
    ("Cluster(queue='short')", 'use "queues_to_try"'),
    ("Cluster(project='physics')", 'use "account"'),
    ("Cluster(header_skip=['--mem'])", "not needed"),
    ("Cluster(job_cpu=4)", 'use "cores"'),
    ("Cluster(job_mem='4GB')", 'use "memory"'),
    ("Cluster(job_script_prologue=['module load x'])", 'use "prologue"'),
    ("Cluster(env_extra=['module load x'])", 'use "prologue"'),
    ("Cluster(worker_extra_args=['--x'])", 'use "worker_options"'),
    ("Cluster(death_timeout=60)", 'use "worker_timeout"'),
    ("Cluster(host='login1')", 'use "interface"'),
    ("Cluster(threads_per_worker=2)", 'use "threads"'),
    ("Cluster(memory_limit='2GB')", 'use "memory"'),
    ("Cluster(protocol='tcp')", 'use "security"'),
    ("Cluster(worker_class='package.MyWorker')", 'use "worker_options"'),
    ("Cluster(worker_command='dask_cuda.cli')", "gives each worker GPUs of its own"),
    ("Cluster(partition='short')", 'use "queues_to_try"'),
]


@pytest.mark.parametrize(("call", "words"), REFUSED)
def test_it_is_refused_with_the_word_that_helps(kernel: Kernel, call: str, words: str) -> None:
    assert words in kernel.fail(call).rstrip().splitlines()[-1]
    assert kernel.run("print(cluster.status.name)") == "running\n"


@pytest.mark.any_dask
def test_the_plan_names_workers_that_have_not_come(
    draco_alone: Draco, own_sandbox: Sandbox
) -> None:
    with own_sandbox.full(), Kernel(draco_alone) as kernel:
        out = kernel.run(
            f"""
import asyncio
from draco import Cluster

async def use():
    cluster = Cluster({SMALL}, maximum=6, asynchronous=True, quiet=True)
    start = asyncio.ensure_future(cluster._life.begin())
    known = False  # to Slurm
    while not known:
        await asyncio.sleep(0.1)
        if cluster._link.is_open:
            jobs = (await cluster._link.call("status"))["jobs"]
            known = any(job["phase"] == "pending" for job in jobs)
    cluster._link.set_report(await cluster._link.call("status"))
    print(len(cluster.plan), len(cluster.requested), len(cluster.observed))
    print(cluster.plan >= cluster.requested)
    start.cancel()
    await cluster.close()

asyncio.run(use())
"""
        )
    assert out == "2 2 0\nTrue\n"


def test_no_worker_before_there_is_work(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        out = kernel.run(
            "from draco import start_slurm_cluster\n"
            f"client, cluster = start_slurm_cluster({SMALL}, maximum=4, minimum=0)\n"
            "print(len(cluster.jobs), cluster.plan, cluster.requested, cluster.observed)\n"
        )
        assert "ready for computation: workers come with the work" in out
        assert out.endswith("0 set() set() set()\n")
        assert kernel.run("print(client.submit(pow, 2, 3).result())") == "8\n"
        kernel.run("client.close(); cluster.shutdown()")


def test_the_minimum_again_when_somebody_waits(draco: Draco) -> None:
    """After idle_timeout there is no worker, and none of these calls has a task."""
    with Kernel(draco) as kernel:
        kernel.run(
            "from draco import Cluster\n"
            f"cluster = Cluster({SMALL}, maximum=4, idle_timeout=4, idle_hold=1, quiet=True)\n"
            "client = cluster.get_client()\n"
        )
        calls = {
            "cluster.wait_for_workers(1, timeout=60)": "None",
            "client.wait_for_workers(3, timeout=60)": "None",
            "client.gather(client.scatter([7, 8]))": "[7, 8]",
            "set(client.run(abs, -3).values())": "{3}",
            "Cluster(quiet=True).wait_for_workers(2, timeout=60)": "None",
        }
        for call, result in calls.items():
            wait_for(lambda: not draco.jobs(), "the last job to be given back")
            assert kernel.run(f"print({call})") == f"{result}\n"
        kernel.run("client.close(); cluster.shutdown()")


def test_asynchronous_calls_need_not_be_awaited(draco: Draco) -> None:
    """distributed's own scale() and adapt() are no coroutines."""
    with Kernel(draco) as kernel:
        out = kernel.run(
            f"""
import asyncio
from draco import Cluster

async def use():
    async with Cluster({SMALL}, maximum=6, asynchronous=True, quiet=True) as cluster:
        cluster.scale(4)
        await cluster.wait_for_workers(4, timeout=120)
        cluster.adapt(minimum=2, maximum=4)
        while (await cluster.report())["size"]["mode"] != "adaptive":
            await asyncio.sleep(0.1)
        print(len(cluster.scheduler_info["workers"]), await cluster.scale(jobs=1))

asyncio.run(use())
"""
        )
    assert out == "4 None\n"


def test_the_scheduler_is_told_of_the_cluster(kernel: Kernel) -> None:
    """What changes there, too: other programs keep what they know of a cluster in it."""
    kernel.run("cluster._cluster_info['creator'] = 'a test'")
    info = "print(client.get_metadata(['cluster-manager-info']).get('creator'))"
    wait_for(lambda: kernel.run(info) == "a test\n", "the scheduler knows it")
    # An object that joins takes it over.
    kernel.run("other = Cluster.from_name(cluster.name, quiet=True)")
    wait_for(
        lambda: kernel.run("print(other._cluster_info.get('creator'))") == "a test\n",
        "the other object knows it",
    )
    kernel.run("other.close()")


def test_without_encryption(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        kernel.run(
            "import warnings; warnings.simplefilter('ignore')\nfrom draco import Cluster"
        )
        for value in ("'none'", "False"):
            out = kernel.run(
                f"with Cluster({SMALL}, quiet=True, security={value}) as cluster:\n"
                "    with cluster.get_client() as client:\n"
                "        print(client.submit(pow, 2, 5).result(), cluster.scheduler_address[:6])"
            )
            assert out == "32 tcp://\n"


@pytest.mark.any_dask
def test_settings_as_dask_jobqueue_has_them(draco: Draco) -> None:
    """Cores without processes, memory in bytes, and security as a truth value."""
    with Kernel(draco) as kernel:
        kernel.run(
            "from draco import Cluster\n"
            "small = dict(use_scratch_dir=False, quiet=True)\n"
            "cluster = Cluster(cores=1, memory='1GB', security=True, **small)"
        )
        settings = draco.status()["settings"]
        assert (settings["processes"], settings["cores"]) == (1, 1)
        kernel.run("cluster.shutdown()")
        kernel.run("cluster = Cluster(cores=4, memory=4 * 2**30, **small)")
        settings = draco.status()["settings"]
        assert (settings["processes"], settings["memory"]) == (2, "4 GiB")
        kernel.run("cluster.shutdown()")
        # Who has set the processes is taken at the word.
        config = draco.home / ".config/draco/draco.yaml"
        config.parent.mkdir(parents=True)
        config.write_text("processes: 4\n")
        error = kernel.fail("Cluster(cores=2, memory='4GB', quiet=True)")
        assert "processes 4" in error and "more than cores 2" in error


def test_what_a_closed_object_says(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        kernel.run(START + "client.close(); cluster.close()")
        text = kernel.run("print(cluster)").strip()
        assert text.endswith(", closed)") and "workers=0" in text
        out = kernel.run(
            "print(cluster.jobs, cluster.workers)\n"
            "print(cluster.plan, cluster.requested, cluster.observed)"
        )
        assert out == "[] {}\nset() set() set()\n"
        html = kernel.run("print(cluster._repr_html_())")
        assert "<strong>Closed</strong>: this object was closed" in html
        assert "<strong>Workers:</strong> 0" in html
        kernel.run(START.replace("import asyncio, math\n", ""))
        draco.run("stop")
        wait_for(lambda: "closed)" in kernel.run("print(cluster)"), "it is noticed")
        assert f"<strong>Closed</strong>: the cluster &quot;{draco.name}&quot; was stopped" in (
            kernel.run("print(cluster._repr_html_())")
        )


#: A start cell, as a notebook has it.
CELL = (
    f"from draco import Cluster\ncluster = Cluster({SMALL}, quiet=True)\n"
    "client = cluster.get_client()"
)


def test_a_start_cell_that_is_run_twice(draco: Draco) -> None:
    """Closing what it made ends the cluster that it began."""
    with Kernel(draco) as kernel:
        kernel.run(CELL)
        kernel.run(CELL)
        assert len(draco.status()["attached"]) == 2
        kernel.run("client.close(); cluster.close()")
        assert draco.cluster_state() == "stopped"


def test_an_object_that_is_still_there_is_not_replaced(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        kernel.run(CELL)
        kernel.run("first = cluster")
        kernel.run(CELL)
        kernel.run("client.close(); cluster.close()")
        assert draco.cluster_state() == "running"
        kernel.run("def use():\n    with Cluster(quiet=True): pass\nuse()")
        assert draco.cluster_state() == "running"
        kernel.run("first.close()")
        assert draco.cluster_state() == "stopped"
