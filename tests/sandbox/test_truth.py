"""The truth: thirteen tables told by SQL, moved by changes exactly as reported, and reached through the API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from courier import clock, sandbox
from courier.errors import UsageError
from courier.sandbox.history.changes import apply
from courier.sandbox.history.differing import differing
from courier.sandbox.history.generate import generate
from courier.sandbox.history.options import Options
from courier.sandbox.history.rows import History
from courier.sandbox.server import Sandbox
from courier.sandbox.shop import Shop
from courier.sandbox.shopify.truth import BOOKS, KEYS, columns, truth_rows, truth_tables
from courier.sandbox.telling import Truth
from tests.sandbox import documents
from tests.sandbox.client import Client
from tests.sandbox.conftest import SMALL


def test_thirteen_tables_of_177_columns() -> None:
    """Law: the column set is the whole one, whatever the shop holds."""
    found = {table: columns(table) for table in KEYS}
    assert len(found) == 13 and sum(map(len, found.values())) == 177
    assert {kind for table in found.values() for kind in table.values()} == {
        "BIGINT",
        "BOOLEAN",
        "DECIMAL(19,4)",
        "DOUBLE",
        "TIMESTAMPTZ",
        "VARCHAR",
    }


def test_the_truth_counts_what_there_is(served: Sandbox) -> None:
    """Law: rows per table are the history's; the server tells the same hashes."""
    history = served.shop.history
    told = {i.table.removeprefix("shopify."): i for i in sandbox.truth(served.shop)}
    assert told["order"].rows == len(history.orders) == 120
    assert told["order_line"].rows == sum(len(family.lines) for family in history.orders.values())
    assert told["product_variant"].rows == sum(1 for _ in history.variants())
    assert told["customer_tags"].rows == sum(len(i.customer.tags) for i in history.customers.values())
    over_http = requests.get(f"{served.url}/_sandbox/truth", timeout=10).json()["tables"]
    assert over_http == [{"table": i.table, "rows": i.rows, "hash": i.hash} for i in told.values()]


def test_primary_keys_are_unique(served: Sandbox) -> None:
    """Law: no two rows of a table share its key, also after changes."""
    sandbox.change(served.shop, 40)
    for table, rows in truth_tables(served.shop).items():
        assert len({tuple(row[name] for name in KEYS[table]) for row in rows}) == len(rows)


Tables = dict[str, dict[tuple[Any, ...], dict[str, Any]]]


def _by_key(shop: Shop) -> Tables:
    found = truth_tables(shop)
    return {table: {tuple(row[i] for i in key): row for row in found[table]} for table, key in KEYS.items()}


def test_a_change_does_what_it_reports(served: Sandbox) -> None:
    """Law: truth after = truth before plus what was reported, by table; all that a person would look for moves."""
    before = _by_key(served.shop)
    told = {i.table.removeprefix("shopify."): i for i in sandbox.change(served.shop, 60)}
    after = _by_key(served.shop)
    for table, old in before.items():
        new = after[table]
        updated = sum(old[key] != new[key] for key in old.keys() & new.keys())
        found = (len(new.keys() - old.keys()), updated, len(old.keys() - new.keys()))
        assert found == (told[table].inserted, told[table].updated, told[table].deleted), table
    assert told["order"].inserted and told["order"].updated and told["customer"].updated
    assert told["order_tags"].deleted and told["order_line"].deleted and told["order_line_refund"].inserted
    assert told["product"].deleted


def test_the_moved_parts_tell_a_change() -> None:
    """Law: the domain tables of what moved differ in the same rows as those of the whole shop."""
    whole = generate(SMALL, 1_795_000_000)
    changed = whole.copy()
    apply(changed, SMALL, {"kind": "change", "at": 1_795_000_100, "orders": 20, "number": 0})
    parts = differing(whole, changed)
    assert len(parts[1].orders) < 60 and len(parts[1].products) < 6
    (before, after), (less, more) = (
        [dict(enumerate(_comparable(state))) for state in pair] for pair in ((whole, changed), parts)
    )
    for at in before:
        assert after[at] - before[at] == more[at] - less[at] and before[at] - after[at] == less[at] - more[at]


def _comparable(history: History) -> list[set[str]]:
    with Truth(BOOKS) as told:
        told.tell("truth", history, "USD", KEYS)
        return [set(map(repr, told.listed("truth", table))) for table in KEYS]


