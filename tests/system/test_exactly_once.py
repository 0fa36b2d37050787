"""draco-slurm killed by kill -9 around a submission: each wish is one submission all the same."""

from __future__ import annotations

import collections
import contextlib
import os
import signal
import threading
from collections.abc import Iterable

import pytest
from harness import SMALL, Draco, Sandbox, wait_for
from standins import Daemon, FaultyHelper, children, sleeping_python
from steps import log_since

#: When draco-slurm dies, and so many seconds after. A submission takes 3 to 6 ms.
ROUNDS = [
    *[("before", 0.0)] * 2,
    *[("during", i * 0.0015) for i in range(8)],
    *[("after", i * 0.004) for i in range(2)],
]

Story = collections.Counter[str]


def tell(draco: Draco, position: int) -> str:
    """What dracod did about it, as its log has it."""
    log = log_since(draco, position)
    if "the answer was lost" not in log:
        return "answered before the kill"
    return "submitted again" if "is not in the queue" in log else "found in the queue"


def one_round(draco: Draco, helper: FaultyHelper, when: str, delay: float, jobs: int) -> str:
    """Start with a fault, look at what came of it, and stop."""
    position = draco.log.stat().st_size
    before = {job["id"] for job in draco.all_jobs()}
    helper.arm(when, delay)
    start = draco.popen("start", *SMALL, f"--minimum={jobs * 2}",
                        f"--python={draco.root}/python3-asleep", stderr=-1)  # fmt: skip

    def ids() -> set[str]:
        return {job["id"] for job in draco.status().get("jobs", []) if job["id"]}

    wait_for(lambda: not helper.armed and len(ids()) == jobs, f"{jobs} jobs are known", 120)
    model = ids()
    assert {job["id"] for job in draco.all_jobs()} - before == model, f"{when} {delay}"
    draco.run("stop")
    start.communicate(timeout=60)
    # A pending array that was cancelled is one record without tasks.
    after = {job["id"] for job in draco.all_jobs()} - before
    assert {id.split("_")[0] for id in after} == {id.split("_")[0] for id in model}
    wait_for(lambda: not draco.jobs(), "squeue shows none")
    return tell(draco, position)


def many_rounds(
    sandbox: Sandbox,
    rounds: Iterable[tuple[str, float]],
    story: Story,
    errors: list[BaseException],
) -> None:
    try:
        with Draco(sandbox) as draco:
            helper = FaultyHelper(draco)
            sleeping_python(draco)
            with Daemon(draco):
                for number, (when, delay) in enumerate(rounds):
                    result = one_round(draco, helper, when, delay, jobs=1 + number % 2)
                    story[f"{when}: {result}"] += 1
        draco.check_nothing_left()
    except BaseException as error:  # to be raised in the test's own thread
        errors.append(error)


def side_by_side(sandbox: Sandbox, rounds: list[tuple[str, float]], users: int) -> Story:
    """The rounds, shared by some users at the same time; what became of them."""
    story: Story = collections.Counter()
    errors: list[BaseException] = []
    threads = [
        threading.Thread(target=many_rounds, args=(sandbox, rounds[i::users], story, errors))
        for i in range(users)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for what, count in sorted(story.items()):
        print(f"{count:3} x killed {what}")
    if errors:
        raise errors[0]
    return story


def test_killed_around_a_submission(shared_sandbox: Sandbox) -> None:
    story = side_by_side(shared_sandbox, ROUNDS, users=3)
    assert sum(story.values()) == 12
    assert story["before: submitted again"] == 2
    assert sum(count for what, count in story.items() if what.startswith("after")) == 2


@pytest.mark.slow
def test_killed_around_a_submission_many_times(shared_sandbox: Sandbox) -> None:
    story = side_by_side(shared_sandbox, [("during", i * 0.0001) for i in range(100)], users=4)
    assert story["during: found in the queue"] > 0 and story["during: submitted again"] > 0


def test_killed_at_any_time(draco: Draco) -> None:
    """Again and again while a cluster comes up: it does so nevertheless."""
    start = draco.popen("start", *SMALL, "--minimum=4", stderr=-1)
    kills = 0

    def kill() -> bool:
        nonlocal kills
        pid = draco.status().get("slurm", {}).get("helper_pid")
        if pid and pid in children(draco.daemon()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            kills += 1
        return kills >= 4 or start.poll() is not None

    wait_for(kill, "draco-slurm was killed often enough", 120)
    error = start.communicate(timeout=180)[1]
    print(f"killed {kills} times")
    assert start.returncode == 0, error
    assert kills > 0 and len(draco.all_jobs()) == 2
