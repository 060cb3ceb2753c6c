"""Did you mean ...?"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

MOST_SHOWN = 12


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be, whatever its case."""
    by_folded = {name.casefold(): name for name in known}
    found = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A fix: the closest known word, else `otherwise`, else what is known."""
    known = sorted(known)
    meant = closest(word, known)
    if meant:
        return f"Did you mean `{meant}`?"
    return otherwise or f"Known: {listed(known)}."


def listed(names: Iterable[str]) -> str:
    """`a`, `b` and 7 more."""
    names = list(names)
    shown = ", ".join(f"`{name}`" for name in names[:MOST_SHOWN])
    left = len(names) - MOST_SHOWN
    return f"{shown} and {left} more" if left > 0 else shown or "none"
