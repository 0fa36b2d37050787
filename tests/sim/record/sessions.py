"""What researchers do with Dask, in small: each session computes for real, with a seed."""

from __future__ import annotations

import random
import time
from typing import Any

import dask
import dask.array as da
import dask.bag as db
import numpy as np
from dask import delayed
from distributed import Client, wait
from recorder import Recorder, Site

WORDS = "the of wave energy phase lattice model error mean field data run fit node beam".split()


def arrays(client: Client, recorder: Recorder) -> None:
    """A notebook that explores an array: one cell after the other, some slow, some fast."""
    draw = random.Random(recorder.random.random())
    x = da.random.RandomState(1).normal(3, 2, size=(4000, 1600), chunks=(250, 400)).persist()
    wait(x)
    recorder.think()
    cells = [
        lambda: x.mean(axis=0),
        lambda: ((x - x.mean()) / x.std()).max(axis=1),
        lambda: x.T @ x,
        lambda: da.fft.fft(x.rechunk((250, 1600)), axis=1).imag.std(axis=0),
        lambda: da.linalg.svd_compressed(x, 8)[1],
        lambda: da.histogram(x, bins=40, range=(-5, 11))[0],
        lambda: x.map_blocks(np.sort, axis=1).map_blocks(np.cumsum, axis=1).sum(),
        lambda: da.percentile(x[:, 0], [5, 50, 95]),
        lambda: da.where(x > 0, np.log1p(abs(x)), 0).sum(axis=1),
    ]
    for _ in range(48):
        draw.choice(cells)().compute()
        recorder.think()


def _lines(seed: int) -> list[str]:
    draw = random.Random(seed)
    return [" ".join(draw.choices(WORDS, k=12)) for _ in range(3000)]


def _pair(line: str) -> tuple[str, int]:
    words = line.split()
    return words[0], len(set(words))


def text(client: Client, recorder: Recorder) -> None:
    """A notebook that looks through logs with a bag: short computations, short looks."""
    draw = random.Random(recorder.random.random())
    bag = db.from_sequence(range(40), npartitions=40).map(_lines).flatten()
    kept = bag.persist()
    wait(kept)
    recorder.think()
    for _ in range(75):
        word = draw.choice(WORDS)
        some = kept.filter(lambda line, word=word: line.startswith(word))
        cells = [
            lambda: kept.map(str.split).flatten().frequencies(),
            lambda: some.count(),  # noqa: B023
            lambda: kept.map(_pair).foldby(0, lambda n, p: n + p[1], 0, lambda a, b: a + b),
            lambda: some.map(len).mean(),  # noqa: B023
            lambda: kept.map(len).topk(10),
        ]
        draw.choice(cells)().compute()
        recorder.think(draw.choice([0.5, 1, 1, 1, 8]))


def _orbit(steps: int) -> float:
    """Integrates a Lorenz system."""
    x, y, z = 1.0, 1.0, 1.0
    for _ in range(steps):
        x, y, z = (
            x + 0.005 * 10 * (y - x),
            y + 0.005 * (x * (28 - z) - y),
            z + 0.005 * (x * y - 8 / 3 * z),
        )
    return x + y + z


def scan(client: Client, recorder: Recorder) -> None:
    """Scans of parameters: the time of one differs by a factor of a hundred; a look after each."""
    draw = random.Random(recorder.random.random())
    for count in (96, 60, 120, 40, 150, 80, 60, 100, 50, 130, 70, 90, 40, 110):
        steps = [int(30000 * min(100.0, draw.paretovariate(1.3))) for _ in range(count)]
        futures = client.map(_orbit, steps, pure=False)
        wait(futures)
        client.gather(futures)
        del futures
        recorder.think()
        for _ in range(draw.randrange(4)):
            closer = client.map(_orbit, [60000] * draw.randrange(4, 16), pure=False)
            client.gather(closer)
            del closer
            recorder.think(0.2)


def _part(seed: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(20000, 40))
    return x, (x @ np.linspace(-1, 1, 40) + draw.normal(size=20000) > 0).astype(float)


def _gradient(part: tuple[np.ndarray, np.ndarray], w: np.ndarray) -> np.ndarray:
    x, y = part
    g = np.zeros_like(w)
    for _ in range(3):
        g = x.T @ (1 / (1 + np.exp(-x @ w)) - y) / len(y)
    return g


