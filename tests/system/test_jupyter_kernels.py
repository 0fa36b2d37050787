"""Real kernels of Jupyter: where ipykernel and jupyter_client are installed beside distributed."""

from __future__ import annotations

import signal
import time

import pytest
from harness import Draco, random_moments, wait_for
from kernels import SMALL, JupyterKernel

pytest.importorskip("ipykernel", reason="ipykernel is not installed")
pytest.importorskip(
    "ipywidgets", minversion="7.7", reason="ipywidgets 7.7, which distributed's panel needs"
)
pytest.importorskip("jupyter_client", reason="jupyter_client is not installed")

CALL = (
    "from draco import start_slurm_cluster\n"
    f"client, cluster = start_slurm_cluster({SMALL}, maximum=6)"
)


def test_three_notebooks(draco: Draco) -> None:
    names = ["/n/one.ipynb", "/n/two.ipynb", "/n/three.ipynb"]
    with (
        JupyterKernel(draco, names[0]) as one,
        JupyterKernel(draco, names[1]) as two,
        JupyterKernel(draco, names[2]) as three,
    ):
        for kernel in (one, two, three):
            out, _shown, error = kernel.run(CALL)
            assert error is None and "is ready for computation" in out
        assert [lease["notebook"] for lease in draco.status()["attached"]] == names
        out, shown, error = one.run("cluster")
        assert error is None and draco.jobs()[0]["id"] in shown["text/html"]
        two.manager.signal_kernel(signal.SIGKILL)
        wait_for(lambda: len(draco.status()["attached"]) == 2, "the lease ends")
        one.run("client.close(); cluster.close()")
        assert three.run("client.submit(pow, 2, 5).result()")[1]["text/plain"] == "32"
        three.run("cluster.shutdown()")
    assert draco.cluster_state() == "stopped"


def test_the_panel_scales_and_adapts(draco: Draco) -> None:
    pytest.importorskip("ipywidgets", reason="ipywidgets is not installed")
    with JupyterKernel(draco, "/n/one.ipynb") as kernel:
        kernel.run(CALL)
        out, _shown, error = kernel.run(
            "by_hand, adaptive = cluster._widget().children[1].children[1].children\n"
            "number, button = by_hand.children\nnumber.value = 4\nbutton.click()\n"
            "cluster.wait_for_workers(4, timeout=90)\nprint(cluster._scaling_status())"
        )
        assert error is None and "Scaling mode: Manual" in out
        assert len(draco.jobs()) == 2
        out, _shown, error = kernel.run(
            "low, high, button = adaptive.children\nlow.value, high.value = 2, 6\n"
            "button.click()\nprint(cluster._scaling_status())"
        )
        assert error is None and "Adaptive, 2 to 6 workers" in out
        kernel.run("client.close(); cluster.close()")


def test_interrupt_and_go_on(draco: Draco) -> None:
    with JupyterKernel(draco, "/n/one.ipynb") as kernel:
        kernel.run("import draco, distributed")
        with draco.sandbox.full():
            number = kernel.client.execute(CALL)
            wait_for(lambda: draco.cluster_state() == "starting", "it starts")
            kernel.manager.interrupt_kernel()
            assert kernel.finish(number)[2] == "KeyboardInterrupt"
            wait_for(lambda: draco.cluster_state() == "stopped", "it is given up")
            assert not draco.jobs()
        assert kernel.run(CALL)[2] is None
        kernel.run("client.close(); cluster.close()")
    assert draco.cluster_state() == "stopped"


def test_an_interrupt_at_any_moment(draco: Draco) -> None:
    """No job is left that nobody wants, and the next call works.

    test_python_interrupt.py does so at more moments, without a kernel of Jupyter.
    """
    moments = random_moments()
    with JupyterKernel(draco, "/n/one.ipynb") as kernel:
        for _ in range(2):  # the first one imports all
            begin = time.monotonic()
            assert kernel.run(CALL)[2] is None
            usual = time.monotonic() - begin
            kernel.run("client.close(); cluster.close()")
        interrupted = 0
        for _ in range(8):
            number = kernel.client.execute(CALL)
            time.sleep(moments.uniform(0, usual))
            kernel.manager.interrupt_kernel()
            _out, _shown, error = kernel.finish(number)
            assert error in (None, "KeyboardInterrupt")
            if error is None:  # it came too late, or before the cell began
                usual *= 0.8
                kernel.run("client.close(); cluster.close()")
                continue
            interrupted += 1
            wait_for(
                lambda: draco.cluster_state() in ("stopped", "none") and not draco.jobs(),
                "nothing is left",
            )
        assert interrupted > 2
        assert kernel.run(CALL)[2] is None
        assert kernel.run("client.submit(pow, 2, 5).result()")[1]["text/plain"] == "32"
        kernel.run("client.close(); cluster.close()")


@pytest.mark.parametrize(
    ("settings", "exception", "reason"),
    [
        ("queues_to_try=['nope']", "ClusterFailed", "nope"),
        ("walltime='00:10:00'", "SettingError", "walltime 00:10:00 is below"),
    ],
)
def test_a_failed_start_says_why_in_its_panel(
    draco: Draco, settings: str, exception: str, reason: str
) -> None:
    with JupyterKernel(draco, "/n/one.ipynb") as kernel:
        arguments = SMALL.replace(', walltime="00:50:00"', "") if "wall" in settings else SMALL
        _out, shown, error = kernel.run(
            "from draco import start_slurm_cluster\n"
            f"start_slurm_cluster({arguments}, {settings})"
        )
        assert error == exception
        panel = shown["text/html"]
        assert "not started, after" in panel and reason in panel.replace("&quot;", '"')
        # The traceback shows the cell, and one place where it was raised.
        assert kernel.traceback.count("File ") + kernel.traceback.count("Cell In") <= 3
