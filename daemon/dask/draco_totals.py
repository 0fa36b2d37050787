"""What all tasks of a scheduler have used, by Dask's own totals. Part of draco's preload."""

from __future__ import annotations


class Totals:
    """Reads the scheduler's totals.

    Dask adds up the durations of tasks by the prefix of their keys, so that reading them costs
    nothing for a task. It does not tell whose tasks they are, nor what those have used that failed.

    Parameters
    ----------
    scheduler : distributed.Scheduler
        The scheduler.
    """

    def __init__(self, scheduler) -> None:
        self.scheduler = scheduler
        self.seconds = 0.0
        self.tasks = 0

    def take(self) -> tuple[float, int]:
        """Return the thread time, in seconds, and the number of tasks since the last call."""
        seconds, tasks = 0.0, 0
        for prefix in self.scheduler.task_prefixes.values():
            used = prefix.all_durations.get("compute")
            if used is not None:  # otherwise data that was scattered
                seconds += used
                tasks += prefix.state_counts["memory"]
        new = seconds - self.seconds, tasks - self.tasks
        if tasks != self.tasks:  # otherwise the time is of a task that fails, or comes later
            self.seconds, self.tasks = seconds, tasks
        return new
