"""Checkouts that were left before the end. Made when somebody asks: a shop of a million orders has 200,000 of them.

They come from a source of numbers of their own, so that every other record is what it would be without them.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from courier.sandbox.history.options import DAY, Options, maybe, pick, roll_for
from courier.sandbox.history.people import customer_id
from courier.sandbox.history.rows import CheckoutChange, CheckoutRow, History
from courier.sandbox.history.words import NOTES

FIRST_CHECKOUT = 41_700_000_000_000
SPAN = 90 * DAY  # older ones are gone
PER_ORDER = 5  # one is left for so many orders placed
CODES = ("WELCOME10", "FREESHIP", "SPRING")


def checkouts(history: History) -> dict[int, CheckoutRow]:
    """Every checkout of a shop as it stands, by id. Not to be changed by the caller."""
    return _made(history.options, history.anchor, history.checkout_changes) if history.options else {}


@lru_cache(maxsize=4)
def _made(options: Options, anchor: int, changes: tuple[CheckoutChange, ...]) -> dict[int, CheckoutRow]:
    count = options.orders // PER_ORDER
    slot = SPAN / max(1, count)
    rows = [_checkout(options, index, anchor - SPAN + int(index * slot), anchor - 1) for index in range(count)]
    for change in changes:
        _change(options, rows, change)
    return {row.id: row for row in rows}


def _change(options: Options, rows: list[CheckoutRow], change: CheckoutChange) -> None:
    """Some are completed late, one in three of them new ones."""
    roll = roll_for(options.seed, "chch", change.number)
    for _ in range(change.orders // 10 if rows else 0):
        at = int(roll() * len(rows))
        rows[at] = replace(rows[at], updated_at=change.at, completed_at=rows[at].completed_at or change.at)
    rows += [_checkout(options, len(rows) + more, change.at, change.at) for more in range(change.orders // 20)]


def _checkout(options: Options, index: int, created: int, latest: int) -> CheckoutRow:
    roll = roll_for(options.seed, "chec", index)
    updated = min(latest, created + int(roll() ** 3 * 3 * DAY))
    lines = 100 * (1 + int(roll() * 400)) - pick(roll, (0, 1, 5))
    codes = (pick(roll, CODES),) if roll() < 0.2 else ()
    discounts = lines // 10 if codes else 0
    tax = maybe(roll, 0.9, int((lines - discounts) * 0.07))
    return CheckoutRow(
        id=FIRST_CHECKOUT + index * 32_768,
        name=f"#{FIRST_CHECKOUT + index * 32_768}",
        created_at=created,
        updated_at=updated,
        completed_at=maybe(roll, 0.15, updated),
        customer_id=maybe(roll, 0.7, customer_id(int(roll() * options.customers))) if options.customers else None,
        currency=options.currency,
        discount_codes=codes,
        note=maybe(roll, 0.1, pick(roll, NOTES)) or "",
        taxes_included=False,
        line_items_price=lines,
        discounts=discounts,
        subtotal=lines - discounts,
        tax=tax,
        duties=maybe(roll, 0.05, 250),
        total=lines - discounts + (tax or 0),
    )
