"""What to type after a failure: the command that fits it. Pure."""

from __future__ import annotations

from courier.errors import Incomplete, RunFailed, SourceUnreachable

RETRY = "courier retry RUN"
"""What a fix may say; the run's own name takes the place of RUN."""


def resolution(failure: RunFailed, run: str, *, fetched: bool, sandbox: bool) -> str:
    """The failure's own fix, with the command that follows it. `fetched`: everything is, so no source is needed."""
    fix = failure.fix if RETRY in failure.fix else _with_command(failure, fetched)
    return fix.replace(RETRY, f"courier retry {run}{' --sandbox' if sandbox else ''}")


def _with_command(failure: RunFailed, fetched: bool) -> str:
    command = f"{RETRY} goes on where this one stopped"
    if isinstance(failure, Incomplete):
        # The source counts other records than it sent: the same ones again would prove no more.
        command = f"{RETRY} makes the rows anew" if fetched else f"{RETRY} --fetch starts over"
    if isinstance(failure, SourceUnreachable) and failure.fix.startswith("run again"):
        return f"later, {command}; or the next run reads its period again"
    if not failure.fix or failure.fix.startswith(("run again", "Run the same")):
        return f"{command}; or the next run reads its period again"
    return f"{failure.fix}; then {RETRY}{'' if fetched or not isinstance(failure, Incomplete) else ' --fetch'}"
