"""joblib's backend "dask" on a full queue. It is tried where this Python has joblib."""

from __future__ import annotations

import subprocess
import time

import pytest
from harness import PYTHON, Draco, Sandbox, wait_for
from kernels import SMALL, Kernel

#: How long joblib itself waits for a worker, in seconds.
PATIENCE = 10

START = (
    "from joblib import Parallel, delayed, parallel_backend\n"
    "from distributed import Client\nfrom draco import Cluster\n"
    f"cluster = Cluster({SMALL}, minimum=0, maximum=2, quiet=True)\n"
    "client = cluster.get_client()\n"
)


@pytest.fixture(scope="module", autouse=True)
def joblib() -> None:
    if subprocess.run([PYTHON, "-c", "import joblib"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("this Python has no joblib")


@pytest.mark.parametrize("first", ["import joblib._dask", "import draco"])
def test_waits_for_the_first_worker(draco: Draco, full: Sandbox, first: str) -> None:
    with Kernel(draco) as kernel:
        kernel.run(first + "\n" + START)
        # Who sets a limit gets it.
        limited = "with parallel_backend('dask', wait_for_workers_timeout=1):\n"
        work = "    print(sum(Parallel()(delayed(abs)(-i) for i in range(10))))\n"
        assert "has no worker" in kernel.fail(limited + work)
        kernel.send("with parallel_backend('dask'):\n" + work)
        wait_for(lambda: [job["state"] for job in draco.jobs()] == ["PENDING"], "it is waited")
        time.sleep(PATIENCE + 1)
        full.command("scancel", "--name=filler")
        assert kernel.answer() == ("45\n", None)
        kernel.run("client.close(); cluster.shutdown()")
