"""Write down what a real Dask scheduler computes, as a trace of the simulator."""

from __future__ import annotations

import math
import random
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distributed import Client, LocalCluster
from distributed.diagnostics.plugin import SchedulerPlugin

#: As many kinds as the simulator knows (``TRACE_KINDS``); the last one stands for all others.
KINDS = 32

#: Seconds after which the scheduler knows what its client does not need any more.
SETTLE = 0.2


@dataclass
class Site:
    """What is not recorded: the cluster and its site, and how a person works there.

    Parameters
    ----------
    settings
        Lines of the trace, one setting each.
    stretch
        A recorded second becomes so many seconds.
    grow
        A recorded byte becomes so many bytes.
    think
        Median of the pauses between two cells, in seconds.
    sigma
        Their shape: think times are log-normal.
    close
        Seconds until the notebook is closed after the last result.
    """

    settings: str
    stretch: float = 1.0
    grow: float = 1.0
    think: float = 30.0
    sigma: float = 1.0
    close: float = 60.0


@dataclass
class Task:
    """One task that ran."""

    key: str
    prefix: str
    seconds: float
    size: int
    after: list[str]


@dataclass
class Burst:
    """Tasks from the moment when there are some to the moment when there are none."""

    begin: float
    end: float = 0.0
    released: float = 0.0
    tasks: dict[str, Task] = field(default_factory=dict)


class Recorder(SchedulerPlugin):
    """Follows the tasks of a scheduler in this process.

    Parameters
    ----------
    site
        How the trace differs from what happens here.
    seed
        Of the think times.
    """

    name = "recorder"

    def __init__(self, site: Site, seed: int) -> None:
        self.site = site
        self.random = random.Random(seed)
        self.bursts: list[Burst] = []
        self.open: set[str] = set()
        self.where: dict[str, Burst] = {}
        self.thought = 0.0
        self.scheduler: Any = None

    def now(self) -> float:
        """Seconds of the trace: the time that passed here, stretched, and the thinking."""
        return time.monotonic() * self.site.stretch + self.thought

    def think(self, factor: float = 1.0) -> None:
        """A person looks at the result; nobody waits for that here.

        Parameters
        ----------
        factor
            Longer or shorter than most times.
        """
        begin = self.now()
        time.sleep(SETTLE)  # what the session let go of reaches the scheduler
        self.thought -= self.now() - begin
        median = self.site.think * factor
        self.thought += self.random.lognormvariate(math.log(median), self.site.sigma)

    def transition(self, key: Any, start: str, finish: str, *args: Any, **kwargs: Any) -> None:
        """Called by the scheduler for each step of each task."""
        key = str(key)
        if finish in ("waiting", "queued", "processing", "no-worker"):
            if not self.open and key not in self.open:
                self.bursts.append(Burst(self.now()))
            self.open.add(key)
            return
        if start == "memory" and key in self.where:
            burst = self.where.pop(key)
            burst.released = max(burst.released, self.now())
        if start == "processing" and finish == "memory":
            self._computed(key, kwargs)
        if key in self.open:
            self.open.remove(key)
            if not self.open:
                self.bursts[-1].end = self.now()

    def _computed(self, key: str, kwargs: dict[str, Any]) -> None:
        task = self.scheduler.tasks[key]
        burst = self.bursts[-1]
        seconds = sum(
            step["stop"] - step["start"]
            for step in kwargs.get("startstops") or ()
            if step["action"] == "compute"
        )
        after = [str(other.key) for other in task.dependencies]
        burst.tasks[key] = Task(
            key, task.prefix.name, seconds, kwargs.get("nbytes") or 0, after
        )
        self.where[key] = burst

    def write(self, path: Path, title: str) -> None:
        """Write the trace.

        Parameters
        ----------
        path
            The file.
        title
            What the first line says.
        """
        site = self.site
        bursts = [burst for burst in self.bursts if burst.tasks]
        kinds: dict[str, int] = {}
        lines = [
            f"# {title}",
            f"# Recorded: the tasks, how long each took (x {site.stretch:g}), the size of its "
            f"result (x {site.grow:g}),",
            f"# what it needs, the client's own time between them (x {site.stretch:g}). Drawn: "
            f"think times, log-normal, median {site.think:g} s, sigma {site.sigma:g}.",
            site.settings.strip(),
        ]
        for number, burst in enumerate(bursts):
            gap = burst.begin - bursts[number - 1].end if number else 30.0
            held = max(0.0, burst.released - burst.end)
            lines.append(f"burst at={'+' if number else ''}{gap:.1f} hold={held:.1f}")
            index = {key: i for i, key in enumerate(burst.tasks)}
            for i, task in enumerate(burst.tasks.values()):
                kind = kinds.setdefault(task.prefix, len(kinds))
                after = [str(index[k]) for k in task.after if index.get(k, i) < i]
                words = [
                    "t",
                    str(min(kind, KINDS - 1)),
                    str(max(1, round(task.seconds * site.stretch * 1000))),
                    str(round(task.size * site.grow / 1024)),
                    *after,
                ]
                lines.append(" ".join(words))
        lines.append(f"close {site.close:g}")
        path.write_text("\n".join(lines) + "\n")


def record(session: Any, site: Site, seed: int, path: Path, title: str) -> Recorder:
    """Run one session on a cluster of two processes, and write its trace.

    Parameters
    ----------
    session
        Function of a client and the recorder, that computes.
    site
        What is not recorded.
    seed
        Of all that is drawn.
    path
        Where the trace goes.
    title
        Its first line.

    Returns
    -------
    Recorder
        With all that was recorded.
    """
    recorder = Recorder(site, seed)
    with (
        tempfile.TemporaryDirectory() as directory,
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=directory
        ) as cluster,
        Client(cluster) as client,
    ):
        recorder.scheduler = cluster.scheduler
        cluster.scheduler.add_plugin(recorder)
        session(client, recorder)
    recorder.write(path, title)
    return recorder