def _score(part: tuple[np.ndarray, np.ndarray], w: np.ndarray) -> float:
    x, y = part
    return float(np.mean([((x @ w > t) == y).mean() for t in np.linspace(-1, 1, 7)]))


def train(client: Client, recorder: Recorder) -> None:
    """Training: gradients of all parts, then one step here; now and then a test, or a new model."""
    parts = client.map(_part, range(16))
    wait(parts)
    for _ in range(6):
        w = np.zeros(40)
        for epoch in range(8):
            g = sum(client.gather(client.map(_gradient, parts, w=w, pure=False)))
            w = w - 0.5 * g
            if epoch % 4 == 3:
                client.gather(client.map(_score, parts, w=w, pure=False))
                # A checkpoint: written and read again, by one process.
                for _ in range(4):
                    np.linalg.svd(np.random.default_rng(epoch).normal(size=(200, 200)))
        recorder.think()


def _member(seed: int, steps: int) -> np.ndarray:
    draw = np.random.default_rng(seed)
    field = draw.normal(size=(120, 120))
    for _ in range(steps):
        field = 0.25 * sum(np.roll(field, s, a) for s in (-1, 1) for a in (0, 1))
    return field


def _merge(fields: list[np.ndarray]) -> np.ndarray:
    for _ in range(20):
        total = np.sort(np.stack(fields), axis=0).mean(axis=0)
    return total


def ensemble(client: Client, recorder: Recorder) -> None:
    """Ensembles: many members, merged eight at a time up to one; then the result is written."""
    draw = random.Random(recorder.random.random())
    for run in range(9):
        members = draw.choice([48, 96, 128, 192])
        level: list[Any] = [
            delayed(_member)(run * 1000 + i, draw.randrange(100, 400)) for i in range(members)
        ]
        while len(level) > 1:
            level = [delayed(_merge)(level[i : i + 8]) for i in range(0, len(level), 8)]
        dask.compute(level[0])
        time.sleep(draw.uniform(0.1, 0.6))  # as long as the disk takes
        recorder.think()


def short(client: Client, recorder: Recorder) -> None:
    """Trying things out: a few tasks, a glance, a few tasks; now and then away."""
    draw = random.Random(recorder.random.random())
    for _ in range(45):
        count = draw.choice([1, 2, 4, 8, 12, 24, 48])
        steps = draw.choice([20000, 60000, 150000])
        done = client.map(_orbit, [steps + i for i in range(count)], pure=False)
        client.gather(done)
        del done
        recorder.think(draw.choice([0.4, 1, 1, 1, 10]))


#: Name of the trace: session, seed, site.
SESSIONS: dict[str, tuple[Any, int, Site]] = {
    "arrays": (
        arrays,
        11,
        Site(
            "processes 4\nthreads 1\nmemory 4GiB\nmaximum 24\n"
            "idle_timeout 0\nwait_min 5\nwait_max 40",
            stretch=60,
            grow=16,
            think=45,
        ),
    ),
    "text": (
        text,
        12,
        Site(
            "processes 4\nthreads 2\nmemory 4GiB\nmaximum 16\n"
            "idle_timeout 0\nwait_min 3\nwait_max 15",
            stretch=40,
            grow=16,
            think=15,
        ),
    ),
    "scan": (
        scan,
        13,
        Site(
            "processes 8\nthreads 1\nmaximum 64\nidle_timeout 0\nwait_min 10\nwait_max 120",
            stretch=100,
            think=120,
            sigma=0.8,
            close=120,
        ),
    ),
    "train": (
        train,
        14,
        Site(
            "processes 4\nthreads 1\nmemory 4GiB\nmaximum 16\n"
            "idle_timeout 0\nwait_min 10\nwait_max 60",
            stretch=60,
            grow=16,
            think=180,
        ),
    ),
    "ensemble": (
        ensemble,
        15,
        Site(
            "processes 16\nthreads 2\nmemory 4GiB\nmaximum 64\n"
            "idle_timeout 0\nwait_min 5\nwait_max 60",
            stretch=100,
            grow=256,
            think=90,
        ),
    ),
    "short": (
        short,
        16,
        Site(
            "processes 1\nthreads 4\nmaximum 12\nidle_timeout 0\nwait_min 3\nwait_max 20",
            stretch=80,
            think=20,
            sigma=1.2,
        ),
    ),
}
