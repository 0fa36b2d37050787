"""The scheduler's queue of tasks, shared fairly. Part of draco's preload.

It takes the place of ``Scheduler.queued``: one heap for each program, in Dask's order.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableSet
from operator import attrgetter
from typing import Any

from distributed.collections import HeapSet
from draco_fair import MARKED, Fair

PRIORITY = attrgetter("priority")


def number_of(task: Any) -> int:
    """The number of the program whose task it is; 0: not known."""
    priority = task.priority
    return priority[4] if priority is not None and len(priority) == MARKED else 0


class FairQueue(MutableSet):
    """A set of tasks; the smallest one is that whose turn it is.

    Parameters
    ----------
    fair : Fair
        Decides between programs.
    """

    def __init__(self, fair: Fair) -> None:
        self.fair = fair
        #: The queued tasks of each program that has any.
        self.heaps: dict[int, HeapSet] = {}
        #: Tasks that were sent to workers since ``count_sent()``, or that were there then.
        self.sent: set[Any] = set()

    def __contains__(self, task: object) -> bool:
        heap = self.heaps.get(number_of(task))
        return heap is not None and task in heap

    def __len__(self) -> int:
        return sum(map(len, self.heaps.values())) if self.heaps else 0

    def __bool__(self) -> bool:
        return bool(self.heaps)

    def __iter__(self) -> Iterator[Any]:
        for heap in list(self.heaps.values()):
            yield from heap

    def add(self, task: Any) -> None:
        """Queue a task."""
        priority = task.priority  # as in number_of(), but faster: this runs for each task
        number = priority[4] if priority is not None and len(priority) == MARKED else 0
        heap = self.heaps.get(number)
        if heap is None:
            self.fair.begin(self.fair.programs[number])
            heap = self.heaps[number] = HeapSet(key=PRIORITY)
        heap.add(task)

    def remove(self, task: Any) -> None:
        """Take out a task that is not wanted any more."""
        number = number_of(task)
        heap = self.heaps[number]
        heap.remove(task)
        if not heap._data:
            del self.heaps[number]

    def discard(self, task: Any) -> None:
        """Take out a task that goes to a worker."""
        priority = task.priority
        number = priority[4] if priority is not None and len(priority) == MARKED else 0
        heap = self.heaps.get(number)
        if heap is None or task not in heap._data:
            return
        heap.discard(task)
        if not heap._data:
            del self.heaps[number]
        self.fair.programs[number].sent += 1
        self.sent.add(task)

    def count_sent(self) -> None:
        """Count for each program which of its tasks are still on the workers they were sent to.

        Nobody tells of those that are cancelled, and of those whose worker is lost.
        """
        self.sent = {
            task
            for task in self.sent
            if (worker := task.processing_on) is not None and task not in worker.long_running
        }
        programs = self.fair.programs
        for program in programs.values():
            program.sent = 0
        for task in self.sent:
            programs[number_of(task)].sent += 1

    def clear(self) -> None:
        """Take out all tasks."""
        self.heaps.clear()

    def peek(self) -> Any:
        """Find the task whose turn it is."""
        if not self.heaps:
            raise KeyError("peek into empty set")
        if len(self.heaps) == 1:
            for heap in self.heaps.values():
                return heap.peek()
        return self.heaps[self.fair.choose(self.heaps)].peek()

    def pop(self) -> Any:
        """Take out the task whose turn it is."""
        task = self.peek()
        self.discard(task)
        return task

    def peekn(self, n: int) -> Iterator[Any]:
        """Find the next ``n`` tasks, as if each was sent to a worker."""
        if n <= 0 or not self.heaps:
            return
        if len(self.heaps) == 1 or n == 1:
            yield from self.heaps[self.fair.choose(self.heaps)].peekn(n)
            return
        fair = self.fair
        tasks = {number: heap.peekn(n) for number, heap in self.heaps.items()}
        times = {number: fair.time(fair.programs[number]) for number in tasks}
        for _ in range(n):
            while times:
                number = min(times, key=times.__getitem__)
                task = next(tasks[number], None)
                if task is not None:
                    program = fair.programs[number]
                    times[number] += program.rate
                    yield task
                    break
                del times[number]

    def sorted(self) -> Iterator[Any]:
        """All tasks in the order in which they would be sent to workers."""
        yield from self.peekn(len(self))
