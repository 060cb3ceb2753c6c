"""The fields that domain tables ask for: each path once, lists marked, nothing that no column reads."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from courier.storage.selection import Computed, Node, identity_of, select, select_path

from .shaping import ALLOCATION, LINE, ORDER, REFUND_LINE, TAG, column, table


def outline(node: Node) -> Any:
    """A node as nested mappings, lists marked with []."""
    return {name + "[]" * child.is_list: outline(child) for name, child in node.fields.items()} or None


def test_a_table_asks_for_the_fields_of_its_columns() -> None:
    assert outline(select([ORDER], lists=["Order.tags"])["Order"]) == {
        "legacyResourceId": None,
        "name": None,
        "totalSet": {"shopMoney": {"amount": None}},
        "tags[]": None,
        "updatedAt": None,
    }


def test_tables_of_one_root_are_asked_for_together() -> None:
    found = outline(select([LINE, ALLOCATION, REFUND_LINE, TAG])["Order"])
    assert found == {
        "lineItems[]": {
            "id": None,
            "quantity": None,
            "allocations[]": {"amountSet": {"amount": None}},
        },
        "legacyResourceId": None,
        "name": None,
        "refunds[]": {"lines[]": {"id": None}, "legacyResourceId": None},
        "tags[]": None,
    }


def test_picks_and_brackets_mark_lists() -> None:
    asked = table("t", "Order", [], column("a", "string", "options[1].value"), column("b", "string[]", "marks[]"))
    assert outline(select([asked])["Order"]) == {"options[]": {"value": None}, "marks[]": None}


def test_a_computed_value_brings_what_it_reads_and_only_if_it_is_used() -> None:
    total = Computed("total", "Order", ("Order.lineItems[].price.amount",), "", "")
    other = Computed("other", "Order", ("Order.secret",), "", "")
    asked = table("t", "Order", [], column("a", "decimal", "computed.total"))
    assert outline(select([asked], [total, other])["Order"]) == {"lineItems[]": {"price": {"amount": None}}}
    assert outline(select([ORDER], [total, other])["Order"]) == outline(select([ORDER])["Order"])


def test_a_list_is_marked_only_where_it_is_asked_for() -> None:
    assert outline(select([LINE], lists=["Order.tags", "Customer.tags"])["Order"]) == outline(select([LINE])["Order"])


def test_of_a_parent_its_key_and_version_are_enough() -> None:
    assert [found.name for found in identity_of(ORDER).columns] == ["id", "updated_at"]


PATHS = st.lists(st.lists(st.sampled_from(["a", "b[]", "c"]), min_size=1, max_size=4).map(".".join), max_size=6)


@given(PATHS, st.randoms())
def test_the_order_of_asking_does_not_matter(paths: list[str], random: Any) -> None:
    def asked(ordered: list[str]) -> Any:
        roots: dict[str, Node] = {"Order": Node()}
        for path in ordered:
            select_path(roots, f"Order.{path}")
        return outline(roots["Order"])

    shuffled = list(paths)
    random.shuffle(shuffled)
    assert asked(paths) == asked(shuffled) == asked(paths * 2)
