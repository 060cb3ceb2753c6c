"""Problems that later layers find, shown as well as those found here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from courier.config.problems import Problem
from courier.config.project import Project

if TYPE_CHECKING:
    from courier.config.yaml_nodes import Path


def problem_at(project: Project, file: str, path: Path, rule: str, message: str, fix: str) -> Problem:
    """A problem of the value at `path`, ("columns", "state", "sql"), of a file of the project.

    A path that goes further than the file, as `from` of a column without one, stops where the file does. Excerpt and
    carets come from the file; where that cannot be read any more, only line and column are told, as they were.
    """
    # Only here: a project without problems that is known already needs no YAML reader.
    from courier.config.documents import Document, read_document
    from courier.config.yaml_nodes import Span

    document, _ = read_document(project.root, file)
    if document.root is None:
        line, column = project.lines.get((file, path), (1, 1))
        return Document(file).problem(Span(line, column), rule, message, fix)
    return document.problem(document.value(path), rule, message, fix)
