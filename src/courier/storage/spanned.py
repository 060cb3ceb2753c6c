"""SELECTs over tables of many schemas, as a view puts them together."""

from __future__ import annotations

from dataclasses import dataclass

UNION = "\nUNION ALL\n"


@dataclass(frozen=True)
class Part:
    """The SELECT over one table. `names`: what tells it from those over the same table of other schemas."""

    sql: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Spanned:
    """All rows of the parts, whose columns are the same ones in one order; of these the view has `columns`."""

    parts: tuple[Part, ...]
    columns: str = "*"

    @property
    def sql(self) -> str:
        return self.over(UNION.join(part.sql for part in self.parts))

    def over(self, rows: str) -> str:
        """The view's SELECT over the SQL of all parts."""
        return rows if self.columns == "*" else f"SELECT {self.columns} FROM (\n{rows}\n) spanned"
