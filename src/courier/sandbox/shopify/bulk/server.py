"""The bulk operations of one app and shop: run, polled, listed, cancelled, and their files signed."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from threading import Thread
from typing import Any, Protocol
from urllib.parse import urlencode

import orjson
from graphql import print_ast

from courier.sandbox.faults import find
from courier.sandbox.shop import Shop
from courier.sandbox.shopify.bulk import files, spoiled
from courier.sandbox.shopify.bulk.files import File
from courier.sandbox.shopify.bulk.operations import URL_SECONDS, Operation, load, save
from courier.sandbox.shopify.bulk.plan import Record, node_records
from courier.sandbox.shopify.bulk.rules import Query, Refused, read
from courier.sandbox.shopify.faults import Fault
from courier.sandbox.shopify.paging import Arguments, Key, connection, cut
from courier.sandbox.shopify.resources import Resource
from courier.sandbox.shopify.root import Root
from courier.sandbox.shopify.search import Field, parse_query
from courier.sandbox.shopify.values import Node, parse_gid
from courier.sandbox.shopify.versions import bulk_slots

FIRST_OPERATION = 5_900_000_000_000
AT_ONCE = 20_000  # root records that are written before the answer; more are written beside it
FOREIGN = "{ products { edges { node { id } } } }"
_TERMINAL = "A bulk operation cannot be canceled when it is {}"
_BUSY = "A bulk query operation for this app and shop is already in progress: {}."


class Settings(Protocol):
    """What of the server's settings concerns bulk operations."""

    @property
    def bulk_seconds(self) -> float: ...
    @property
    def bulk_cancel_seconds(self) -> float: ...
    @property
    def bulk_slots(self) -> int | None: ...


@dataclass(frozen=True)
class Run:
    """One request's part in an operation: its root, its faults, why a field is denied, and a root made anew."""

    root: Root
    faults: Sequence[Fault]
    denied: Callable[[str, str], str | None]
    fresh: Callable[[], Root]


