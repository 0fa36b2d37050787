"""The size of a cluster: a fixed one, or bounds between which dracod fits it to the work."""

from __future__ import annotations

import asyncio
import math
import operator
from collections.abc import Generator, Mapping
from typing import Any

from dask.utils import parse_bytes

from draco.errors import SettingError

#: Arguments of distributed's Adaptive without a meaning here, because dracod decides.
_OF_ADAPTIVE = {"Adaptive", "interval", "wait_count", "target_duration", "worker_key"}

#: The units of a bound, with their names in dracod's report of one job.
_UNITS = {"": "", "_jobs": "", "_cores": "cores", "_memory": "memory_mib"}


class Adaptive:
    """The bounds between which dracod fits the cluster to the work.

    For an asynchronous cluster it is awaitable. Until dracod has answered it holds the requested
    bounds, because programs written for distributed's own clusters do not wait.

    Attributes
    ----------
    minimum, maximum : int or None
        In workers.
    """

    def __init__(self, minimum: int | None, maximum: int | None) -> None:
        self.minimum = minimum
        self.maximum = maximum
        self.answer: asyncio.Task[Adaptive] | None = None

    def __await__(self) -> Generator[Any, None, Adaptive]:
        if self.answer is not None:
            yield from self.answer
        return self

    def stop(self) -> None:
        """Do nothing: dracod adapts until ``scale`` sets a size."""

    def __repr__(self) -> str:
        return f"Adaptive(minimum={self.minimum}, maximum={self.maximum})"


def amount_of(
    n: int | None, jobs: int | None, cores: int | None, memory: str | int | None
) -> dict[str, int]:
    """Make the parameters of the request "scale".

    Parameters
    ----------
    n, jobs, cores : int or None
        A number of workers, jobs or cores.
    memory : str, int or None
        Such as "500 GiB", or in bytes.

    Returns
    -------
    dict
        One of ``workers``, ``jobs``, ``cores`` and ``memory_mib`` (MiB, rounded up).

    Raises
    ------
    SettingError
        Unless exactly one of them is given, and is a whole number or an amount of memory.
    """
    amounts: dict[str, Any] = {"workers": n, "jobs": jobs, "cores": cores}
    if memory is not None:
        amounts["memory_mib"] = -(-bytes_of("scale", "memory", memory) // 2**20)
    given = whole_numbers("scale", amounts)
    if len(given) != 1:
        raise SettingError("scale: give one of n, jobs, cores and memory")
    return given


def bytes_of(method: str, name: str, value: Any) -> Any:
    """Read an amount of memory; an infinite one is returned as it is.

    Raises
    ------
    SettingError
        For what is no amount of memory. The text names the method and the argument.
    """
    if isinstance(value, float) and math.isinf(value):
        return value
    try:
        return parse_bytes(value)
    except (ValueError, TypeError, AttributeError):
        raise SettingError(
            f'{method}: {name} {value!r} is not an amount of memory, such as "500 GiB" or a '
            "number of bytes"
        ) from None


def whole_numbers(method: str, values: Mapping[str, Any]) -> dict[str, int]:
    """Select the given values, which must be whole numbers.

    Parameters
    ----------
    method : str
        The name for the error.
    values : mapping
        By name; None for one that is not given.

    Returns
    -------
    dict
        The given ones, as int.

    Raises
    ------
    SettingError
        When one is not a whole number, such as ``math.inf``.
    """
    given = {}
    for name, value in values.items():
        if value is None:
            continue
        try:
            is_integral = isinstance(value, float) and value.is_integer()
            given[name] = int(value) if is_integral else operator.index(value)
        except TypeError:
            raise SettingError(
                f"{method}: {name} {value!r} is not a whole number, such as 4"
            ) from None
    return given


def bounds_of(size: Mapping[str, Any] | None) -> tuple[int | None, int | None]:
    """Read the bounds from dracod's report of the size.

    Returns
    -------
    tuple of int or None
        Minimum and maximum, in workers; None where there are none.
    """
    if not size:
        return None, None
    per_job = size["per_job"]["workers"]
    return size["minimum_jobs"] * per_job, size["maximum_jobs"] * per_job


def bounds_given(bounds: Mapping[str, Any]) -> dict[str, int]:
    """Select the bounds that are given to ``adapt``.

    Parameters
    ----------
    bounds : mapping
        ``minimum`` and ``maximum``, also with ``_jobs``, ``_cores`` and ``_memory``; None for one
        that is not given. Arguments of distributed's Adaptive about its decisions are ignored.

    Returns
    -------
    dict
        The given ones as int, memory in bytes.

    Raises
    ------
    TypeError
        For an unknown argument.
    SettingError
        For a bound that is not a whole number, such as ``math.inf``.
    """
    known = {f"{name}{unit}" for name in ("minimum", "maximum") for unit in _UNITS}
    if unknown := bounds.keys() - known - _OF_ADAPTIVE:
        raise TypeError(f"adapt() got an unexpected keyword argument {min(unknown)!r}")
    values = {name: value for name, value in bounds.items() if name in known}
    for name in ("minimum_memory", "maximum_memory"):
        if values.get(name) is not None:
            values[name] = bytes_of("adapt", name, values[name])
    for name, value in values.items():
        if isinstance(value, float) and math.isinf(value):
            raise SettingError(
                f"adapt: {name} {value} is not a whole number: jobs cost, so that a cluster has a "
                "largest size, such as maximum=40; without maximum= the bound stays"
            )
    return whole_numbers("adapt", values)


def bounds_wished(size: Mapping[str, Any], given: Mapping[str, int]) -> dict[str, int]:
    """Make the parameters of the request "adapt".

    Parameters
    ----------
    size : mapping
        dracod's report of the size.
    given : mapping
        From :func:`bounds_given`. A maximum of cores or memory is rounded down to whole jobs, a
        minimum is rounded up. If a bound is given in several units, the last one of workers,
        jobs, cores and memory counts.

    Returns
    -------
    dict
        ``minimum`` and ``maximum`` in workers, as far as they are given.
    """
    bounds = {}
    for name in ("minimum", "maximum"):
        for unit, of_job in _UNITS.items():
            number = given.get(name + unit)
            if number is None:
                continue
            if not unit:
                bounds[name] = number
                continue
            each = size["per_job"][of_job] if of_job else 1
            if not each:
                lacks, others = (
                    ("how much memory", "workers, jobs or cores")
                    if of_job == "memory_mib"
                    else ("how many cores", "workers or jobs")
                )
                raise SettingError(
                    f"adapt: {lacks} a job has is not known, as the site or the node decides "
                    f"it: give {others}"
                )
            if of_job == "memory_mib":
                each *= 2**20
            if of_job == "memory_mib" and number % 2**20 and name == "maximum" and each > 2**20:
                # A job's memory, such as 8 GB, was rounded up to MiB, and may be less.
                number, each = number - 1, each - 2**20
            jobs = number // each if name == "maximum" else -(-number // each)
            bounds[name] = jobs * size["per_job"]["workers"]
    return bounds
