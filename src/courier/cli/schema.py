"""courier schema: JSON Schemas, so that editors complete this project's own tags, feeds and groups."""

from __future__ import annotations

from pathlib import Path

import click

from courier.cli.options import json_option, project_option
from courier.cli.output import plural, print_json, say
from courier.cli.project import find_root
from courier.errors import ConfigurationError


@click.command(short_help="Write the JSON Schemas that editors use.")
@click.option("--check", is_flag=True, help="Write nothing; fail if the schemas are out of date.")
@project_option
@json_option
def schema(check: bool, root: Path | None, as_json: bool) -> None:
    """Write .courier/schemas/*.json, which the first line of each YAML file names to editors."""
    from courier.config.schemas import json_schemas, stale_json_schemas, write_json_schemas

    project = find_root(root)
    stale = sorted(path.name for path in stale_json_schemas(project))
    if check and stale:
        raise ConfigurationError(f"out of date: {', '.join(stale)}", fix="courier schema")
    write_json_schemas(project)
    names = sorted(json_schemas(project))
    if as_json:
        print_json({"version": 1, "schemas": names, "written": stale})
    say(f"{plural(len(names), 'schema')}, {f'{len(stale)} written' if stale else 'all up to date'}")
