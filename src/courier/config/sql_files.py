"""SQL files of a project, read as text or as a problem."""

from __future__ import annotations

from pathlib import Path

from courier.config.documents import MOST_BYTES
from courier.config.problems import Problem


def read_sql(root: Path, path: str) -> str | Problem:
    """The text of a SQL file, or why it cannot be had."""
    try:
        with (root / path).open("rb") as file:
            return file.read(MOST_BYTES).decode("utf-8-sig")
    except UnicodeDecodeError:
        return Problem(path, 1, 1, "encoding", "this file is not UTF-8", "Save the file as UTF-8.")
    except OSError as error:
        message = f"it cannot be read: {error.strerror}"
        return Problem(path, 1, 1, "unreadable", message, "Look at its kind and mode.")
