"""Every command and option says what it does, and asking for help costs little."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from courier.cli.main import courier as cli
from tests.cli.process import environment

COMMANDS = {
    *("init", "validate", "plan", "run", "retry", "status", "runs", "gaps", "query", "tables", "schema", "schedule"),
    "activate",
    *("alerts", "alerts test", "alerts send"),
    *("sandbox", "sandbox start", "sandbox change", "sandbox truth", "schedule start"),
}
HEAVY = {"duckdb", "dlt", "pydantic", "pyarrow", "requests", "urllib3", "graphql", "starlette", "uvicorn"}


def every_command(group: click.Group = cli, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        yield f"{path}{name}", command
        if isinstance(command, click.Group):
            yield from every_command(command, f"{path}{name} ")


def test_the_commands_are_those_of_the_design() -> None:
    """No command is missing, and none is there that nobody knows of."""
    assert {name for name, _ in every_command()} == COMMANDS


def test_every_command_and_option_is_explained() -> None:
    """Every command has a help text and a short one that is not cut; every option has help."""
    for name, command in every_command():
        assert command.help, name
        assert not command.get_short_help_str(62).endswith("..."), name
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.name}"


def test_every_command_that_answers_takes_json() -> None:
    """--json is everywhere."""
    for name, command in every_command():
        if not isinstance(command, click.Group):
            assert any("--json" in parameter.opts for parameter in command.params), name


@pytest.mark.parametrize(
    "words", ["--help", "run --help", "schedule --help", "sandbox start --help", "status", "runs", "rnu"]
)
def test_what_must_answer_at_once_imports_nothing_heavy(project: Path, words: str) -> None:
    """Status, history, help and mistakes come without DuckDB, dlt, pydantic or a web server."""
    code = (
        f"import atexit, sys; sys.argv = ['courier', *{words.split()!r}]\n"
        f"atexit.register(lambda: print('loaded:', sorted({HEAVY!r} & set(sys.modules))))\n"
        "from courier.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, env=environment({}), capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "loaded: []", done.stderr


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_without_anywhere_to_print_a_command_still_does_its_work(project: Path, closed: str) -> None:
    """As cron and daemons start commands."""
    script = f'exec "$0" -m courier validate {closed}'
    done = subprocess.run(["/bin/sh", "-c", script, sys.executable], cwd=project, env=environment({}), timeout=60)
    assert done.returncode == 0
