"""A customer's addresses and form fields. Its own record shows ten addresses; those of others are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from courier import clock
from courier.connectors.bigcommerce.answers import Record
from courier.connectors.bigcommerce.client import Client
from courier.connectors.bigcommerce.families import Family
from courier.connectors.bigcommerce.walk import everything
from courier.connectors.contract import Progress, Waiting
from courier.errors import Incomplete
from courier.storage.selection import Node

EMBEDDED = 10
VERSION_TRIES = 6
BETA = ("segment_ids", "shopper_profile_id")
PATH = "v3/customers"


def includes(asked: Node) -> tuple[str, ...]:
    """What of a customer has to be asked for by name."""
    fields = asked.fields
    forms = "form_field_values" in fields or "form_fields" in fields.get("addresses", Node()).fields
    wanted = {
        "addresses": "addresses" in fields or forms,
        "storecredit": "store_credit_amounts" in fields,
        "formfields": forms,
        **{name: name in fields for name in BETA},
    }
    return tuple(name for name, needed in wanted.items() if needed)


def families(
    client: Client,
    records: Sequence[Record],
    received: datetime,
    wanted: Iterable[str],
    include: Sequence[str],
    progress: Progress,
) -> Iterator[Family]:
    """The customers with all of their addresses and form fields, as wanted. One that is gone by now is left out."""
    asked = frozenset(wanted)
    for record, at in _whole(client, records, received, include, progress):
        below: dict[str, list[Record]] = {}
        if "addresses" in asked:
            below["addresses"] = record.get("addresses") or []
        if "form_field_values" in asked:
            below["form_field_values"] = list(_form_fields(record))
        yield Family(record, at, below)


def _whole(
    client: Client, records: Sequence[Record], received: datetime, include: Sequence[str], progress: Progress
) -> Iterator[tuple[Record, datetime]]:
    """Records with all addresses. Where a customer changed meanwhile it is read again. Raises Incomplete."""
    left = list(records)
    for tries in range(VERSION_TRIES if "addresses" in include else 0):
        _fill(client, [record for record in left if not _is_whole(record)], include)
        yield from ((record, received) for record in left if _is_whole(record))
        left = [record for record in left if not _is_whole(record)]
        if not left:
            return
        progress(Waiting(2.0**tries / 2, "a customer that keeps changing"))
        clock.sleep(2.0**tries / 2)
        wanted = {"id:in": _listed(left), "include": ",".join(include)}
        found, received = client.page(PATH, wanted)
        left = found.records
    if left and "addresses" in include:
        raise Incomplete(
            f"{PATH}: {len(left)} customers have other addresses than they say",
            fix="run again; nothing was committed",
        )
    yield from ((record, received) for record in left)


def _is_whole(record: Mapping[str, Any]) -> bool:
    shown, told = record.get("addresses"), record.get("address_count")
    if not isinstance(shown, list):
        return False
    return len(shown) == told if isinstance(told, int) else len(shown) != EMBEDDED


def _fill(client: Client, records: Sequence[Record], include: Sequence[str]) -> None:
    """Put the addresses of these customers into their records: one list for all of them."""
    if not records:
        return
    shown = {"include": "formfields"} if "formfields" in include else {}
    by_owner: dict[Any, list[Record]] = {record["id"]: [] for record in records}
    for address in everything(client, f"{PATH}/addresses", {"customer_id:in": _listed(records), **shown}):
        by_owner.get(address.get("customer_id"), []).append(address)
    for record in records:
        record["addresses"] = by_owner[record["id"]]


def _listed(records: Iterable[Record]) -> str:
    return ",".join(str(record["id"]) for record in records)


def _form_fields(record: Mapping[str, Any]) -> Iterator[Record]:
    """The customer's own answers, and its addresses'. A value is JSON: a text, a number or a list of texts."""
    for field in record.get("form_fields") or ():
        yield _answer(field, record["id"], None)
    for address in record.get("addresses") or ():
        for field in address.get("form_fields") or ():
            yield _answer(field, None, address["id"])


def _answer(field: Mapping[str, Any], customer: Any, address: Any) -> Record:
    value = orjson.dumps(field.get("value")).decode()
    return {"customer_id": customer, "address_id": address, "name": field.get("name"), "value": value}
