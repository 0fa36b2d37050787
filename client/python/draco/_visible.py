"""Texts from elsewhere, so that they cannot command a terminal or make lines of their own."""

from __future__ import annotations

import re
from typing import Any

# The control characters of ASCII and of Latin-1 (which begin escape sequences), the separators of
# lines and paragraphs, what turns the direction of writing, and halves of characters.
_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def is_clean(text: str) -> bool:
    """Whether text has nothing of that."""
    return _HARMFUL.search(text) is None


def visible(text: str, keep: str = "\n\t") -> str:
    r"""Put ``\x1b`` or ``\u202e`` in the place of each of that but for the characters to keep."""

    def replace(match: re.Match[str]) -> str:
        character = match.group()
        if character in keep:
            return character
        number = ord(character)
        return f"\\x{number:02x}" if number < 0x80 else f"\\u{number:04x}"

    return _HARMFUL.sub(replace, text)


def visible_value(value: Any) -> Any:
    """Make a copy of what JSON can say, with all texts made visible."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list):
        return [visible_value(item) for item in value]
    if isinstance(value, dict):
        return {visible(name, ""): visible_value(item) for name, item in value.items()}
    return value
