"""BigCommerce's own, small ids for the history's records."""

from __future__ import annotations

from zlib import crc32

from courier.sandbox.history.catalogue import FIRST_PRODUCT, FIRST_VARIANT
from courier.sandbox.history.options import Options
from courier.sandbox.history.orders import FIRST_LINE
from courier.sandbox.history.people import FIRST_ADDRESS, FIRST_CUSTOMER
from courier.sandbox.history.refunds import FIRST_REFUND
from courier.sandbox.history.rows import Seconds

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def store_hash(options: Options | None, anchor: Seconds) -> str:
    """The store's own id. A history of another instant or seed is another store."""
    number, letters = crc32(f"{options}{anchor}".encode()), ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        letters = _DIGITS[digit] + letters
    return f"bc{letters}"


def customer(identity: int) -> int:
    return (identity - FIRST_CUSTOMER) // 32_768 + 1


def address(identity: int) -> int:
    return identity - FIRST_ADDRESS + 1


def product(identity: int) -> int:
    return (identity - FIRST_PRODUCT) // 32_768 + 1


def variant(identity: int) -> int:
    return (identity - FIRST_VARIANT) // 4_096 + 1


def order(number: int) -> int:
    """Of the order's number."""
    return number - 900


def line(identity: int) -> int:
    return identity - FIRST_LINE + 1


def refund(identity: int) -> int:
    return identity - FIRST_REFUND + 1
