"""Fair shares between programs: the pure policy, by itself and in a simulated scheduler."""

from __future__ import annotations

import heapq
from collections import deque
from types import ModuleType

import pytest
from preload import import_part


@pytest.fixture(scope="module")
def policy() -> ModuleType:
    return import_part("draco_fair")


class Simulation:
    """Workers that take tasks from the queue of each program whenever a thread is free."""

    def __init__(self, policy: ModuleType, threads: int) -> None:
        self.fair = policy.Fair()
        self.fair.threads = threads
        self.now = 0.0
        self.events: list[tuple[float, int, str, float]] = []  # the ends of tasks
        self.waiting: dict[str, deque[float]] = {}
        self.started = 0
        self.seconds: dict[str, float] = {}
        self.done: dict[str, list[float]] = {}

    def submit(self, name: str, tasks: list[float], share: float = 1.0) -> None:
        program = self.fair.find(name)
        program.share = share
        self.fair.begin(program)
        self.waiting.setdefault(name, deque()).extend(tasks)
        self.fill()

    def fill(self) -> None:
        while len(self.events) < self.fair.threads:
            numbers = [self.fair.find(n).number for n, tasks in self.waiting.items() if tasks]
            if not numbers:
                return
            program = self.fair.programs[self.fair.choose(numbers)]
            program.sent += 1
            length = self.waiting[program.name].popleft()
            self.started += 1
            heapq.heappush(self.events, (self.now + length, self.started, program.name, length))

    def run(self, until: float) -> None:
        while self.events and self.events[0][0] <= until:
            self.now, task, name, length = heapq.heappop(self.events)
            self.fair.finish(self.fair.find(name), task, length, (), "w")
            self.seconds[name] = self.seconds.get(name, 0.0) + length
            self.done.setdefault(name, []).append(self.now)
            self.count()
            self.fill()
        self.now = until
        self.count()

    def count(self) -> None:
        held = {self.fair.find(n).number: 0 for n, tasks in self.waiting.items() if tasks}
        elapsed: dict[int, dict[int, float]] = {}
        for end, task, name, length in self.events:
            number = self.fair.find(name).number
            held[number] = held.get(number, 0) + 1
            elapsed.setdefault(number, {})[task] = self.now - (end - length)
        self.fair.count(held, elapsed, idle=True)


