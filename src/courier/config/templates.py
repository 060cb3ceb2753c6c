"""Templates: text in which {column} stands for a value of a row, and {{ and }} for braces. Which columns it names."""

from __future__ import annotations

import re
from dataclasses import dataclass

ROWS = "rows"
"""{rows}: the rows of an item, one line each."""
_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Template:
    """The columns that a text names, in its order; `mistake` says why it is no template, "" if it is one.

    whole: the column that it is nothing but, as in "{column}", whose value then keeps its type.
    """

    columns: tuple[str, ...]
    whole: str | None = None
    mistake: str = ""


def read_template(text: str) -> Template:
    """What a text names. Never raises."""
    found = [token for token in _TOKEN.finditer(text) if token.group() not in ("{{", "}}")]
    mistakes = [_mistake(token.group(), token.group(1)) for token in found]
    names = tuple(token.group(1) for token in found if token.group(1) and _NAME.fullmatch(token.group(1)))
    whole = names[0] if len(names) == 1 and text.strip() == f"{{{names[0]}}}" else None
    return Template(names, whole, next(filter(None, mistakes), ""))


def _mistake(token: str, name: str | None) -> str:
    if name is None:
        return f"a single `{token}` stands in the text"
    return "" if _NAME.fullmatch(name) else f"`{token}` names no column"
