"""How a request is fetched: by pages, or in bulk with what bulk lacks by pages."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from courier.config.project import Courier
from courier.connectors.contract import Progress, Request
from courier.connectors.shopify.bulk import stored
from courier.connectors.shopify.bulk.documents import left_out, obstacle
from courier.connectors.shopify.bulk.fetch import BulkFetch
from courier.connectors.shopify.bulk.operations import Marker
from courier.connectors.shopify.bulk.parts import CHANGED, LEFT_OUT, Changed, LeftOut
from courier.connectors.shopify.bulk.stored import Stored
from courier.connectors.shopify.chain import Scope, whole_filter
from courier.connectors.shopify.client import Client
from courier.connectors.shopify.computed import COMPUTED
from courier.connectors.shopify.document import Field, plan
from courier.connectors.shopify.graph import ROOTS, SCALAR_LISTS
from courier.connectors.shopify.pages import Fetch, fingerprint
from courier.connectors.shopify.paging import Limits, count
from courier.errors import EndedBadly, SourceBusy
from courier.storage.raw import is_begun
from courier.storage.selection import identity_of, select


@dataclass(frozen=True)
class Choice:
    """A request and how it is fetched. `fresh`: no earlier process chose for this run."""

    request: Request
    planned: Field
    scope: Scope
    folder: Path
    known: Stored
    fresh: bool


@dataclass(frozen=True)
class Ways:
    """The ways to fetch from one shop. `installation` tells this installation's own operations, once it is asked."""

    client: Client
    courier: Courier
    installation: Callable[[], str]
    progress: Progress
    limits: Limits

    def choose(self, request: Request, planned: Field, scope: Scope, folder: Path) -> Choice:
        """As the feeds' mode says, or by the source's count; as before, where a process of this run chose already."""
        made_of = fingerprint(planned, scope)
        known = stored.read(folder, made_of) or (Stored(made_of, False) if is_begun(folder, made_of) else None)
        if known is None:
            return Choice(request, planned, scope, folder, self._known(request, planned, scope, made_of), True)
        return Choice(request, planned, scope, folder, known, False)

    def _known(self, request: Request, planned: Field, scope: Scope, made_of: str) -> Stored:
        if request.mode == "pages" or obstacle(planned, request.feeds):
            return Stored(made_of, False)
        counted = count(self.client, ROOTS[request.root], whole_filter(scope))
        return Stored(made_of, request.mode == "bulk" or (counted or 0) > self.limits.many, counted)

    def begin(self, choice: Choice) -> Choice:
        """Start the operation of a choice for bulk, if there is a slot for it now."""
        if not choice.known.in_bulk:
            return choice
        try:
            return replace(choice, known=self._bulk(choice).begin(choice.known, fresh=choice.fresh))
        except SourceBusy:
            return replace(choice, fresh=False)

    def fetch(self, choice: Choice) -> None:
        """Everything of the request into its folder. Raises RunFailed: SourceBusy where there is no slot."""
        if choice.fresh:
            forget_parts(choice.folder)
        if choice.known.in_bulk and self._fetched_in_bulk(choice):
            for part in self._parts(choice):
                part.into(choice.folder)
        else:
            planned, scope, name = choice.planned, choice.scope, choice.request.name
            fetch = Fetch(self.client, planned, scope, name, self.progress, self.limits, choice.known.counted)
            fetch.into(choice.folder)

    def _fetched_in_bulk(self, choice: Choice) -> bool:
        """False where operations end badly and nobody asked for bulk."""
        try:
            self._bulk(choice).into_folder(choice.known, fresh=choice.fresh)
        except EndedBadly:
            if choice.request.mode == "bulk":
                raise
            stored.store(choice.folder, replace(choice.known, in_bulk=False))
            forget_parts(choice.folder)
            return False
        return True

    def _bulk(self, choice: Choice) -> BulkFetch:
        run = choice.folder.parent.parent.name
        marker = Marker(self.installation(), self.courier.name, run, choice.request.name)
        request, planned, scope, folder = choice.request, choice.planned, choice.scope, choice.folder
        return BulkFetch(self.client, request.name, planned, scope, folder, marker, self.progress)

    def _parts(self, choice: Choice) -> Iterable[LeftOut | Changed]:
        name, progress, limits = choice.request.name, self.progress, self.limits
        paths = left_out(choice.planned)
        feeds = [feed for feed in choice.request.feeds if _is_below(feed.table.rows.lists, choice.request.root, paths)]
        if feeds:
            narrow = planned(replace(choice.request, feeds=tuple(feeds)))
            yield LeftOut(self.client, name, narrow, choice.scope, [feed.name for feed in feeds], progress, limits)
        yield Changed(self.client, name, choice.planned, self.courier.since, progress, limits)


def forget_parts(folder: Path) -> None:
    """Remove what lies beside a bulk result: it belongs to that one alone."""
    for name in (LEFT_OUT, CHANGED):
        shutil.rmtree(folder / name, ignore_errors=True)


def _is_below(lists: Iterable[Iterable[str]], root: str, paths: Iterable[str]) -> bool:
    path = ".".join([root, *(name for names in lists for name in names)])
    return any(f"{path}.".startswith(f"{other}.") for other in paths)


def planned(request: Request) -> Field:
    """Everything that a request's feeds, and the identity of their parents, need of the root record."""
    tables = [feed.table for feed in request.feeds]
    parents = [identity_of(table) for table in request.parents.values()]
    return plan(request.root, select([*tables, *parents], COMPUTED, sorted(SCALAR_LISTS))[request.root])
