"""courier init: a working project in an empty folder."""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import click

from courier.cli.output import print_json, say
from courier.errors import UsageError

FILES = ("courier_groups.yaml", "semantic_tags.yaml", ".env.example")
FOLDERS = ("couriers", "domain_tables", "activations", ".courier/schemas")
GITIGNORE = "# what courier writes, and secrets\n.env\n*.duckdb\n*.duckdb.wal*\n.courier/*\n!.courier/schemas/\n"


@click.command(short_help="Write a working project into an empty folder.")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
def init(folder: Path, as_json: bool) -> None:
    """Write a working project into FOLDER (default: here). Never overwrites a file."""
    written = write_project(folder)
    if as_json:
        print_json({"version": 1, "project": str(folder), "written": written})
    say(f"wrote {len(written)} files into {folder.resolve()}")
    there = "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))} && "
    say(f"next: {there}courier run --group shopify --sandbox")


def write_project(folder: Path) -> list[str]:
    """Copy the starter project; returns the files' paths. Raises UsageError before writing if one is there already."""
    starter = starter_folder()
    sources = [starter / name for name in FILES]
    sources += [path for name in FOLDERS for path in sorted((starter / name).rglob("*")) if path.is_file()]
    names = [path.relative_to(starter) for path in sources]
    there = [name for name in (*FILES, ".gitignore", *FOLDERS) if (folder / name).exists()]
    if there:
        raise UsageError(
            f"{folder.resolve()} already has {', '.join(there)}; nothing was written",
            fix="name an empty folder: courier init FOLDER",
        )
    for source, name in zip(sources, names, strict=True):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    (folder / ".gitignore").write_text(GITIGNORE)
    (folder / ".courier").chmod(0o700)
    return [*map(str, names), ".gitignore"]


def starter_folder() -> Path:
    """In a wheel the starter travels with the package; in a checkout it is the project at the top of it."""
    package = Path(__file__).parents[1]
    packed = package / "starter"
    return packed if packed.is_dir() else package.parents[1]
