from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import orjson
import pytest

from courier.connectors.shopify.computed import COMPUTED
from courier.storage.duck import connect

MONEY = "STRUCT(shopMoney STRUCT(amount VARCHAR))"
ALLOCATIONS = f'STRUCT(allocatedAmountSet {MONEY}, discountApplication STRUCT("index" VARCHAR))[]'
COLUMNS = {
    "Order": {"discountCodes": "VARCHAR[]"},
    "Order.lineItems": {"originalTotalSet": MONEY, "discountAllocations": ALLOCATIONS},
    "Order.shippingLines": {"discountAllocations": ALLOCATIONS},
    "Order.discountApplications": {
        "index": "VARCHAR",
        "code": "VARCHAR",
        "targetType": "VARCHAR",
        "value": "STRUCT(__typename VARCHAR)",
    },
}


def run(name: str, streams: dict[str, list[dict[str, Any]]]) -> dict[Any, Any]:
    """Run a computed value's SQL over streams read as text, as the load path does."""
    connection = connect()
    for stream, columns in COLUMNS.items():
        fields = {"__record": "BIGINT", "__parentId": "VARCHAR", "__index": "BIGINT", **columns}
        types = orjson.dumps([fields]).decode().replace("'", "''")
        rows = orjson.dumps(streams.get(stream, [])).decode().replace("'", "''")
        connection.execute(
            f'CREATE TABLE "{stream}" AS SELECT UNNEST(value) '
            f"FROM (SELECT unnest(from_json('{rows}', '{types}')) AS value)"
        )
    sql = re.sub(r"\{([A-Za-z.]+)\}", r'"\1"', next(computed.sql for computed in COMPUTED if computed.name == name))
    found = connection.execute(f"SELECT * FROM ({sql})").fetchall()
    return {row[:-1] if len(row) > 2 else row[0]: row[-1] for row in found}


def line(record: int, amount: str | None, *allocations: tuple[int, str]) -> dict[str, Any]:
    allocated = [
        {"allocatedAmountSet": {"shopMoney": {"amount": off}}, "discountApplication": {"index": index}}
        for index, off in allocations
    ]
    money = {"shopMoney": {"amount": amount}} if amount else None
    return {"__record": record, "originalTotalSet": money, "discountAllocations": allocated}


def applied(
    record: int, index: int, code: str | None, kind: str = "MoneyV2", target: str = "LINE_ITEM"
) -> dict[str, Any]:
    return {"__record": record, "index": index, "code": code, "targetType": target, "value": {"__typename": kind}}


def test_the_total_of_all_lines_is_exact_and_nothing_is_0() -> None:
    streams = {
        "Order": [{"__record": 0}, {"__record": 1}, {"__record": 2}],
        "Order.lineItems": [line(0, "0.1"), line(0, "0.2"), line(0, None), line(2, "12.5"), line(2, "broken")],
    }
    found = run("total_line_items_price", streams)
    assert (Decimal(found[0]), Decimal(found[1])) == (Decimal("0.3"), Decimal(0))
    assert found[2] == "broken"  # which is no decimal, so that the row is a record in error


@pytest.mark.parametrize("amount", ["1_000", "0x10", "0.0000000000001", "1e400", "99999999999999999999", " 1"])
def test_an_amount_that_cannot_be_summed_exactly_is_told_instead_of_a_sum(amount: str) -> None:
    """The text is no decimal of the column's, so that the row is a record in error and not a sum that is wrong."""
    streams = {"Order": [{"__record": 0}], "Order.lineItems": [line(0, amount), line(0, amount), line(0, "1")]}
    assert run("total_line_items_price", streams) == {0: amount}


def test_digits_below_the_columns_own_are_summed_and_not_rounded() -> None:
    """Three times 0.00005 is 0.00015, and twice is 0.0001; rounded one by one they would be 0.0003 and 0.0002."""
    streams = {
        "Order": [{"__record": 0, "discountCodes": ["A"]}],
        "Order.discountApplications": [applied(0, 0, "a")],
        "Order.lineItems": [line(0, "0.00005", (0, "0.00005")) for _ in range(2)],
    }
    assert Decimal(run("total_line_items_price", streams)[0]) == Decimal("0.0001")
    assert Decimal(run("discount_code_amount", streams)[0, "A"]) == Decimal("0.0001")


def test_a_codes_amount_is_the_sum_over_lines_and_shipping_whatever_its_case() -> None:
    streams = {
        "Order": [{"__record": 0, "discountCodes": ["Ten", "FREE", "gone"]}, {"__record": 1, "discountCodes": ["TEN"]}],
        "Order.discountApplications": [
            applied(0, 0, "TEN"),
            applied(0, 1, None),
            applied(0, 2, "free", target="SHIPPING_LINE"),
            applied(1, 0, "ten"),
        ],
        "Order.lineItems": [line(0, "9", (0, "1.05"), (1, "100")), line(0, "9", (0, "2"))],
        "Order.shippingLines": [
            {"__record": 0, "discountAllocations": line(0, None, (2, "4.5"))["discountAllocations"]}
        ],
    }
    found = {key: Decimal(value) for key, value in run("discount_code_amount", streams).items()}
    assert found == {(0, "Ten"): Decimal("3.05"), (0, "FREE"): Decimal("4.5"), (1, "TEN"): 0}


@pytest.mark.parametrize(
    ("kind", "target", "type_"),
    [
        ("MoneyV2", "LINE_ITEM", "fixed_amount"),
        ("PricingPercentageValue", "LINE_ITEM", "percentage"),
        ("PricingPercentageValue", "SHIPPING_LINE", "shipping"),
        ("SomethingNew", "LINE_ITEM", None),
    ],
)
def test_a_codes_type_follows_its_first_application(kind: str, target: str, type_: str | None) -> None:
    streams = {
        "Order": [{"__record": 0, "discountCodes": ["A", "A"]}],
        "Order.discountApplications": [applied(0, 3, "a", kind, target)],
    }
    assert run("discount_code_type", streams) == {(0, "A"): type_}