def test_changed_by_request(served: Sandbox) -> None:
    """Law: a server changes its shop as the command does, and tells the same."""
    asked = requests.post(f"{served.url}/_sandbox/change", json={"orders": 20}, timeout=10).json()["tables"]
    told = {i["table"].removeprefix("shopify."): i for i in asked}
    assert [change["orders"] for change in served.shop.changes] == [20]
    assert told.keys() == KEYS.keys() and told["order"]["inserted"] == len(served.shop.history.orders) - SMALL.orders


def test_changed_records_carry_the_present_second(served: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law: an order, customer or product that differs has its updated_at at the change; others keep theirs."""
    later = clock.now() + timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    tables = ("customer", "order", "product")
    before = _by_key(served.shop)
    sandbox.change(served.shop, 60)
    after = _by_key(served.shop)
    for table in tables:
        for key, row in after[table].items():
            moved = row["updated_at"] == later.replace(microsecond=0)
            assert moved or row == before[table][key]


def test_children_change_only_with_their_parent(served: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law: a line, tag, code, address or variant that differs has a parent updated at the change."""
    later = clock.now() + timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    before = _by_key(served.shop)
    sandbox.change(served.shop, 60)
    after = _by_key(served.shop)
    parents = {"order_line": ("order", "order_id"), "product_variant": ("product", "product_id")}
    parents |= {"customer_address": ("customer", "customer_id"), "order_tags": ("order", "order_id")}
    for table, (parent, reference) in parents.items():
        owners = after[parent]
        for key, row in after[table].items():
            if before[table].get(key) != row:
                assert owners[(row[reference],)]["updated_at"] == later.replace(microsecond=0)


def test_deleted_products_leave_an_event(served: Sandbox, client: Client) -> None:
    """Law: every product that is gone has a destroy event of that second, and no order line ever named it."""
    before = set(served.shop.history.products)
    sandbox.change(served.shop, 60)
    gone = before - set(served.shop.history.products)
    events = client.every(documents.EVENTS, "events", first=250, query="action:destroy")
    assert gone and {f"gid://shopify/Product/{i}" for i in gone} <= {event["subjectId"] for event in events}
    assert not gone & {row["product_id"] for row in truth_rows(served.shop, "order_line")}


def test_a_shop_lasts_in_its_folder(tmp_path: Path) -> None:
    """Law: opened again, by this or another process, a shop is what it was; a server sees what others change."""
    shop = sandbox.open_shop(tmp_path, SMALL)
    with sandbox.serve(shop) as running:
        other = sandbox.open_shop(tmp_path)
        assert other.history == shop.history
        sandbox.change(other, 20)
        client = Client(running)
        assert client.data("{ ordersCount { count } }")["ordersCount"]["count"] == len(other.history.orders) > 120
    assert sandbox.truth(sandbox.open_shop(tmp_path)) == sandbox.truth(other)
    assert (tmp_path / "shop.json").stat().st_mode & 0o777 == 0o600
    with pytest.raises(UsageError):
        sandbox.open_shop(tmp_path, Options(orders=7))


def test_a_shop_that_nobody_used_for_days(tmp_path: Path) -> None:
    """Law: with an age, everything in a shop made anew is at least so old; opened again it is the same shop."""
    made = Shop.open(tmp_path, SMALL, age=timedelta(days=3))
    latest = max(family.order.updated_at for family in made.history.orders.values())
    assert latest < made.seconds() - 3 * 86_400 + 1
    assert Shop.open(tmp_path).anchor == made.anchor


def test_a_reset_undoes_changes(served: Sandbox) -> None:
    """Law: after a reset with changes the shop is as it was made."""
    before = sandbox.truth(served.shop)
    sandbox.change(served.shop, 20)
    assert sandbox.truth(served.shop) != before
    requests.post(f"{served.url}/_sandbox/reset", json={"changes": True}, timeout=5)
    assert sandbox.truth(served.shop) == before


def test_a_source_without_a_side_is_told(served: Sandbox) -> None:
    """Whatever is asked of it. Nothing has changed then."""
    before = len(served.shop.changes)
    asked: list[Callable[[], object]] = [
        lambda: sandbox.truth(served.shop, source="elsewhere"),
        lambda: sandbox.change(served.shop, sources=["shopify", "elsewhere"]),
        lambda: served.credential("elsewhere"),
    ]
    for one in asked:
        with pytest.raises(UsageError, match="the sandbox has no elsewhere"):
            one()
    assert len(served.shop.changes) == before
