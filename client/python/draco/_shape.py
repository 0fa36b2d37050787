"""What dracod's answers must be like, in those parts that this package relies on.

A dracod of another version, or a damaged one, may answer anything; then one error says what is
wrong, and no other code has to expect it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from draco.errors import DracoError

_COUNT_MAX = 2**53
_TIME_MAX = 253402300799  # 9999-12-31T23:59:59


def is_text(value: Any) -> bool:
    """A text."""
    return isinstance(value, str)


def is_count(value: Any) -> bool:
    """A number of things."""
    return type(value) is int and 0 <= value <= _COUNT_MAX


def is_time(value: Any) -> bool:
    """A point in time."""
    return type(value) in (int, float) and math.isfinite(value) and 0 <= value <= _TIME_MAX


def is_anything(value: Any) -> bool:
    """A value."""
    return True


#: A test of a value, or the members of an object, of which those with "!" must be there, or, in a
#: list, what each item is like. Other members are not looked at, and null is as good as absent.
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
    "warnings": [is_text],
    "differences": [
        {"setting!": is_text, "running!": is_anything, "asked!": is_anything},
    ],
}

#: By request.
_ANSWERS: dict[str, Shape] = {
    "hello": {},
    "status": _REPORT,
    "start": _REPORT,
    "stop": {},
    "logs": {"daemon": is_text},
    "script": {"script!": is_text},
    "adapt": _SIZE,
}

#: By notification.
_NOTES: dict[str, Shape] = {
    "progress": {"workers": is_count, "workers_wanted": is_count, "milestones": {}},
}


def _wrong(value: Any, shape: Shape, where: str) -> str | None:
    """Name the first part of value that is not as it should be; None when all is."""
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
    """Make sure that the answer to a request can be used, and return it.

    Raises
    ------
    DracoError
        When it cannot.
    """
    shape = _ANSWERS.get(method)
    if shape is not None and (wrong := _wrong(answer, shape, "answer")):
        raise DracoError(
            f"dracod's answer to the request {method} cannot be understood ({wrong}): is it of "
            "another version than the Python package draco?"
        )
    return answer


def check_note(method: str, params: dict[str, Any]) -> dict[str, Any]:
    """Make sure that a notification can be used, and return its parameters.

    Raises
    ------
    ValueError
        When it cannot.
    """
    shape = _NOTES.get(method)
    if shape is not None and (wrong := _wrong(params, shape, method)):
        raise ValueError(f"what came is no message ({wrong})")
    return params
