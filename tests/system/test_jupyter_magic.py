"""``%draco`` in a real kernel and in IPython at a terminal, and the panel of a start."""

from __future__ import annotations

import subprocess

import pytest
from harness import PYTHON, Draco, wait_for
from kernels import JupyterKernel, environment
from standins import client

pytest.importorskip("ipykernel", reason="ipykernel is not installed")
pytest.importorskip("jupyter_client", reason="jupyter_client is not installed")

START = '%draco start --processes 2 --cores=2 --memory "1 GiB" --walltime 00:50:00 --maximum 4'


def test_a_cluster_by_magic(draco: Draco) -> None:
    with JupyterKernel(draco, "/n/one.ipynb") as kernel:
        assert kernel.run("%load_ext draco")[2] is None
        out, shown, _error = kernel.run("%draco")
        assert "no cluster" in shown["text/plain"] and "no cluster" in shown["text/html"]

        kernel.shown.clear()
        out, shown, error = kernel.run(START)
        assert error is None and "is ready for computation" in out
        panels = [data["text/html"] for data in kernel.shown]
        assert any(" of 1<div" in panel for panel in panels)  # workers
        assert any("runs on" in panel or "is submitted" in panel for panel in panels)
        assert "ready after" in panels[-1] and "first worker" in panels[-1]
        assert " s  " not in out  # no lines besides

        assert kernel.run("client.submit(pow, 2, 5).result()")[1]["text/plain"] == "32"
        assert "connected to the cluster" in kernel.run("%draco start")[0]
        out, shown, error = kernel.run("%draco status")
        assert "<strong>State:</strong> running" in shown["text/html"]
        assert draco.jobs()[0]["id"] in shown["text/html"]
        assert shown["text/plain"].startswith(f"cluster    {draco.name}: running")
        assert "2 jobs" in kernel.run("%draco scale 4")[0]
        wait_for(lambda: len(draco.jobs()) == 2, "2 jobs")
        assert "-> running" in kernel.run("%draco events")[0]

        with JupyterKernel(draco, "/n/two.ipynb") as other:
            other.run(f"%load_ext draco\n{START}")
            kernel.run("%draco stop")
            assert "in use by /n/two.ipynb" in kernel.errors
            assert draco.cluster_state() == "running"
        wait_for(lambda: len(draco.status()["attached"]) == 1, "the other one has gone")
        with client(draco, ""):
            kernel.run("%draco stop")
            assert "in use by a Client() of another program: %draco stop" in kernel.errors
            assert draco.cluster_state() == "running"
        assert kernel.run("%draco stop")[2] is None
        assert draco.cluster_state() == "stopped"
        assert kernel.run(START)[2] is None  # the variables of before are no hindrance
        kernel.run("%draco stop --force")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("%draco start --bogus 3", 'there is no setting "bogus"'),
        ("%draco start 3", "'3' is no option, such as --processes 4"),
        ("%draco start --cores many", 'cores: "many" is not'),
        ("%draco stop now", "'now' is not --force"),
        ("%draco status --name", "--name needs a value"),
        ("%draco scale x", 'scale: "x" is not a whole number'),
        ("%draco dance", "dance"),
        ('%draco "', "No closing quotation"),
    ],
)
def test_wrong_usage_is_one_line(draco: Draco, line: str, message: str) -> None:
    out = in_ipython(draco, f"%load_ext draco\n{line}")
    (error,) = out.strip().splitlines()
    assert error.startswith("UsageError: ") and message in error
    draco.run("shutdown", check=False)


def in_ipython(draco: Draco, code: str) -> str:
    result = subprocess.run(
        [PYTHON, "-m", "IPython", "--colors=NoColor", "-c", code],
        env=environment(draco),
        cwd=draco.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
    )
    return result.stdout


def test_text_where_there_is_no_notebook(draco: Draco) -> None:
    draco.start()
    out = in_ipython(draco, "%load_ext draco\n%draco\n%draco scale 2")
    assert out.startswith(f"cluster    {draco.name}: running") and "2 workers asked" in out


def test_import_leaves_ipython_alone(draco: Draco) -> None:
    code = "import draco, sys; from draco import Cluster; print('IPython' in sys.modules)"
    out = subprocess.run(
        [PYTHON, "-c", code], env=environment(draco), check=True, stdout=subprocess.PIPE
    ).stdout
    assert out == b"False\n"
