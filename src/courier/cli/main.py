"""The command `courier`, and the one place where errors become exit codes."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from typing import Any, NoReturn

import click

from courier import __version__
from courier.cli import (
    activate,
    alerts,
    gaps,
    init,
    plan,
    query,
    retry,
    run,
    runs,
    sandbox,
    schedule,
    schema,
    status,
    tables,
    validate,
)
from courier.cli.output import show_error
from courier.errors import CourierError, UsageError

INTERRUPTED = 130
_MANY_OBJECTS = 200_000
"""How many new ones to look through for garbage in circles, of which there is hardly any. At Python's 700, a tenth of
the time that dlt takes to be imported and to land went into looking."""


class Commands(click.Group):
    """A group of commands whose reader may have had enough: `courier query ... | head`."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as gone:  # click would end with 1
            raise click.exceptions.Exit(0) from gone


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="courier")
def courier() -> None:
    """Pull Shopify into typed DuckDB domain tables, declaratively, and prove that each run was complete.

    Try it without a shop: in an empty folder, courier init and then courier run --group shopify --sandbox
    """


for command in (
    init.init,
    validate.validate,
    plan.plan,
    run.run,
    retry.retry,
    status.status,
    runs.runs,
    gaps.gaps,
    schedule.schedule,
    query.query,
    tables.tables,
    activate.activate,
    sandbox.sandbox,
    alerts.alerts,
    schema.schema,
):
    courier.add_command(command)


def main() -> None:
    """Run the command line and end the process.

    0 done, 1 the work failed, 2 wrong command line, 3 invalid configuration or missing credential, 4 refused by a
    guard, 130 interrupted.
    """
    gc.set_threshold(_MANY_OBJECTS)
    try:
        code = _run()
        _flush()
    except BrokenPipeError:  # what is left in the buffer has no reader: Python would complain at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    _leave(code)


def _leave(code: int) -> NoReturn:
    """End without Python's own last search for garbage, through every object of every library: 0.2 CPU seconds."""
    if threading.active_count() > 1:
        sys.exit(code)
    atexit._run_exitfuncs()
    _flush()
    os._exit(code)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream:  # None where the command was started with it closed
            stream.flush()


def _run() -> int:
    try:
        with _TellingNoRoom():
            return courier.main(prog_name="courier", standalone_mode=False) or 0
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.exceptions.NoArgsIsHelpError as asked:
        asked.show()
        return asked.exit_code
    except click.ClickException as wrong:
        return _failed(_in_our_words(wrong))
    except CourierError as error:
        return _failed(error)
    except (click.Abort, KeyboardInterrupt):
        return _interrupted()
    except RuntimeError as error:
        from courier.storage.duck import is_interruption

        if not is_interruption(error):
            raise
        return _interrupted()
    except OSError as error:
        if error.filename is None or isinstance(error, BrokenPipeError):
            raise
        return _failed(CourierError(f"{error.filename}: {error.strerror}", fix="look at its owner, mode and disk"))


class _TellingNoRoom:
    """A full disk is an error that a person can act on, wherever it is met."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, CourierError | click.ClickException | click.exceptions.Exit):
            return
        from courier.storage.room import lacks_room, no_room

        if lacks_room(error):
            raise no_room() from error


def _interrupted() -> int:
    return _failed(CourierError("interrupted", fix=_after_interruption()), INTERRUPTED)


def _failed(error: CourierError, code: int | None = None) -> int:
    show_error(error)
    return error.exit_code if code is None else code


def _in_our_words(wrong: click.ClickException) -> CourierError:
    """click's usage errors, said as courier says its own: what is wrong, and what to type."""
    message, _, meant = wrong.format_message().partition(" Did you mean ")
    path = wrong.ctx.command_path if isinstance(wrong, click.UsageError) and wrong.ctx else "courier"
    helped = f"{path} --help"
    return UsageError(
        message[:1].lower() + message[1:].removesuffix("."), fix=f"did you mean {meant} ({helped})" if meant else helped
    )


def _after_interruption() -> str:
    """What to know after Ctrl-C: a run is never half done."""
    if any(command in sys.argv[1:2] for command in ("run", "retry")):
        return "nothing is half done; the next run goes on where this one stopped"
    return ""
