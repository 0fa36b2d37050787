"""Decide which program's task comes next: start-time fair queueing. Part of draco's preload.

Pure: no scheduler, no clock. Each program has a virtual time, which is the thread time that it has
used, divided by its share. The next task is one of the program whose virtual time is lowest. A
task is charged when it is sent to a worker, by the mean duration of the program's tasks, and by
its real duration when it is finished. What it takes beyond the mean is charged while it runs.
The order of the tasks of one program stays as Dask has it.

A program that had nothing to do begins where the others are now, and gets two tasks for each
thread in advance. So little work is soon done, even beside much, and idleness cannot be saved up.

Tasks that are already on workers run in the order of their priority, which cannot change there. So
each task also gets a tag when it is submitted, which becomes the first part of its priority: the
virtual time at which it would begin if all tasks took as long as expected.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from math import inf

#: The expected duration of tasks while none is known, in seconds.
UNKNOWN = 0.5
#: The tasks that a program gets in advance for each thread.
ADVANCE = 2
#: Longer tasks do not increase what a program gets in advance, in seconds.
ADVANCE_MAX = 10.0
#: How often is counted until a worker that finishes nothing does not count for tags; for each
#: second of the mean duration so much longer.
TAG_KEPT = 10
#: The weight of a new duration in the mean.
NEW = 0.1
#: Tags begin far below zero, so that Dask's own priority of copying data, 1, is lower for long. At
#: this size a number still has a resolution of 15 us.
FIRST_TAG = -1e11
#: Added to the tag for each step of priority below Dask's default: such work makes way for all.
LOW = 2e11
#: The length of a priority that ``Fair.tag_task()`` has made.
MARKED = 5


class Program:
    """What is known of one program.

    Parameters
    ----------
    name : str
        What tells it apart from the others.
    number : int
        The same as a number, which becomes part of the priority of its tasks.
    """

    def __init__(self, name: str, number: int) -> None:
        self.name = name
        self.number = number
        self.share = 1.0
        #: Thread time of its finished tasks, in seconds.
        self.used = 0.0
        #: Virtual time, without the tasks that are on workers.
        self.clock = 0.0
        #: Mean duration of its tasks, in seconds; 0: not known.
        self.mean = 0.0
        #: Virtual time of one of its tasks.
        self.rate = UNKNOWN
        #: Tasks that the scheduler has taken from its queue and that are not finished.
        self.sent = 0
        #: Tasks that run, as last counted.
        self.running = 0
        #: Whether it has, or might have, unfinished tasks.
        self.busy = False
        #: Tags: of its first task since it is busy, of the present generation, of what follows.
        self.floor = self.start = self.end = FIRST_TAG
        self.generation: float | None = None
        self.step = 0.0


class Programs(dict):
    """Programs by number. Number 0 stands for those that have been forgotten, too."""

    def __missing__(self, number: int) -> Program:
        return self[0]


class Fair:
    """The programs, and how much each of them has used."""

    def __init__(self) -> None:
        #: By number. Number 0 stands for tasks of which it is not known whose they are.
        self.programs: dict[int, Program] = Programs({0: Program("", 0)})
        self.numbers: dict[str, int] = {"": 0}
        self.last_number = 0
        #: Threads of all workers.
        self.threads = 1
        #: Mean duration of all tasks, in seconds; 0: not known.
        self.mean = 0.0
        #: What running tasks were charged beyond what was expected of them, in seconds.
        self.charged: dict[Hashable, float] = {}
        #: The virtual time at which new programs begin.
        self.now = 0.0
        #: The lowest tag of those tasks that were finished last on each worker: where Dask does
        #: not queue tasks, each worker has other parts of the same work.
        self.tag = FIRST_TAG
        self.tags: dict[str, tuple[float, int]] = {}
        self.counts = 0

    def find(self, name: str) -> Program:
        """Find a program by its name; it is new if it is not known."""
        number = self.numbers.get(name)
        if number is None:
            self.last_number = number = self.last_number + 1
            self.numbers[name] = number
            self.programs[number] = Program(name, number)
        return self.programs[number]

    def forget(self, program: Program) -> None:
        """Forget a program that has gone and has no tasks to run.

        Its results may still be there; when they are lost, Dask runs their tasks again.
        """
        if program.number:
            self.numbers.pop(program.name, None)
            self.programs.pop(program.number, None)

    # Virtual time.

    def learn(self, program: Program) -> float:
        """Expected duration of the program's next task, in seconds."""
        cost = program.mean or self.mean or UNKNOWN
        program.rate = cost / program.share
        return cost

    @staticmethod
    def time(program: Program) -> float:
        """Virtual time of a program with the tasks that are on workers."""
        held = program.sent if program.sent > program.running else program.running
        return program.clock + held * program.rate

    def advance(self, program: Program) -> float:
        """How far before the others a program begins that had nothing to do."""
        return self.threads * ADVANCE * min(self.learn(program), ADVANCE_MAX) / program.share

    def find_now(self) -> float:
        """Return the virtual time of the busy program that has had least, which never goes back."""
        self.now = max(
            self.now, min((self.time(p) for p in self.programs.values() if p.busy), default=0.0)
        )
        return self.now

    def begin(self, program: Program) -> None:
        """Note that a program has tasks again."""
        if not program.busy:
            program.sent = program.running = 0
            program.clock = max(program.clock, self.find_now() - self.advance(program))
            program.busy = True
            # Nothing is left of what was tagged far ahead by wrong expectations.
            program.end = min(program.end, self.tag + self.advance(program))
            program.generation = None

    def choose(self, numbers: Iterable[int]) -> int:
        """Find the one of these programs that is next."""
        programs = self.programs
        best, least = 0, inf
        for number in numbers:
            time = self.time(programs[number])
            if time < least:
                best, least = number, time
        return best

    def finish(
        self, program: Program, task: Hashable, seconds: float, priority: tuple, worker: str
    ) -> None:
        """Note that a task of the program is finished, for how long it ran, and where."""
        if program.sent:
            program.sent -= 1
        program.used += seconds
        program.clock += (seconds - self.charged.pop(task, 0.0)) / program.share
        if len(priority) == MARKED and priority[1] <= 0:
            self.tags[worker] = (priority[0], self.counts)
        program.mean += (seconds - program.mean) * (NEW if program.mean else 1.0)
        program.rate = program.mean / program.share

    def finish_many(self, program: Program, seconds: float, tasks: int) -> None:
        """Note that so many tasks of the program are finished, and for how long they ran in all."""
        program.used += seconds
        program.clock += seconds / program.share
        weight = 1.0 - (1.0 - NEW) ** tasks if program.mean else 1.0
        program.mean += (seconds / tasks - program.mean) * weight
        program.rate = program.mean / program.share

    def charge_back(self, program: Program) -> None:
        """Take back what the tasks of the only program were charged while they run."""
        program.clock -= sum(self.charged.values()) / program.share
        self.charged.clear()

    def count(
        self,
        running: dict[int, int],
        elapsed: Mapping[int, Mapping[Hashable, float]],
        idle: bool,
    ) -> None:
        """Compare with what the workers do.

        Parameters
        ----------
        running : dict of int to int
            For each program that has tasks, how many run.
        elapsed : dict of int to dict of hashable to float
            For how long each of these tasks runs already, in seconds.
        idle : bool
            Whether the other programs have nothing to do.
        """
        self.find_now()
        self.find_tag()
        charged: dict[Hashable, float] = {}
        for number, program in self.programs.items():
            program.running = running.get(number, 0)
            self.charge(program, elapsed.get(number, {}), charged)
            if idle and program.busy and number not in running:
                program.busy = False
                program.sent = 0
        self.charged = charged
        means = [p.mean for p in self.programs.values() if p.mean]
        if means:
            self.mean = sum(means) / len(means)

    def charge(
        self,
        program: Program,
        elapsed: Mapping[Hashable, float],
        charged: dict[Hashable, float],
    ) -> None:
        """Charge a program what its tasks have taken beyond what was expected of them."""
        cost = self.learn(program)
        for task, seconds in elapsed.items():
            before = self.charged.get(task, 0.0)
            over = seconds - cost
            if over > before:
                program.clock += (over - before) / program.share
                charged[task] = over
            elif before:
                charged[task] = before

    def is_due(self, program: Program) -> bool:
        """Whether a program should get one more task now, beside all that have tasks on workers."""
        if program.sent >= self.threads * ADVANCE:
            return False
        mine = self.time(program)
        return all(mine <= self.time(p) for p in self.programs.values() if p.busy)

    # Tags.

    def see_running(self, worker: str, priorities: Iterable[tuple]) -> None:
        """Note how far a worker is whose tasks were not watched, by those that it runs."""
        tags = [p[0] for p in priorities if p and len(p) == MARKED and p[1] <= 0]
        if tags:
            self.tags[worker] = (min(tags), self.counts)

    def find_tag(self) -> None:
        """Find out how far the workers are. One that finished nothing for long does not count."""
        self.counts += 1
        oldest = self.counts - TAG_KEPT - TAG_KEPT * self.mean
        self.tags = {w: (tag, at) for w, (tag, at) in self.tags.items() if at >= oldest}
        if self.tags:
            self.tag = min(tag for tag, _ in self.tags.values())

    def tag_graph(self, program: Program, generation: float, count: int) -> None:
        """Prepare the tags of ``count`` new tasks of Dask's generation ``generation``.

        Within a generation Dask orders by rank, also the tasks of several submissions.
        """
        was_busy = program.busy
        self.begin(program)
        if generation != program.generation:
            program.generation = generation
            program.start = max(program.end, self.tag - self.advance(program))
            self.learn(program)
            program.step = program.rate
        if not was_busy:
            program.floor = program.start
        program.end = max(program.end, program.start) + count * program.step

    def tag_task(self, program: Program, own: tuple) -> tuple:
        """Put the tag before a task's own priority.

        Parameters
        ----------
        program : Program
            Whose it is; ``tag_graph()`` was called before.
        own : tuple of float
            Dask's: the negative of the user's priority, generation, rank.
        """
        low, generation, rank = own
        if low < 0 or generation < 0:  # before all else of this program
            tag = program.floor
        else:
            tag = program.start + rank * program.step + low * LOW
        return (tag, low, generation, rank, program.number)
