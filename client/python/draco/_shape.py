"""Check the shape of dracod's answers, as far as this package relies on it.

A dracod of another version, or a faulty one, may answer anything. These checks turn that into one
error, so that the rest of the package can rely on the shape of each answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from draco.errors import DracoError

if TYPE_CHECKING:
    from typing_extensions import TypeAlias

_COUNT_MAX = 2**53
_TIME_MAX = 253402300799  # 9999-12-31T23:59:59


def is_text(value: Any) -> bool:
    """Whether a value is a text."""
    return isinstance(value, str)


def is_count(value: Any) -> bool:
    """Whether a value is a count."""
    return type(value) is int and 0 <= value <= _COUNT_MAX


def is_time(value: Any) -> bool:
    """Whether a value is a time, in seconds since the epoch."""
    return type(value) in (int, float) and math.isfinite(value) and 0 <= value <= _TIME_MAX


def is_anything(value: Any) -> bool:
    """Accept any value."""
    return True


#: The shape of a value: a test; the members of an object, where "!" marks a required one; or a list
#: with the shape of each item. Other members are ignored, and null counts as absent.
Shape: TypeAlias = "Callable[[Any], bool] | Mapping[str, Any] | list[Any]"

_SIZE: Shape = {
    "why": is_text,
    "target": is_count,
    "minimum_jobs!": is_count,
    "maximum_jobs!": is_count,
    "per_job!": {"workers!": is_count},
}

_JOB: Shape = {
    "workers": is_count,
    "processes": is_count,
    "predicted_start": is_time,
    "start_time": is_time,
    "end_time": is_time,
}

_REPORT: Shape = {
    "cluster!": {
        "state!": is_text,
        "workers!": is_count,
        "jobs!": is_count,
        "milestones": {},
    },
    "scheduler!": {"address": is_text, "dashboard": is_text},
    "daemon": {"host": is_text},
    "dashboard": {"url": is_text, "address": is_text, "port": is_count},
    "size": _SIZE,
    "jobs": [_JOB],
    "attached": [{}],
    "limits": [{}],
    "mistakes": [is_text],
    "warnings": [is_text],
    "differences": [
        {"setting!": is_text, "running!": is_anything, "asked!": is_anything},
    ],
}

#: The answer to each request.
_ANSWERS: dict[str, Shape] = {
    "hello": {"former": is_text},
    "status": _REPORT,
    "start": _REPORT,
    "stop": {},
    "logs": {"daemon": is_text},
    "script": {"script!": is_text},
    "adapt": _SIZE,
}

#: The parameters of each notification.
_NOTES: dict[str, Shape] = {
    "progress": {"workers": is_count, "workers_wanted": is_count, "milestones": {}},
}


def _wrong(value: Any, shape: Shape, where: str) -> str | None:
    """Name the first part of a value with the wrong shape; None if there is none."""
    if callable(shape):
        return None if shape(value) else where
    if isinstance(shape, list):
        if not isinstance(value, list):
            return where
        found = (_wrong(item, shape[0], f"{where}[{i}]") for i, item in enumerate(value))
        return next((wrong for wrong in found if wrong), None)
    if not isinstance(value, dict):
        return where
    for key, member in shape.items():
        name = key.rstrip("!")
        part = value.get(name)
        if part is None:
            if key != name:
                return f"{where}.{name}"
        elif wrong := _wrong(part, member, f"{where}.{name}"):
            return wrong
    return None


def check_answer(method: str, answer: Any) -> Any:
    """Return the answer to a request, after a check of its shape.

    Raises
    ------
    DracoError
        When it has the wrong shape.
    """
    shape = _ANSWERS.get(method)
    if shape is not None and (wrong := _wrong(answer, shape, "answer")):
        raise DracoError(
            f"dracod's answer to the request {method} cannot be understood ({wrong}): is it of "
            "another version than the Python package draco?"
        )
    return answer


def check_note(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a notification, after a check of their shape.

    Raises
    ------
    ValueError
        When they have the wrong shape.
    """
    shape = _NOTES.get(method)
    if shape is not None and (wrong := _wrong(params, shape, method)):
        raise ValueError(f"what came is no message ({wrong})")
    return params