@pytest.mark.parametrize("threads", [1, 2, 3, 4, 5, 6, 8, 10, 16, 40])
def test_ten_tasks_beside_ten_thousand(policy: ModuleType, threads: int) -> None:
    simulation = Simulation(policy, threads)
    # The ends of the first tasks are spread, as they are after a while.
    simulation.submit("a", [(i + 1) / threads for i in range(threads)] + [1.0] * 10000)
    simulation.run(100.0)
    simulation.submit("b", [1.0] * 10)
    alone = -(-10 // threads)
    simulation.run(100.0 + 10 * alone)
    assert len(simulation.done["b"]) == 10
    assert simulation.done["b"][-1] - 100.0 <= 2 * alone


@pytest.mark.parametrize(("a", "b"), [(1.0, 1.0), (1.0, 0.1), (0.2, 5.0)])
@pytest.mark.parametrize("share", [1.0, 2.0, 0.5])
def test_thread_time_follows_the_shares(
    policy: ModuleType, a: float, b: float, share: float
) -> None:
    """However long the tasks of the two are."""
    simulation = Simulation(policy, 12)
    simulation.submit("a", [a] * int(8000 / a))
    simulation.run(50.0)
    before = simulation.seconds["a"]
    simulation.submit("b", [b] * int(8000 / b), share)
    simulation.run(450.0)
    ratio = simulation.seconds["b"] / (simulation.seconds["a"] - before)
    assert ratio == pytest.approx(share, rel=0.1)


def test_idleness_is_not_saved_up(policy: ModuleType) -> None:
    simulation = Simulation(policy, 4)
    simulation.submit("b", [1.0])
    simulation.submit("a", [1.0] * 10000)
    simulation.run(1000.0)
    simulation.submit("b", [1.0] * 10000)
    before = dict(simulation.seconds)
    simulation.run(1100.0)
    got = {name: simulation.seconds[name] - before[name] for name in before}
    assert got["a"] == pytest.approx(got["b"], rel=0.15)


def test_who_used_much_alone_does_not_wait_afterwards(policy: ModuleType) -> None:
    simulation = Simulation(policy, 4)
    simulation.submit("a", [1.0] * 4000)
    simulation.run(1000.0)
    simulation.submit("b", [1.0] * 10000)
    simulation.run(1100.0)
    simulation.submit("a", [1.0] * 100)
    simulation.run(1200.0)
    assert len(simulation.done["a"]) == 4100


def test_a_new_share_holds_for_tasks_that_wait(policy: ModuleType) -> None:
    simulation = Simulation(policy, 10)
    simulation.submit("a", [1.0] * 10000)
    simulation.submit("b", [1.0] * 10000)
    simulation.run(100.0)
    simulation.fair.find("b").share = 3.0
    before = dict(simulation.seconds)
    simulation.run(200.0)
    got = {name: simulation.seconds[name] - before[name] for name in before}
    assert got["b"] == pytest.approx(3 * got["a"], rel=0.1)


@pytest.mark.parametrize("share", [1.0, 3.0])
@pytest.mark.parametrize("before", [0, 50])
def test_a_long_task_beside_short_ones(policy: ModuleType, share: float, before: int) -> None:
    """It costs its program what it uses, not the others of the program's tasks."""
    simulation = Simulation(policy, 8)
    simulation.submit("a", [0.1] * before + [10000.0])
    simulation.run(1000.0)
    simulation.submit("a", [0.1] * 5000)
    simulation.submit("b", [0.1] * 5000, share)
    simulation.run(1060.0)
    a, b = (simulation.seconds.get(name, 0.0) for name in "ab")
    assert b == pytest.approx(share * (a - 0.1 * before + 60.0), rel=0.1)


def test_what_a_task_was_charged_while_it_ran(policy: ModuleType) -> None:
    """It is not charged again when it is finished, and remains when it does not come to that."""
    fair = policy.Fair()
    a = fair.find("a")
    a.share = 2.0
    fair.begin(a)
    for i in range(9):
        fair.finish(a, i, 1.0, (), "w")
    a.sent = 2
    assert fair.time(a) == pytest.approx((9.0 + 2.0) / 2.0)
    for at in 0.0, 10.0, 20.0:
        times = {"long": 41.0 + at, "other": 1.0 + at}
        fair.count({a.number: 2}, {a.number: times}, idle=True)
        assert fair.time(a) == pytest.approx((9.0 + sum(times.values())) / 2.0)
    fair.finish(a, "long", 61.0, (), "w")
    a.sent = 0
    fair.count({a.number: 0}, {}, idle=True)  # the other one was cancelled
    assert fair.time(a) == pytest.approx((9.0 + 61.0 + 20.0) / 2.0)
    assert not fair.charged


def test_many_tasks_at_once_are_as_many_tasks(policy: ModuleType) -> None:
    """What a program has used alone by the scheduler's totals, and task by task."""
    alone, watched = policy.Fair(), policy.Fair()
    programs = [fair.find("a") for fair in (alone, watched)]
    for fair, a in zip((alone, watched), programs):
        a.share = 2.0
        fair.begin(a)
        fair.finish(a, "first", 9.0, (), "w")
    alone.finish_many(programs[0], 40.0, 20)
    for i in range(20):
        watched.finish(programs[1], i, 2.0, (), "w")
    for name in ("used", "clock", "mean", "rate"):
        one, other = (getattr(a, name) for a in programs)
        assert one == pytest.approx(other), name
        assert one > 0


def test_what_running_tasks_were_charged_is_taken_back(policy: ModuleType) -> None:
    """The totals have it once they are finished."""
    fair = policy.Fair()
    a = fair.find("a")
    fair.begin(a)
    fair.finish(a, "first", 1.0, (), "w")
    fair.count({a.number: 1}, {a.number: {"long": 31.0}}, idle=True)
    assert a.clock == pytest.approx(31.0)
    fair.charge_back(a)
    fair.count({a.number: 1}, {}, idle=True)
    fair.finish_many(a, 33.0, 1)
    assert a.clock == pytest.approx(34.0)


def test_tags_of_a_newcomer_beside_what_was_not_watched(policy: ModuleType) -> None:
    """It begins where the running tasks of the others are."""
    fair = policy.Fair()
    tags = mark(fair, "a", 0, 1, range(5000))
    fair.see_running("w1", [tags[4000], tags[4001]])
    fair.see_running("w2", [tags[4002], ()])
    fair.count({fair.find("a").number: 2}, {}, idle=True)
    (new,) = mark(fair, "b", 0, 2, range(1))
    assert tags[3900] < new < tags[4000]


def mark(fair, name: str, user: int, generation: float, ranks: range) -> list[tuple]:
    program = fair.find(name)
    fair.tag_graph(program, generation, len(ranks))
    return [fair.tag_task(program, (-user, generation, rank)) for rank in ranks]


def test_the_order_within_a_program_stays(policy: ModuleType) -> None:
    """Also with priorities, and where Dask mixes what is submitted within a short time."""
    fair = policy.Fair()
    mark(fair, "b", 0, 1, range(5))
    marked = []
    for user, generation, count in [
        (0, 2, 5),
        (0, 2, 3),  # Dask mixes it with the former
        (3, 3, 2),
        (0, 4, 4),
        (-2, 5, 3),
        (5, 6, 1),
        (-1, 7, 2),
        (0, -1, 2),  # submitted by a task
        (0, 8, 4),
    ]:
        marked += mark(fair, "a", user, generation, range(count))
        mark(fair, "b", 0, generation, range(count))
    assert sorted(marked) == sorted(marked, key=lambda priority: priority[1:])


def test_tags_of_a_newcomer(policy: ModuleType) -> None:
    """On workers a newcomer's tasks come soon, and not all before those of others."""
    fair = policy.Fair()
    fair.threads = 4
    first = mark(fair, "a", 0, 1, range(1000))
    for priority in first[:100]:
        fair.finish(fair.find("a"), "t", 0.5, priority, "w")
    fair.count({fair.find("a").number: 4}, {}, idle=True)
    late = mark(fair, "b", 0, 2, range(100))
    rest = sorted(first[100:] + late)
    of_b = [i for i, priority in enumerate(rest) if priority[4] == fair.find("b").number]
    assert of_b[7] == 7
    assert of_b[-1] == pytest.approx(190, abs=12)
    assert max(rest)[0] < 0, "copies of data, for which Dask has the priority 1, come later"
    assert min(mark(fair, "b", -1, 3, range(1)))[0] > 1


def test_tags_where_workers_have_different_parts(policy: ModuleType) -> None:
    """A newcomer goes by the worker that is least far; one that does nothing does not count."""
    fair = policy.Fair()
    a = fair.find("a")
    marked = mark(fair, "a", 0, 1, range(3000))
    for worker, first in ("v", 2000), ("w", 0), ("x", 1000):
        for priority in marked[first : first + 10]:
            fair.finish(a, "t", 0.5, priority, worker)
    fair.count({a.number: 3}, {}, idle=True)
    assert fair.tag == marked[9][0]
    for i in range(20):
        fair.finish(a, "t", 0.5, marked[1010 + i], "x")
        fair.count({a.number: 3}, {}, idle=True)
    assert fair.tag == marked[1029][0]


@pytest.mark.parametrize("start", [-1e9, 0.0, 1e12])
def test_tags_after_a_long_time(policy: ModuleType, start: float) -> None:
    """However much has been used, a newcomer begins where the others are."""
    fair = policy.Fair()
    a, b = fair.find("a"), fair.find("b")
    fair.begin(a)
    a.end = start
    first = mark(fair, "a", 0, 1, range(100))
    fair.finish(a, "t", 0.5, first[50], "w")
    fair.finish(a, "t", 0.5, (0, 1, 2), "v")  # not marked
    (low,) = mark(fair, "a", -1, 1, range(1))
    fair.finish(a, "t", 0.5, low, "w")  # makes way for others, however far they are
    fair.count({a.number: 1}, {}, idle=True)
    late = mark(fair, "b", 0, 2, range(100))
    assert late[0] < first[51]
    assert late[0][0] == pytest.approx(first[50][0] - fair.advance(b), abs=0.01)


def test_a_task_known_to_be_long(policy: ModuleType) -> None:
    """It is charged before it is finished."""
    fair = policy.Fair()
    fair.threads = 4
    a, b = fair.find("a"), fair.find("b")
    for program in (a, b):
        fair.begin(program)
        program.sent = 1
    fair.count({a.number: 1, b.number: 1}, {b.number: {"t": 60.0}}, idle=True)
    assert fair.choose([a.number, b.number]) == a.number
    assert fair.is_due(a)
    assert not fair.is_due(b)


def test_tasks_of_a_forgotten_program(policy: ModuleType) -> None:
    """They count as those of which it is not known whose they are, and get their turn."""
    fair = policy.Fair()
    fair.threads = 2
    a, b = fair.find("a"), fair.find("b")
    fair.begin(b)
    fair.finish(b, "t", 10.0, (), "w")
    fair.forget(a)
    assert fair.find("a").number != a.number
    assert fair.programs[a.number].number == 0
    fair.begin(fair.programs[a.number])
    assert fair.choose([a.number, b.number]) == a.number
    for _ in range(20):
        fair.programs[a.number].sent += 1
        fair.finish(fair.programs[a.number], "t", 1.0, (), "w")
    assert fair.choose([a.number, b.number]) == b.number
    assert fair.programs[0].used == 20.0
