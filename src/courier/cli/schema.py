"""courier schema: JSON Schemas, so that editors complete this project's own tags, feeds and groups."""

from __future__ import annotations

import json
from pathlib import Path

import click

from courier.cli.options import json_option, project_option
from courier.cli.output import plural, print_json, say
from courier.cli.project import find_root
from courier.errors import ConfigurationError

FOLDER = Path(".courier/schemas")


@click.command(short_help="Write the JSON Schemas that editors use.")
@click.option("--check", is_flag=True, help="Write nothing; fail if the schemas are out of date.")
@project_option
@json_option
def schema(check: bool, root: Path | None, as_json: bool) -> None:
    """Write .courier/schemas/*.json, which the first line of each YAML file names to editors."""
    from courier.config.schemas import json_schemas

    project = find_root(root)
    written = {name: json.dumps(body, indent=2, sort_keys=True) + "\n" for name, body in json_schemas(project).items()}
    stale = sorted(name for name, body in written.items() if _differs(project / FOLDER / name, body))
    if check and stale:
        raise ConfigurationError(f"out of date: {', '.join(stale)}", fix="courier schema")
    for name in stale:
        (project / FOLDER).mkdir(parents=True, exist_ok=True)
        (project / FOLDER / name).write_text(written[name], encoding="utf-8")
    if as_json:
        print_json({"version": 1, "schemas": sorted(written), "written": stale})
    say(f"{plural(len(written), 'schema')}, {f'{len(stale)} written' if stale else 'all up to date'}")


def _differs(path: Path, body: str) -> bool:
    return not path.exists() or path.read_text(encoding="utf-8") != body
