"""What a run works with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from courier.config.activation import Activation
from courier.config.project import Courier, Project
from courier.connectors.contract import Connector, Fetching, Waiting
from courier.runtime.effort import Meter
from courier.runtime.events import Event, Fetched, Report, Reporter, Waited
from courier.runtime.history import History
from courier.runtime.pace import Pace
from courier.runtime.place import Place
from courier.runtime.run_folder import RunFolder, StoredRun
from courier.storage.ledger import Standing

Access = Callable[[Courier], tuple[Courier, Mapping[str, str]]]
"""The courier as it is to be opened (a sandbox has its own endpoint) and its credential. Raises CredentialMissing."""
ActivationAccess = Callable[[Activation], tuple[Activation, Mapping[str, str]]]
"""The same for an activation."""


def _no_activations(activation: Activation) -> tuple[Activation, Mapping[str, str]]:
    raise AssertionError(f"nobody said how {activation.name} is opened")


@dataclass(frozen=True)
class Context:
    """What every run of a process shares. pace: of a run of many couriers; without it, each publishes its commit."""

    project: Project
    place: Place
    access: Access
    report: Report
    wait_for_lock: bool = True
    activation_access: ActivationAccess = _no_activations
    pace: Pace | None = None

    @property
    def history(self) -> History:
        return History(self.place.history)


@contextmanager
def recording(context: Context) -> Iterator[Context]:
    """The context, its events kept in the history once the run is over, however it ends; a kill loses them."""
    kept: list[Event] = []

    def report(event: Event) -> None:
        if not isinstance(event, Fetched | Waited):
            kept.append(event)
        context.report(event)

    try:
        yield replace(context, report=report)
    finally:
        if kept:
            context.history.keep(kept)


@dataclass(frozen=True)
class Work:
    """One attempt at one run of a courier."""

    context: Context
    courier: Courier
    connector: Connector
    folder: RunFolder
    stored: StoredRun
    standing: Standing | None = None  # None where nobody has asked the ledger yet
    meter: Meter = field(default_factory=Meter)

    @property
    def reporter(self) -> Reporter:
        return Reporter(self.courier.name, self.stored.run, self.context.report)

    def tick(self, progress: Fetching | Waiting) -> None:
        """Pass a connector's progress on as an event."""
        if isinstance(progress, Fetching):
            self.reporter(Fetched, request=progress.request, records=progress.records, expected=progress.expected)
        else:
            self.reporter(Waited, seconds=progress.seconds, reason=progress.reason)
