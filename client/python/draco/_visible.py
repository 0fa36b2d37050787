"""Make foreign texts harmless: they cannot control a terminal or forge a line."""

from __future__ import annotations

import re
from typing import Any

# Control characters of ASCII and Latin-1 (they begin escape sequences), line and paragraph
# separators, characters that change the direction of writing, and lone surrogates.
_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def is_clean(text: str) -> bool:
    """Whether a text has no such character."""
    return _HARMFUL.search(text) is None


def visible(text: str, keep: str = "\n\t") -> str:
    r"""Replace each such character by an escape, such as ``\x1b`` or ``\u202e``.

    Parameters
    ----------
    text : str
        The text.
    keep : str
        Characters that stay, by default newlines and tabs.
    """

    def replace(match: re.Match[str]) -> str:
        character = match.group()
        if character in keep:
            return character
        number = ord(character)
        return f"\\x{number:02x}" if number < 0x80 else f"\\u{number:04x}"

    return _HARMFUL.sub(replace, text)


def visible_value(value: Any) -> Any:
    """Copy a value of JSON, with :func:`visible` applied to all texts in it."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list):
        return [visible_value(item) for item in value]
    if isinstance(value, dict):
        return {visible(name, ""): visible_value(item) for name, item in value.items()}
    return value
