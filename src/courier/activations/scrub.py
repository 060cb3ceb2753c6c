"""E-mail addresses and phone numbers, taken out of every text that leaves.

Columns that are known to hold them never leave (storage/lineage.py). This is for what people write into reviews, notes
and tags. In doubt something is taken out: a text that reads a little worse does less harm than a number that is called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

EMAIL, PHONE = "[email]", "[phone]"
# Bounded, as addresses are: else a long text without spaces would be looked through once for each of its letters.
_EMAIL = re.compile(
    r"[^\s@<>()\[\]{},;:\"']{1,64}\s?(?:[@＠]|\(at\)|\[at\])\s?[^\s@<>()\[\]{},;:\"']{1,250}[.．]\w{2,}", re.IGNORECASE
)
# 7 to 15 digits with at most three separators between two of them, beginning with a sign or a bracket or not.
_NUMBER = re.compile(r"(?<![\w])(?:[+＋]\s?)?\(?\d(?:[\s().\-/‐-―]{0,3}\d){6,}(?!\w)")
_MARKED = re.compile(r"(?:[+＋]\s?|\()\d(?:[\s().\-/‐-―]{0,3}\d){6,}")
_DATE = re.compile(r"(?:19|20)\d\d([-./])\d\d?\1\d\d?(?!\d)|\d\d?([-./])\d\d?\2(?:19|20)\d\d(?!\d)")
_DECIMAL = re.compile(r"\d+\.\d+")
_YEARS = re.compile(r"(?:19|20)\d\d\s?[-‐-―/]\s?(?:19|20)\d\d")
_PLAIN_DIGITS = 10  # a run of fewer is an amount or a count rather than a phone number


def scrub(text: str) -> str:
    """The text with `[email]` and `[phone]` in their places."""
    return _NUMBER.sub(_judged, _EMAIL.sub(EMAIL, text))


def _judged(found: re.Match[str]) -> str:
    return PHONE if _is_phone(found.group()) else found.group()


def _is_phone(text: str) -> bool:
    if text.isdecimal() and not text.startswith("0"):
        return len(text) >= _PLAIN_DIGITS
    return not (_DATE.match(text) or _DECIMAL.fullmatch(text) or _YEARS.fullmatch(text))


def scrub_marked(text: str) -> str:
    """What only a text that was put together may hold: addresses, and numbers that say themselves what they are.

    Numbers of columns that are counts and sums stand in it too, which may have ten digits.
    """
    return _MARKED.sub(PHONE, _EMAIL.sub(EMAIL, text))


def scrubbed(value: Any) -> Any:
    """A value of a row: every text in it scrubbed, down to the keys of what it holds."""
    return _each(value, scrub)


def scrubbed_payload(value: Any) -> Any:
    """What is about to leave, once more."""
    return _each(value, scrub_marked)


def _each(value: Any, how: Any) -> Any:
    if isinstance(value, str):
        return how(value)
    if isinstance(value, Mapping):
        return {_each(key, how): _each(item, how) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_each(item, how) for item in value]
    return value
