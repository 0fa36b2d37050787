"""What can go wrong: errors with a text for a person and the exit status of the command."""

from __future__ import annotations


class SandboxError(Exception):
    """Something in the world went wrong; the text says what, for a person."""

    status = 1


class UsageError(SandboxError):
    """What was asked for cannot be; the text names it and what would be right."""

    status = 2


class StartError(SandboxError):
    """A daemon did not come up.

    Attributes
    ----------
    port_taken : bool
        Whether somebody else holds its port, so that other ports are worth a try.
    """

    def __init__(self, text: str, port_taken: bool = False) -> None:
        super().__init__(text)
        self.port_taken = port_taken
