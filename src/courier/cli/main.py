"""The command `courier`, and the one place where errors become exit codes."""

from __future__ import annotations

import sys

import click

from courier import __version__
from courier.cli import init, plan, query, retry, run, runs, sandbox, schema, status, tables, validate
from courier.cli.output import show_error
from courier.errors import CourierError

INTERRUPTED = 130


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="courier")
def courier() -> None:
    """Pull Shopify into typed DuckDB domain tables, declaratively, and prove that each run was complete.

    Try it without a shop: courier init, then courier run --group shopify --sandbox
    """


for command in (
    init.init,
    validate.validate,
    plan.plan,
    run.run,
    retry.retry,
    status.status,
    runs.runs,
    query.query,
    tables.tables,
    sandbox.sandbox,
    schema.schema,
):
    courier.add_command(command)


def main() -> None:
    """Run the command line and end the process.

    0 done, 1 the work failed, 2 wrong command line, 3 invalid configuration or missing credential, 4 refused by a
    guard, 130 interrupted.
    """
    try:
        sys.exit(courier.main(standalone_mode=False) or 0)
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted: nothing is half done; the next run goes on where this one stopped", err=True)
        sys.exit(INTERRUPTED)
    except CourierError as error:
        show_error(error)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
