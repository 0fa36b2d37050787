"""What happens to a cluster is told to each attached program, and to each once."""

from __future__ import annotations

import os
import signal

from harness import Draco, wait_for
from kernels import SMALL, Kernel

RECORD = """
import warnings
from draco import Cluster
told = []
warnings.showwarning = lambda message, *rest, **more: told.append(str(message))
"""

#: How each program has the cluster: one of them has two objects of it.
PROGRAMS = [
    f"cluster = Cluster({SMALL}, quiet=True)\nother = Cluster(quiet=True)",
    "cluster = Cluster(quiet=True)",
    "cluster = Cluster.from_name(quiet=True)",
]

#: The objects have looked at the cluster since.
LOOK = """
import time
for one in {cluster, globals().get("other", cluster)} if cluster.status.name == "running" else []:
    one.report()
    one._link.has_decided = True  # as after an event
    one._watch.news.set()
    while one._link.has_decided:
        time.sleep(0.05)
print(len(told))
"""


def test_each_program_is_told_once(draco: Draco) -> None:
    with Kernel(draco) as one, Kernel(draco) as two, Kernel(draco) as three:
        kernels = [one, two, three]
        for kernel, code in zip(kernels, PROGRAMS):
            kernel.run(RECORD + code)

        def check(count: int, beginning: str) -> None:
            for kernel in kernels:
                wait_for(
                    lambda k=kernel: int(k.run("print(len(told))")) >= count, f"{beginning!r}"
                )
            for kernel in kernels:
                assert kernel.run(LOOK) == f"{count}\n", kernel.run("print(told)")
                text = kernel.run("print(told[-1])")
                assert text.startswith(beginning.format(f'the cluster "{draco.name}"')), text

        # No object has told of these yet.
        for kernel in kernels:
            assert kernel.run(LOOK) == "0\n", kernel.run("print(told)")
        draco.run("pause")
        check(1, "{} is paused: by hand")
        draco.run("resume")
        wait_for(lambda: not draco.status()["cluster"].get("paused"), "it is not paused")
        for kernel in kernels:
            kernel.run(LOOK)
        draco.run("pause")
        check(2, "{} is paused: by hand")
        draco.run("resume")
        os.kill(draco.status()["scheduler"]["pid"], signal.SIGKILL)
        check(3, "the scheduler of {} was started anew")
        draco.run("stop", "--force")
        check(4, "{} was stopped")
