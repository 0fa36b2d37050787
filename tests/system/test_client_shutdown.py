"""``Client.shutdown()`` ends the cluster in good order, but not under others who use it."""

from __future__ import annotations

import json
import subprocess

import pytest
from harness import PYTHON, Draco, wait_for
from kernels import SMALL, Kernel, environment
from steps import events

START = (
    f"from draco import Cluster\ncluster = Cluster({SMALL}, quiet=True)\n"
    "client = cluster.get_client()"
)


def shut_down(draco: Draco) -> subprocess.CompletedProcess[str]:
    """A program that knows nothing of draco calls it."""
    variables = json.loads(draco.run("env", "--format", "json").stdout)
    return subprocess.run(
        [PYTHON, "-c", "from distributed import Client; Client(timeout=60).shutdown()"],
        env={**environment(draco), **variables},
        cwd=draco.home,
        capture_output=True,
        text=True,
        timeout=120,
    )


def failures(draco: Draco) -> int:
    return len(events(draco, kind="failure"))


def test_of_a_program_that_is_alone(draco: Draco) -> None:
    draco.start()
    before = failures(draco)
    result = shut_down(draco)
    assert result.returncode == 0, result.stderr
    wait_for(lambda: draco.cluster_state() == "stopped", "the cluster stops")
    assert not draco.jobs() and failures(draco) == before


def test_of_one_program_beside_another(draco: Draco) -> None:
    with Kernel(draco, JPY_SESSION_NAME="/n/student.ipynb") as kernel:
        kernel.run(START + "\nfuture = client.submit(pow, 2, 5)")
        before = failures(draco)
        result = shut_down(draco)
        assert result.returncode != 0
        assert (
            f'the cluster "{draco.name}" is in use: /n/student.ipynb (process ' in result.stderr
        )
        assert "stop ends it for all" in result.stderr
        assert kernel.run("print(future.result())") == "32\n"
        assert failures(draco) == before
        kernel.run("client.close(); cluster.close()")
    # Not attached, but connected.
    draco.start()
    with Kernel(draco, **json.loads(draco.run("env", "--format", "json").stdout)) as kernel:
        kernel.run("from distributed import Client\nclient = Client(timeout=60)")
        assert "another Client() is connected to it" in shut_down(draco).stderr
        assert kernel.run("print(client.submit(pow, 2, 5).result())") == "32\n"
        kernel.run("client.close()")


@pytest.mark.parametrize("join", ["Cluster(quiet=True)", "Cluster.from_name(quiet=True)"])
def test_of_a_client_that_a_cluster_made(draco: Draco, join: str) -> None:
    draco.start()
    with Kernel(draco) as one, Kernel(draco, JPY_SESSION_NAME="/n/two.ipynb") as two:
        for kernel in (one, two):
            kernel.run(
                f"from draco import Cluster\ncluster = {join}\nclient = cluster.get_client()"
            )
        one.run("kept = client.submit(pow, 2, 6)")
        before = failures(draco)
        error = one.fail("client.shutdown()").rstrip().splitlines()[-1]
        assert f'draco.errors.DracoError: the cluster "{draco.name}" is in use: ' in error
        assert "/n/two.ipynb (process " in error
        assert one.run("print(cluster.status.name, len(cluster.attached))") == "running 2\n"
        # The client works on, also in what it does only from time to time.
        assert one.run("print(client.status, kept.result())") == "running 64\n"
        assert one.run("print(client.submit(pow, 2, 7).result(timeout=60))") == "128\n"
        beats = "all(c.is_running() for c in client._periodic_callbacks.values())"
        assert one.run(f"print({beats}, cluster.get_client() is client)") == "True True\n"
        assert two.run("print(client.submit(pow, 2, 5).result())") == "32\n"
        two.run("client.close(); cluster.close()")
        one.run("cluster.get_client().shutdown()")
        assert draco.cluster_state() == "stopped"
        assert one.run("print(cluster.status.name)") == "closed\n"
    assert failures(draco) == before
