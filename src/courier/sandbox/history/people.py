"""Customers and their addresses."""

from __future__ import annotations

from courier.sandbox.history.options import DAY, SPAN, Options, Roll, maybe, pick, roll_for, some_tags
from courier.sandbox.history.rows import AddressRow, CustomerFamily, CustomerRow, Place
from courier.sandbox.history.words import CITIES, COMPANIES, FIRST_NAMES, LAST_NAMES, LONG, NOTES, STREETS, TAGS

FIRST_CUSTOMER = 6_100_000_000_000
FIRST_ADDRESS = 8_200_000_000_000
SLOTS = 64  # ids of addresses that belong to one customer
STATES = ("ENABLED", "ENABLED", "DISABLED", "DISABLED", "DISABLED", "INVITED", "DECLINED")
NO_PLACE = Place(None, None, None, None, None, None, None, None)


def customer_id(index: int) -> int:
    return FIRST_CUSTOMER + index * 32_768


def customer_family(options: Options, index: int, anchor: int) -> CustomerFamily:
    """The customer as an account, before any order counts towards it."""
    roll = roll_for(options.seed, "cust", index)
    identity = customer_id(index)
    created = _created(options, index, anchor, roll)
    addresses = tuple(_address(roll, index, position) for position in range(_address_count(options, index, roll)))
    first, last = maybe(roll, 0.95, pick(roll, FIRST_NAMES)), maybe(roll, 0.93, pick(roll, LAST_NAMES))
    email = maybe(roll, 0.94, f"customer.{index}@example.com")
    row = CustomerRow(
        id=identity,
        created_at=created,
        updated_at=_updated(index, created, anchor, roll),
        first_name=LONG if options.special and index == 5 else first,
        last_name=last,
        email=email,
        phone=maybe(roll, 0.4, f"+1555{index % 10_000_000:07d}"),
        note=maybe(roll, 0.15, pick(roll, NOTES)),
        state=pick(roll, STATES),
        tags=some_tags(roll, TAGS, 4) if roll() < 0.5 else (),
        tax_exempt=roll() < 0.05,
        verified_email=email is not None and roll() < 0.8,
        multipass_identifier=maybe(roll, 0.03, f"multipass-{index}"),
        default_address_id=addresses[int(roll() * len(addresses))].id if addresses and roll() < 0.97 else None,
        orders_count=0,
        amount_spent=0,
        last_order_id=None,
    )
    return CustomerFamily(row, addresses)


def _created(options: Options, index: int, anchor: int, roll: Roll) -> int:
    slot = SPAN / max(1, options.customers)
    return min(anchor - 1, anchor - SPAN + int((index + roll() * 0.9) * slot))


def _updated(index: int, created: int, anchor: int, roll: Roll) -> int:
    # Every ninth account was touched by one bulk edit, so that many share a second.
    bulk_edit = anchor - 45 * DAY
    if index % 9 == 0 and created < bulk_edit:
        return bulk_edit
    return min(anchor - 1, created + int(roll() ** 3 * 200 * DAY))


def _address_count(options: Options, index: int, roll: Roll) -> int:
    if options.special and index in (4, 40):
        return 12 if index == 4 else 27
    return pick(roll, (0, 1, 1, 1, 1, 2, 2, 3))


def _address(roll: Roll, index: int, position: int) -> AddressRow:
    return AddressRow(
        id=FIRST_ADDRESS + index * SLOTS + position,
        customer_id=customer_id(index),
        first_name=maybe(roll, 0.95, pick(roll, FIRST_NAMES)),
        last_name=maybe(roll, 0.95, pick(roll, LAST_NAMES)),
        company=maybe(roll, 0.15, pick(roll, COMPANIES)),
        phone=maybe(roll, 0.3, f"+1555{(index * 7 + position) % 10_000_000:07d}"),
        place=place(roll),
    )


def place(roll: Roll) -> Place:
    """A made-up street in a made-up city; now and then an address without a single part."""
    if roll() < 0.01:
        return NO_PLACE
    city, province, province_code, country, country_code, postal = pick(roll, CITIES)
    return Place(
        address1=f"{1 + int(roll() * 999)} {pick(roll, STREETS)}",
        address2=maybe(roll, 0.2, f"Apt. {int(roll() * 90)}"),
        city=city,
        province=province,
        province_code=province_code,
        country=country,
        country_code=country_code,
        zip=postal,
    )