class Bulk:
    """All operations by number. `cancelled` has the ids of the foreign ones that this server's client cancelled."""

    def __init__(self, shop: Shop, settings: Settings) -> None:
        self.shop = shop
        self.settings = settings
        self.origin = ""
        self._state = shop.files / f"operations-{shop.identity}.json" if shop.folder else None
        self.operations: dict[int, Operation] = {i.number: i for i in load(self._state)} if self._state else {}
        self.cancelled: list[str] = []
        self._secret = sha256(f"bulk {shop.identity} {shop.token}".encode()).digest()

    def now(self) -> float:
        return self.shop.now().timestamp()

    def reset(self) -> None:
        self.operations.clear()
        self.cancelled.clear()
        self._save()

    def _save(self) -> None:
        if self._state is not None and (self.operations or self._state.exists()):
            save(self._state, list(self.operations.values()))

    def fields(self, run: Run) -> Node:
        """The fields of the query and mutation roots that are about bulk operations."""
        self._make_busy(find(run.faults, "bulk_busy"))
        return {
            "bulkOperation": lambda info, id: self.node(id),
            "bulkOperations": self._list,
            "bulkOperationRunQuery": lambda info, query, groupObjects: self._run(run, query, groupObjects),
            "bulkOperationCancel": lambda info, id: self._cancel(id),
        }

    def node(self, identity: str) -> Node | None:
        operation = self._find(identity)
        return self._node(operation) if operation else None

    def _find(self, identity: str) -> Operation | None:
        parts = parse_gid(identity)
        return self.operations.get(parts[1]) if parts and parts[0] == "BulkOperation" else None

    def _node(self, operation: Operation) -> Node:
        now = self.now()
        whole, part = operation.result(now)
        url = self._url(operation, False) if whole else None
        return operation.fields(now, url, self._url(operation, True) if part else None)

    def _list(self, info: Any, query: str | None = None, sortKey: str = "CREATED_AT", **arguments: Any) -> Node:
        now = self.now()
        accepts = parse_query(query, _search_fields(now)).accepts
        found = [operation for operation in self.operations.values() if accepts(operation)]
        keys = {id(i): _sort_key(i, sortKey, now) for i in found}
        found.sort(key=lambda i: keys[id(i)])
        ordered = [keys[id(i)] for i in found]
        page = cut(ordered, Arguments(**arguments))
        return connection("BulkOperationEdge", ordered, page, [self._node(i) for i in page.of(found)])

    def _make_busy(self, fault: Fault | None) -> None:
        for _ in range(fault.count if fault else 0):
            assert fault is not None
            self._add(Operation(self._number(), FOREIGN, self.now(), fault.seconds, foreign=True))

    def _number(self) -> int:
        start = FIRST_OPERATION + int(self.shop.anchor_seconds % 1_000_000) * 1_000
        return max(self.operations, default=start) + 1

    def _add(self, operation: Operation) -> None:
        self.operations[operation.number] = operation
        self._save()

    def _run(self, run: Run, text: str, grouped: bool) -> Node:
        try:
            query = read(run.root.version, text)
        except Refused as refused:
            return _refusal([{"field": ["query"], "message": i, "code": "INVALID"} for i in refused.messages])
        busy = [i for i in self.operations.values() if i.occupies(self.now())]
        if len(busy) >= (self.settings.bulk_slots or bulk_slots(run.root.version)):
            message = _BUSY.format(", ".join(i.id for i in busy))
            return _refusal([{"field": None, "message": message, "code": "OPERATION_IN_PROGRESS"}])
        operation = Operation(self._number(), text, self.now(), self.settings.bulk_seconds)
        self._add(operation)
        made = {**operation.fields(operation.created, None, None), "status": "CREATED", "completedAt": None}
        made.update(objectCount="0", rootObjectCount="0")
        self._start(operation, run, query, grouped)
        return {"__typename": "BulkOperationRunQueryPayload", "bulkOperation": made, "userErrors": []}

    def _start(self, operation: Operation, run: Run, query: Query, grouped: bool) -> None:
        spoiled.outcome(operation, run.faults, operation.created)
        if any(run.denied(kind, name) for kind, name in query.fields):
            operation.outcome, operation.error = "FAILED", "ACCESS_DENIED"
            self._save()
            return
        work = _Work.of(self.shop, run.root, query, grouped, run.faults)
        if len(work.rows) <= AT_ONCE or work.known() is not None:
            self._finish(operation, run, work)
            return
        operation.written = False
        Thread(target=self._finish, args=(operation, run, work), name="bulk", daemon=True).start()

    def _finish(self, operation: Operation, run: Run, work: _Work) -> None:
        try:
            operation.file = work.file(operation.progress)
            kind = work.resource.type_name
            spoiled.spoil(operation, run.faults, lambda i: self._edited(i, run), work.record, kind)
            operation.ended, operation.written = self.now(), True
        finally:
            if operation.told is None:
                operation.fail()
            self._save()
        used = [i.path for one in list(self.operations.values()) for i in (one.file, one.partial) if i]
        files.prune(self.shop.files, used)

    def _edited(self, order: int, run: Run) -> Node:
        """The order after an edit that happens now."""
        self.shop.add({"kind": "touch", "order": order, "at": self.shop.seconds()})
        node = run.fresh().view.order(order)
        assert node is not None
        return node

    def _cancel(self, identity: str) -> Node:
        operation = self._find(identity)
        if operation is None:
            missing = {"field": ["id"], "message": "Bulk operation does not exist"}
            return {"__typename": "BulkOperationCancelPayload", "bulkOperation": None, "userErrors": [missing]}
        now = self.now()
        status, errors = operation.status(now), []
        if not operation.occupies(now):
            errors = [{"field": None, "message": _TERMINAL.format(status.lower())}]
        elif status != "CANCELING":
            operation.cancel(now, self.settings.bulk_cancel_seconds)
            self.cancelled += [operation.id] if operation.foreign else []
            self._save()
        shown = self._node(operation)
        if not errors:
            shown.update(status="CANCELING", completedAt=None)
        return {"__typename": "BulkOperationCancelPayload", "bulkOperation": shown, "userErrors": errors}

    def write(self, root: Root, text: str, grouped: bool) -> File:
        """Write an operation's file ahead: an equal operation later finds it. Raises Refused."""
        return _Work.of(self.shop, root, read(root.version, text), grouped).file(files.Progress())

    def _url(self, operation: Operation, partial: bool) -> str:
        expires = int((operation.finished(self.now()) or 0.0) + URL_SECONDS)
        name = f"bulk-{operation.number}.jsonl"
        path = f"/bulk/{self._sign('path', operation.number, partial)[:24]}/{'partial-' if partial else ''}{name}"
        asked = {
            "Expires": expires,
            "Signature": self._sign(path, expires),
            "response-content-disposition": f'attachment; filename="{name}"',
            "response-content-type": "application/jsonl",
        }
        return f"{self.origin}{path}?{urlencode(asked)}"

    def _sign(self, *parts: object) -> str:
        return hmac.new(self._secret, repr(parts).encode(), "sha256").hexdigest()

    def signed(self, path: str, expires: str, signature: str) -> bool:
        """Whether this server signed that path, and the signature is still good."""
        right = expires.isdigit() and hmac.compare_digest(self._sign(path, int(expires)), signature)
        return right and self.now() < int(expires)

    def download(self, number: int, partial: bool) -> File | None:
        operation = self.operations.get(number)
        return operation.result(self.now())[partial] if operation else None


