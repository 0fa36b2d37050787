"""draco.Cluster does what each of distributed's own clusters does."""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from harness import PYTHON, SOURCE, Draco, wait_for
from kernels import SMALL, Kernel, environment


def test_the_call_of_the_predecessor(draco: Draco) -> None:
    config = draco.home / ".config/draco/draco.yaml"
    config.parent.mkdir(parents=True)
    config.write_text("processes: 2\ncores: 2\nmemory: 1 GiB\nwalltime: 00:50:00\n")
    with Kernel(draco) as kernel:
        out = kernel.run(
            "from draco import start_slurm_cluster\n"
            "client, cluster = start_slurm_cluster()\n"
            "print(client.submit(sum, [1, 2]).result())"
        )
        assert "job" in out and "is ready for computation" in out
        assert out.splitlines()[-1] == "3"
        again = kernel.run("client2, cluster2 = start_slurm_cluster()")
        assert "pending" not in again and "is ready for computation" in again
        assert len(draco.all_jobs()) == 1
        kernel.run("client2.close(); cluster2.close()")
        assert draco.cluster_state() == "running"
        kernel.run("client.close(); cluster.close()")
    assert draco.cluster_state() == "stopped"


@pytest.mark.any_dask
def test_its_nine_parameters(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        signature = kernel.run(
            "import inspect, draco\n"
            "parameters = inspect.signature(draco.start_slurm_cluster).parameters.values()\n"
            "print([(p.name, p.default) for p in parameters][:9])"
        )
        assert signature.strip() == str(
            [
                ("processes", 20),
                ("cores", 40),
                ("memory", "80 GiB"),
                ("walltime", "01:30:00"),
                ("wait_timeout", 300),
                ("adaptive_scale_factor", 2),
                ("use_scratch_dir", True),
                ("reservation", None),
                ("queues_to_try", None),
            ]
        )
        kernel.run(
            "client, cluster = draco.start_slurm_cluster(2, 2, '1 GiB', '00:50:00', 60, 3, False,\n"
            "    None, ['standard'], quiet=True, minimum=2, environment={'COLOUR': 'red'})"
        )
        settings = draco.status()["settings"]
        assert settings["adaptive_scale_factor"] == 3 and settings["wait_timeout"] == 60
        assert settings["use_scratch_dir"] is False
        assert settings["queues_to_try"] == ["standard"]
        assert draco.jobs()[0]["partition"] == "standard"
        seen = kernel.run("import os; print(client.submit(os.getenv, 'COLOUR').result())")
        assert seen == "red\n"
        assert "minimum_walltime" in kernel.fail(
            "draco.start_slurm_cluster(walltime='00:30:00')"
        )
        kernel.run("client.close(); cluster.close()")


def test_context_managers(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        out = kernel.run(
            f"""
from draco import Cluster
with Cluster({SMALL}, maximum=4, quiet=True) as cluster, cluster.get_client() as client:
    assert cluster.get_client() is client
    cluster.wait_for_workers(2, timeout=60)
    print(client.submit(pow, 2, 5).result(), cluster.status.name, cluster.name)
    print(repr(cluster))
print(cluster.status.name)
cluster.close()
cluster.close()
"""
        )
    values, text, end = out.splitlines()
    assert values == f"32 running {draco.name}" and end == "closed"
    assert text.startswith(f"Cluster({draco.name}, 'tls://") and "threads=2" in text
    assert draco.cluster_state() == "stopped" and not draco.jobs()


def test_asynchronous(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        out = kernel.run(
            f"""
import asyncio
from distributed import Client
from draco import Cluster

async def use():
    async with Cluster({SMALL}, asynchronous=True, quiet=True) as cluster:
        async with Client(cluster, asynchronous=True) as client:
            print(await client.submit(pow, 2, 5))
        await cluster.scale(jobs=2)
        await cluster.wait_for_workers(4, timeout=120)
        print(len(cluster.scheduler_info["workers"]))
        print(await cluster.adapt(minimum=0, maximum=6))
        print(sorted(await cluster.get_logs())[:2])
        assert cluster._repr_html_() and cluster.jobs
        assert (await cluster.report())["cluster"]["state"] == "running"
    print(cluster.status.name)
    cluster = await Cluster({SMALL}, asynchronous=True, quiet=True)
    await asyncio.gather(cluster.close(), cluster.close())
    await cluster.close()

asyncio.run(use())
"""
        )
    assert out.splitlines() == [
        "32",
        "4",
        "Adaptive(minimum=0, maximum=6)",
        "['Cluster', 'Scheduler']",
        "closed",
    ]
    assert draco.cluster_state() == "stopped"


def test_close_while_it_starts(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        out = kernel.run(
            f"""
import asyncio
from draco import Cluster

async def use(after):
    cluster = Cluster({SMALL}, asynchronous=True, quiet=True)
    async def wait():
        await cluster
    task = asyncio.ensure_future(wait())
    await asyncio.sleep(after)
    await cluster.close()
    await asyncio.wait([task])
    print(cluster.status.name)

for after in (0, 0.02, 0.5):
    asyncio.run(use(after))
"""
        )
    assert out.split() == ["closed"] * 3
    wait_for(lambda: draco.cluster_state() in ("stopped", "none"), "the cluster stops")
    wait_for(lambda: not draco.jobs(), "no job is left")


def test_scale_and_adapt(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        kernel.run(
            f"from draco import Cluster\ncluster = Cluster({SMALL}, maximum=6, quiet=True)"
        )
        for arguments, jobs in (
            ("4", 2),
            ("jobs=1", 1),
            ("cores=3", 2),
            ("memory='3 GiB'", 3),
            ("0", 0),
            ("n=2", 1),
        ):
            kernel.run(f"cluster.scale({arguments})")
            wait_for(lambda jobs=jobs: len(draco.jobs()) == jobs, f"{arguments}: {jobs} jobs")
        kernel.run("cluster.wait_for_workers(2, timeout=60)")
        assert "Scaling mode: Manual" in kernel.run("print(cluster._scaling_status())")
        kernel.run("bounds = cluster.adapt(minimum_jobs=2, maximum_jobs=3)")
        assert kernel.run("print(bounds.minimum, bounds.maximum)") == "4 6\n"
        assert "Adaptive, 4 to 6 workers" in kernel.run("print(cluster._scaling_status())")
        wait_for(lambda: len(draco.jobs()) == 2, "2 jobs")
        assert "TimeoutError" in kernel.fail("cluster.wait_for_workers(50, timeout=0.2)")
        assert "SettingError" in kernel.fail("cluster.scale(jobs=40)")
        assert "give one of" in kernel.fail("cluster.scale(4, jobs=2)")
        kernel.run("cluster.close()")


def test_html_and_logs(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        kernel.run(
            "from draco import Cluster\n"
            f"cluster = Cluster({SMALL}, quiet=True)\ncluster.wait_for_workers(2, timeout=60)"
        )
        job = draco.jobs()[0]["id"]
        wait_for(
            lambda: ">2/2</td>" in kernel.run("print(cluster._repr_html_())"),
            "dracod knows both workers",
        )
        html = kernel.run("print(cluster._repr_html_())")
        assert "<strong>Workers:</strong> 2" in html
        for cell in (job, "ready", "short", "2/2"):
            assert f">{cell}</td>" in html
        assert " left</td>" in html
        logs = json.loads(
            kernel.run("import json; print(json.dumps(cluster.get_logs(workers=False)))")
        )
        assert set(logs) == {"Cluster", "Scheduler"}
        assert "-> running" in logs["Cluster"]
        assert kernel.run("print(len(cluster.get_logs(cluster=False)))") == "3\n"
        script = kernel.run("print(cluster.job_script())")
        assert script.startswith("#!") and "--nworkers 2" in script
        link = kernel.run("print(cluster.dashboard_link)").strip()
        assert link == (draco.status()["dashboard"]["url"] or "")
        kernel.run("cluster.close()")


@pytest.mark.any_dask
def test_below_a_hub_the_dashboard_is_behind_its_proxy() -> None:
    code = "from draco._join import proxied_link; print(proxied_link(8787))"
    for variables, link in (
        ({"JUPYTERHUB_SERVICE_PREFIX": "/user/ann/"}, "/user/ann/proxy/8787/status"),
        ({}, "None"),
    ):
        out = subprocess.run(
            [PYTHON, "-c", code],
            env={**os.environ, **variables, "PYTHONPATH": str(SOURCE / "client/python")},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert out.strip() == link


def test_a_script_that_does_not_close_leaves_nothing(draco: Draco) -> None:
    script = f"from draco import Cluster\ncluster = Cluster({SMALL})\nprint(cluster)"
    subprocess.run(
        [PYTHON, "-c", script], env=environment(draco), cwd=draco.home, check=True, timeout=120
    )
    assert draco.cluster_state() == "stopped" and not draco.jobs()


@pytest.mark.any_dask
def test_import_loads_no_distributed(draco: Draco) -> None:
    with Kernel(draco) as kernel:
        assert kernel.run("import sys, draco; print('distributed' in sys.modules)") == "False\n"


@pytest.mark.any_dask
def test_every_setting_has_a_type(draco: Draco) -> None:
    settings = json.loads(draco.run("--json", "config", "show").stdout)["settings"]
    with Kernel(draco) as kernel:
        known = kernel.run(
            "from draco._settings import Settings; print(*Settings.__annotations__)"
        )
    assert sorted(known.split()) == sorted(settings)


@pytest.mark.any_dask
def test_version_is_that_of_the_programs(draco: Draco) -> None:
    version = json.loads(draco.run("--json", "version").stdout)["dracoctl"]
    with Kernel(draco) as kernel:
        assert kernel.run("import draco; print(draco.__version__)").strip() == version
    pyproject = (SOURCE / "client/python/pyproject.toml").read_text()
    assert f'version = "{version}"' in pyproject
