"""The published database of a project, for the commands that read it."""

from __future__ import annotations

from pathlib import Path

from courier.errors import UsageError
from courier.runtime.place import Place


def published_file(root: Path, sandbox: bool) -> Path:
    """The file that people and BI tools open. Raises UsageError while there is none."""
    path = Place(root, sandbox).files.published
    if not path.exists():
        again = "courier run --group shopify --sandbox"
        if not sandbox:
            again = f"courier run --group shopify; or look at made-up data: {again}, and --sandbox here too"
        raise UsageError(f"{path.name} is not there yet: nothing has been loaded", fix=again)
    return path
