"""Views: a SQL file of domain_tables/ becomes a View, or problems. What its SQL means is for storage to say."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path, PurePosixPath

from courier.config.problems import Problem
from courier.config.project import View
from courier.config.sql_files import read_sql
from courier.config.tables import NAME, NAME_FIX


def read_view(root: Path, path: str, tables: Container[str]) -> tuple[View | None, list[Problem]]:
    """The view of a file. `tables`: the names of the tables beside it, which it must not have."""
    name = PurePosixPath(path).stem
    if not NAME.fullmatch(name):
        return None, [Problem(path, 1, 1, "file-name", f"`{name}` is no name", NAME_FIX)]
    if name in tables:
        message = f"there is a domain table `{name}` in the same folder"
        return None, [Problem(path, 1, 1, "view-name", message, "Give the view another name.")]
    sql = read_sql(root, path)
    return (None, [sql]) if isinstance(sql, Problem) else (View(name, path, sql), [])
