"""What must be true of order items, whatever their source: Amperity's rules for transactions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from courier.clock import rfc3339
from courier.storage.duck import quote, text
from courier.storage.entities import SCHEMA
from courier.storage.inspect import types_of

if TYPE_CHECKING:
    from courier.storage.duck import Connection

VIEW = "order_item"
_RELATION = f"{SCHEMA}.{VIEW}"
_CENT = "0.0101"  # one cent may be lost in rounding, and doubles are not exact
_NUMBER = re.compile(r"DECIMAL.*|DOUBLE|BIGINT")
_AMOUNTS = (
    *("item_cost", "item_discount_amount", "item_list_price", "item_subtotal", "item_tax_amount"),
    *("unit_cost", "unit_discount_amount", "unit_list_price", "unit_revenue", "unit_subtotal", "unit_tax_amount"),
    "order_discount_amount",
)
"""Below zero only for what came back. A profit may be a loss."""
_NUMBERS = frozenset((*_AMOUNTS, "item_quantity", "item_revenue", "item_discount_percent"))


@dataclass(frozen=True)
class Check:
    """`fails` is SQL over a row of semantic.order_item; a row of which it is null, as of an unknown amount, passes."""

    name: str
    needs: tuple[str, ...]
    fails: str


@dataclass(frozen=True)
class Finding:
    """One check of one source. `needs`: the columns for want of which it was not made; then nothing was counted.

    query: lists the rows that fail, by source, table and key.
    """

    check: str
    source: str
    rows: int
    failing: int
    needs: tuple[str, ...]
    query: str


def findings(connection: Connection, now: datetime) -> list[Finding]:
    """Every check, by source; those that cannot be made come last. Empty where no table is tagged txn-item/*."""
    there = usable(types_of(connection, SCHEMA, VIEW))
    if not there:
        return []
    known = list(checks(there, now))
    possible = [one for one in known if there.issuperset(one.needs)]
    lacking = [(one.name, tuple(name for name in one.needs if name not in there)) for one in known]
    left = (Finding(name, "", 0, 0, needs, "") for name, needs in lacking if needs)
    return [*(_counted(connection, possible) if possible else ()), *left]


def usable(types: Mapping[str, str]) -> frozenset[str]:
    """The columns that have the type which the checks count on: a project may give a tag another one."""
    return frozenset(name for name, kind in types.items() if _is_usable(name, kind))


def _is_usable(name: str, kind: str) -> bool:
    if name.startswith("is_"):
        return kind == "BOOLEAN"
    if name == "order_datetime":
        return kind == "TIMESTAMP WITH TIME ZONE"
    if name in _NUMBERS:
        return _NUMBER.fullmatch(kind) is not None
    return True


def _counted(connection: Connection, possible: Sequence[Check]) -> Iterator[Finding]:
    flags = ", ".join(f"({one.fails}) AS {quote(one.name)}" for one in possible)
    counts = ", ".join(f"count_if({quote(one.name)})" for one in possible)
    query = f"SELECT source, count(*), {counts} FROM (SELECT source, {flags} FROM {_RELATION}) GROUP BY 1"
    counted = sorted(connection.execute(query).fetchall())
    for place, one in enumerate(possible):
        for source, rows, *failing in counted:
            yield Finding(one.name, source, rows, failing[place], (), _listing(one))


def _listing(check: Check) -> str:
    asked = "QUALIFY" if " OVER " in check.fails else "WHERE"
    return f"SELECT source, source_table, source_key FROM {_RELATION} {asked} {check.fails}"


def checks(there: Collection[str], now: datetime) -> Iterator[Check]:
    """The checks for the columns that are there; one that lacks a column needs it all the same."""
    back = [f"coalesce({one}, false)" for one in ("is_return", "is_cancellation") if one in there]
    reverses = f"({' OR '.join(back) or 'false'})"
    yield from _present(there)
    yield from _unique(there)
    yield from _signs(there, reverses)
    yield from _sums()
    yield Check("date in the future", ("order_datetime",), f"order_datetime > TIMESTAMPTZ {text(rfc3339(now))}")
    yield Check("returned and canceled at once", ("is_return", "is_cancellation"), "is_return AND is_cancellation")
    several = "min(currency) OVER (PARTITION BY source) <> max(currency) OVER (PARTITION BY source)"
    yield Check("several currencies in one source", ("currency",), several)
    yield Check("currency is no ISO 4217 code", ("currency",), "NOT regexp_full_match(currency::VARCHAR, '[A-Z]{3}')")


def _present(there: Collection[str]) -> Iterator[Check]:
    for name in ("order_id", "product_id", "store_id"):
        yield Check(f"{name} missing", (name,), f"coalesce(trim({name}::VARCHAR), '') = ''")
    for name in ("order_datetime", "item_quantity", "item_revenue"):
        yield Check(f"{name} missing", (name,), f"{name} IS NULL")
    keys = _customer_keys(there) or ("customer_id",)
    yield Check("customer missing", keys, f"concat({_listed(keys)}) = ''")


def _customer_keys(there: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(name for name in there if name in ("customer_id", "ck") or name.startswith("fk_")))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _unique(there: Collection[str]) -> Iterator[Check]:
    # What comes back bit by bit is the same product of the same order, at another time.
    event = [name for name in ("is_return", "is_cancellation", "order_datetime") if name in there]
    same = _listed(["source", "order_id", "product_id", *event])
    once = f"order_id IS NOT NULL AND product_id IS NOT NULL AND count(*) OVER (PARTITION BY {same}) > 1"
    yield Check("product more than once in an order", ("order_id", "product_id"), once)
    customer = next(iter(_customer_keys(there)), "customer_id")
    yield Check("order of several customers", ("order_id", customer), _differ(customer, "source, order_id"))
    yield Check("order_id in several sources", ("order_id",), _differ("source", "order_id"))


def _differ(name: str, by: str) -> str:
    return f"order_id IS NOT NULL AND min({name}) OVER (PARTITION BY {by}) <> max({name}) OVER (PARTITION BY {by})"


def _signs(there: Collection[str], reverses: str) -> Iterator[Check]:
    """Purchases are not below zero; what is returned or canceled is not above."""
    for name in ("item_quantity", "item_revenue"):
        yield Check(f"{name} below zero in a purchase", (name,), f"{name} < 0 AND NOT {reverses}")
        yield Check(f"{name} above zero in a return or cancellation", (name,), f"{name} > 0 AND {reverses}")
    amounts = [name for name in _AMOUNTS if name in there]
    wrong = " OR ".join(f"({reverses} AND {name} > 0) OR (NOT {reverses} AND {name} < 0)" for name in amounts)
    yield Check("another amount with the wrong sign", tuple(amounts) or ("item_list_price",), wrong)


def _sums() -> Iterator[Check]:
    for total, left, sign, right in (
        ("item_revenue", "item_list_price", "-", "item_discount_amount"),
        ("unit_list_price", "unit_discount_amount", "+", "unit_subtotal"),
    ):
        wrong = f"abs({total} - ({left}::DOUBLE {sign} {right})) > {_CENT}"
        yield Check(f"{total} is not {left} {sign} {right}", (total, left, right), wrong)
    # Of a return all three are negative, by the rule for signs: then the product is not.
    product = "abs(abs(item_discount_amount) - abs(item_quantity::DOUBLE * unit_discount_amount))"
    needs = ("item_discount_amount", "item_quantity", "unit_discount_amount")
    yield Check("item_discount_amount is not item_quantity * unit_discount_amount", needs, f"{product} > {_CENT}")
    share = "item_discount_percent"
    yield Check(f"{share} outside of 0 to 1", (share,), f"{share} NOT BETWEEN 0 AND 1")
    of = f"abs({share} - item_discount_amount / nullif(item_list_price, 0)) > {_CENT}"
    yield Check(
        f"{share} is not item_discount_amount / item_list_price",
        (share, "item_discount_amount", "item_list_price"),
        of,
    )
