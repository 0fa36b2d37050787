"""The size of a cluster: by hand, or as large as the work."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any

from draco import _join
from draco._asking import Asking

#: Arguments of distributed's Adaptive that mean nothing here, where dracod decides.
_OF_ADAPTIVE = {"Adaptive", "interval", "wait_count", "target_duration", "worker_key"}


class Adaptive:
    """The bounds between which dracod fits the cluster to the work.

    That of an asynchronous cluster can be awaited, and holds the bounds that were asked for until
    dracod has answered: programs written for distributed's own clusters do not wait.

    Attributes
    ----------
    minimum, maximum : int or None
        In workers.
    """

    def __init__(self, minimum: int | None, maximum: int | None) -> None:
        self.minimum = minimum
        self.maximum = maximum
        self._answer: asyncio.Task[Adaptive] | None = None

    def __await__(self) -> Generator[Any, None, Adaptive]:
        if self._answer is not None:
            yield from self._answer
        return self

    def stop(self) -> None:
        """Do nothing: dracod adapts until a size is set by ``scale``."""

    def __repr__(self) -> str:
        return f"Adaptive(minimum={self.minimum}, maximum={self.maximum})"


class Sized(Asking):
    """What a cluster can do about its size; a part of :class:`draco.Cluster`."""

    _adaptive: Adaptive | None

    def scale(
        self,
        n: int | None = None,
        jobs: int | None = None,
        cores: int | None = None,
        memory: str | int | None = None,
    ) -> Any:
        """Keep the cluster at a size, whatever the work is, until :meth:`adapt`.

        Parameters
        ----------
        n : int, optional
            In workers; whole jobs are kept for them.
        jobs : int, optional
            In jobs.
        cores : int, optional
            In cores.
        memory : str or int, optional
            In memory, such as "500 GiB", or in bytes.
        """
        return self.sync(self._scale, _join.amount_of(n, jobs, cores, memory))

    async def _scale(self, amount: dict[str, int]) -> None:
        await self._call("scale", amount)
        self._adaptive = None
        self._report_time = 0.0

    def adapt(
        self,
        adaptive_class: Any = None,
        /,
        *,
        minimum: int | None = None,
        maximum: int | None = None,
        minimum_jobs: int | None = None,
        maximum_jobs: int | None = None,
        **options: Any,
    ) -> Any:
        """Fit the cluster to the work again, within bounds.

        dracod does that from the start; this changes the bounds, and ends what :meth:`scale` said.

        Parameters
        ----------
        adaptive_class : type, optional
            As other clusters have it; not used.
        minimum, maximum : int, optional
            In workers; without them the bounds stay.
        minimum_jobs, maximum_jobs : int, optional
            In jobs.
        **options
            Arguments of :class:`distributed.Adaptive` that only concern how it decides, such as
            ``interval``; not used.

        Returns
        -------
        Adaptive
            The bounds that hold; an awaitable of it when asynchronous.

        Raises
        ------
        SettingError
            For bounds that cannot be.
        """
        if unknown := options.keys() - _OF_ADAPTIVE:
            raise TypeError(f"adapt() got an unexpected keyword argument {min(unknown)!r}")
        names = ("minimum", "maximum", "minimum_jobs", "maximum_jobs")
        values = (minimum, maximum, minimum_jobs, maximum_jobs)
        given = _join.whole_numbers("adapt", dict(zip(names, values)))
        minimum, maximum, minimum_jobs, maximum_jobs = map(given.get, names)
        low, high = _bounds(self._report.get("size"))
        adaptive = Adaptive(
            low if minimum is None else minimum, high if maximum is None else maximum
        )
        wish = adaptive, minimum, maximum, minimum_jobs, maximum_jobs
        if not self.asynchronous:
            return self.sync(self._adapt, *wish)
        adaptive._answer = self._spawn(self._adapt(*wish))
        return adaptive

    async def _adapt(
        self,
        adaptive: Adaptive,
        minimum: int | None,
        maximum: int | None,
        minimum_jobs: int | None,
        maximum_jobs: int | None,
    ) -> Adaptive:
        if minimum_jobs is not None or maximum_jobs is not None:
            size = (await self._refresh()).get("size") or {}
            per_job = size["per_job"]["workers"]
            minimum = minimum_jobs * per_job if minimum_jobs is not None else minimum
            maximum = maximum_jobs * per_job if maximum_jobs is not None else maximum
        bounds = {"minimum": minimum, "maximum": maximum}
        params = {name: value for name, value in bounds.items() if value is not None}
        size = await self._call("adapt", params)
        adaptive.minimum, adaptive.maximum = _bounds(size)
        self._adaptive = adaptive
        self._report_time = 0.0
        return adaptive


def _bounds(size: dict[str, Any] | None) -> tuple[int | None, int | None]:
    """The bounds of dracod's report of the size, in workers; None where there are none."""
    if not size:
        return None, None
    per_job = size["per_job"]["workers"]
    return size["minimum_jobs"] * per_job, size["maximum_jobs"] * per_job
