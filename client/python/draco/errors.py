"""The exceptions of this package. Most messages are dracod's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class DracoError(Exception):
    """Any failure that draco reports."""


class ClusterNotRunning(DracoError):
    """No cluster of this name is running, or it has ended."""


class DaemonNotRunning(ClusterNotRunning):
    """No dracod is running, or it has ended.

    Attributes
    ----------
    unreachable : bool
        Whether one is running, or may be, that cannot be reached from here.
    """

    def __init__(self, message: str, unreachable: bool = False) -> None:
        super().__init__(message)
        self.unreachable = unreachable


class VersionMismatch(DracoError):
    """The versions of the Python package and of the running dracod do not fit together."""


class OtherPython(DracoError):
    """The cluster's Python, or its distributed, cannot compute for this program.

    Functions of another Python raise odd errors in a worker, or end it.
    """


class SettingError(DracoError, ValueError):
    """A setting, or another argument, has a value that is not valid.

    Attributes
    ----------
    problems : list of dict
        One for each mistake: ``severity``, ``place`` (the setting, or where it comes from) and
        ``message``.
    """

    def __init__(self, message: str, problems: list[dict[str, Any]] | None = None) -> None:
        super().__init__(message)
        self.problems = problems or []


@dataclass(frozen=True)
class Candidate:
    """A place where the jobs could have run.

    Attributes
    ----------
    partition, reservation : str or None
        The names of the place.
    verdict : str
        ``skipped`` or ``possible``.
    reason : str or None
        Why it was not used.
    start : int or None
        When the jobs would have started there, in seconds since the epoch.
    options : tuple of str
        Options of sbatch that jobs have there alone, such as ``qos=debug``.
    """

    partition: str | None
    reservation: str | None = None
    verdict: str = ""
    reason: str | None = None
    start: int | None = None
    options: tuple[str, ...] = ()

    def __str__(self) -> str:
        place = self.partition or "?"
        if self.reservation:
            place += f" in reservation {self.reservation}"
        if self.options:
            place += f" ({', '.join(self.options)})"
        return f"{place}: {self.reason or self.verdict}"


class ClusterFailed(DracoError):
    """The cluster could not be started, or has failed.

    Attributes
    ----------
    message : str
        What happened.
    candidates : list of Candidate
        The places that were tried, each with the reason against it; empty if the failure has
        another reason.
    log : str or None
        The path of a log with details.
    tail : str or None
        The end of that log.
    """

    def __init__(
        self,
        message: str,
        candidates: list[Candidate] | None = None,
        log: str | None = None,
        tail: str | None = None,
    ) -> None:
        super().__init__(message, candidates, log, tail)
        self.message = message
        self.candidates = candidates or []
        self.log = log
        self.tail = tail

    def __str__(self) -> str:
        text = self.message
        if self.tail and self.log:
            text += f"\n\nThe end of {self.log}:\n{self.tail}"
        return text


class DracoWarning(UserWarning):
    """Something that a user should know, although the program can go on."""


# The error codes of the control socket.
_INVALID_PARAMS = -32602
_METHOD_NOT_FOUND = -32601
_NOT_RUNNING = -32001
_WRONG_VERSION = -32002


def error_from_answer(error: dict[str, Any], method: str, version: str = "?") -> DracoError:
    """Make the exception for an error that dracod answered with.

    Parameters
    ----------
    error : dict
        ``code``, ``message`` and perhaps ``data``.
    method : str
        The request.
    version : str
        dracod's version; "?" when it is not known.
    """
    code, text = error.get("code"), str(error.get("message"))
    data = error.get("data")
    data = data if isinstance(data, dict) else {}
    if code == _METHOD_NOT_FOUND or (code == _INVALID_PARAMS and "unknown parameter" in text):
        from draco import __version__

        return VersionMismatch(
            f"{text}: this dracod is of version {version}, and the Python package draco is of "
            f"version {__version__}: use the same version of both (dracoctl shutdown ends the old "
            "dracod)"
        )
    if code == _INVALID_PARAMS:
        return SettingError(text, data.get("problems"))
    if code == _NOT_RUNNING:
        return ClusterNotRunning(text)
    if code == _WRONG_VERSION:
        return VersionMismatch(text)
    if method == "start":
        places = data.get("candidates")
        candidates = [
            Candidate(
                item.get("partition"),
                item.get("reservation"),
                str(item.get("verdict") or ""),
                item.get("reason"),
                item.get("start"),
                tuple(str(option) for option in item.get("options") or ()),
            )
            for item in (places if isinstance(places, list) else [])
            if isinstance(item, dict)
        ]
        return ClusterFailed(text, candidates, data.get("log"), data.get("tail"))
    return DracoError(text)