def _refusal(errors: list[Node]) -> Node:
    return {"__typename": "BulkOperationRunQueryPayload", "bulkOperation": None, "userErrors": errors}


def _sort_key(operation: Operation, sort: str, now: float) -> Key:
    ended = operation.finished(now)
    at = operation.created if sort == "CREATED_AT" else ended if ended is not None else now
    return int(at), operation.number


def _search_fields(now: float) -> dict[str, Field]:
    return {
        "status": Field("text", lambda i: i.status(now)),
        "operation_type": Field("text", lambda i: "query"),
        "created_at": Field("time", lambda i: int(i.created)),
        "completed_at": Field("time", lambda i: None if (at := i.finished(now)) is None else int(at), sparse=True),
        "id": Field("number", lambda i: i.number),
    }


@dataclass(frozen=True)
class _Work:
    """What has to be written for an operation. Holds the shop's state as it was when the operation began."""

    shop: Shop
    root: Root
    query: Query
    resource: Resource
    rows: Sequence[Any]
    grouped: bool
    state: bytes

    @classmethod
    def of(cls, shop: Shop, root: Root, query: Query, grouped: bool, faults: Sequence[Fault] = ()) -> _Work:
        resource, rows = root.found(query.name, query.arguments)
        kept = spoiled.without(rows, resource.identity, faults)
        return cls(shop, root, query, resource, kept, grouped, orjson.dumps(shop.changes))

    @cached_property
    def record(self) -> Record:
        found = node_records(self.query.source, self.query.connection, self.query.selected)
        return found.get(self.resource.type_name) or found[f"Basic{self.resource.type_name}"]

    @cached_property
    def key(self) -> str:
        """What decides the file's bytes: the shop's state, the records and their order, and what is selected."""
        which = files.digest(map(self.resource.identity, self.rows))
        selected = [print_ast(node) for node in (*self.query.selected, *self.query.source.fragments.values())]
        oldest = self.root.view.oldest_order
        return files.key_of(
            self.shop.identity, self.state, which, self.root.version, oldest, self.grouped, self.query.name, selected
        )

    def known(self) -> File | None:
        return files.known(self.shop.files, self.key)

    def file(self, progress: files.Progress) -> File:
        """The file, as it was written before or written now."""
        found = self.known()
        if found is not None:
            return found
        nodes: Iterable[Node] = (self.resource.node(row, self.root.view) for row in self.rows)
        seed = None if self.grouped else self.shop.options.seed
        return files.write(self.shop.files, self.key, self.record, nodes, seed, progress)
