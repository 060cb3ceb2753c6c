"""What to type after a failure: the command that fits it. Pure."""

from __future__ import annotations

from courier.errors import Incomplete, RunFailed

RETRY = "courier retry RUN"
"""What a fix may say; the run's own name takes the place of RUN."""
AGAIN = "run again"
"""What a fix says that knows of no run: the command takes its place."""


def resolution(failure: RunFailed, run: str, *, fetched: bool, sandbox: bool) -> str:
    """The failure's own fix, with the command that follows it. `fetched`: everything is, so no source is needed."""
    fix = failure.fix if RETRY in failure.fix else _with_command(failure, fetched)
    return fix.replace(RETRY, f"courier retry {run}{' --sandbox' if sandbox else ''}")


def _with_command(failure: RunFailed, fetched: bool) -> str:
    # Where the source counts other records than it sent, the same ones once more would prove nothing.
    command = f"{RETRY} --fetch" if isinstance(failure, Incomplete) and not fetched else RETRY
    if AGAIN in failure.fix:
        return failure.fix.replace(AGAIN, command, 1)
    return f"{failure.fix}; then {command}" if failure.fix else command
