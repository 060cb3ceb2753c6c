"""courier schedule: what concerns the schedules of groups."""

from __future__ import annotations

import click

from courier.cli.schedule_start import start


@click.group(short_help="Run groups by their schedules.")
def schedule() -> None:
    """Run courier groups by their schedules."""


schedule.add_command(start)
