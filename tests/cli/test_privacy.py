"""No secret and no customer's value leaves courier except as data: not in text, JSON, history or state files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from courier.sandbox import open_shop
from tests.cli.process import RUN, courier, point_at, served

# What holds data by design. Everything else that courier writes may be shown to anybody.
DATA_FOLDERS = {"raw", "landing"}
DATA_FILES = {"shop.json"}
DATA_SUFFIXES = {".duckdb", ".parquet", ".wal"}
IN_THE_SANDBOX = (
    ("validate",),
    ("plan", "--group", "shopify", "--sandbox"),
    ("run", "--group", "shopify", "--sandbox", "--verbose"),
    ("sandbox", "change", "--orders", "50"),
    ("run", "--group", "shopify", "--sandbox", "--json"),
    ("status", "--sandbox", "--json"),
    ("runs", "--sandbox"),
    ("tables", "shopify.customer", "--sandbox"),
    ("tables", "--profile", "--sandbox"),
    ("query", "select cast(email as int), phone from shopify.customer", "--sandbox"),
    ("query", "select * from shopify.customer", "--sandbox"),
)


def needles(folder: Path) -> set[str]:
    """What must not be found: the made-up customers' values, and every credential but the shop's name."""
    history = open_shop(folder / ".courier" / "sandbox").history
    found: set[str | None] = set()
    for family in history.customers.values():
        person = family.customer
        found |= {person.email, person.phone, person.note, f"{person.first_name} {person.last_name}"}
        for address in family.addresses:
            name = f"{address.first_name} {address.last_name}"
            found |= {address.phone, address.place.address1, address.place.address2, name}
    for order in history.orders.values():
        found |= {order.order.email, order.order.phone, order.order.note, order.order.client_ip}
    return {needle for needle in found if needle and len(needle) > 6}


def told(folder: Path, *words: str, **credentials: str) -> str:
    """Everything that a command prints but data."""
    done = courier(folder, *words, **credentials)
    return done.err + ("" if words[0] == "query" else done.out)


def fault(url: str, **values: Any) -> None:
    body = json.dumps(values).encode()
    urlopen(Request(f"{url}/_sandbox/faults", data=body, method="POST"), timeout=10).close()


def as_a_real_shop(folder: Path, ready: dict[str, Any], value: str) -> Iterator[str]:
    """Runs with credentials: a wrong one, a customer's value where a time belongs, and a server that breaks down."""
    known = ready["credentials"]
    run = ("run", "--courier", "shopify", "--feed", "customer")
    yield told(folder, *run, **{**known, "SHOPIFY_ACCESS_TOKEN": "shpat" + "_nearly_right"})
    fault(ready["url"], kind="bad_value", contains="customers", field="createdAt", value=value, times=0)
    spoiled = told(folder, *run, "--verbose", **known)
    assert re.search(r"[1-9]\d* errors", spoiled)
    yield spoiled
    fault(ready["url"], kind="status", status=403, times=0)
    yield told(folder, *run, "--json", **known)
    yield told(folder, "status")
    yield told(folder, "runs")


def shown_runs(folder: Path, said: str) -> Iterator[str]:
    for run in sorted(set(RUN.findall(said))):
        yield told(folder, "runs", run)
        yield told(folder, "runs", run, "--sandbox", "--json")


def state_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted((folder / ".courier").rglob("*")):
        name = path.relative_to(folder)
        data = DATA_FOLDERS & set(name.parts) or path.name in DATA_FILES or DATA_SUFFIXES & set(path.suffixes)
        if path.is_file() and not data:
            yield str(name), path.read_bytes()


@pytest.mark.prints_data  # if it fails, what it has collected is shown
def test_nothing_leaks_in_a_whole_session(project: Path) -> None:
    """Law: no customer's value and no credential in any output or state file of a whole session."""
    said = "".join(told(project, *words) for words in IN_THE_SANDBOX)
    values = needles(project)
    address = sorted(value for value in values if "@" in value)[0]
    with served(project) as ready:
        point_at(project, ready["url"])
        said += "".join(as_a_real_shop(project, ready, address))
    said += "".join(shown_runs(project, said))
    secrets = {value for name, value in ready["credentials"].items() if name != "SHOPIFY_STORE"}
    secrets.add("shpat" + "_nearly_right")
    texts = {"output": said.encode(), **dict(state_files(project))}
    assert len(values) > 1000
    assert any(name.endswith("state.db") for name in texts)
    leaks = [
        (name, kind)
        for name, text in texts.items()
        for kind, known in (("a customer's value", values), ("a credential", secrets))
        if any(needle.encode() in text for needle in known)
    ]
    assert not leaks
