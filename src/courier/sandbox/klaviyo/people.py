"""Profiles, and the lists and segments that they are members of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from courier.sandbox.history.options import DAY, Roll, maybe, pick
from courier.sandbox.history.rows import CustomerFamily, CustomerRow, History, Place
from courier.sandbox.history.words import LOCALES
from courier.sandbox.klaviyo.making import dice, json_text, latest, number_of, profile_id
from courier.sandbox.klaviyo.rows import GroupRow, MemberRow, ProfileRow

CONSENTS = ("SUBSCRIBED", "SUBSCRIBED", "SUBSCRIBED", "UNSUBSCRIBED", "NEVER_SUBSCRIBED")
CHANNELS = ("email", "sms", "push", "whatsapp")
NOWHERE = Place(None, None, None, None, None, None, None, None)
LIST, SEGMENT = "list", "segment"
AWAY = 180 * DAY

Rule = Callable[[CustomerRow, ProfileRow], bool]
LISTS: dict[str, tuple[str, Rule]] = {
    "LstNew": ("Newsletter", lambda _, profile: profile.email_consent == "SUBSCRIBED"),
    "LstSms": ("Text messages", lambda _, profile: profile.sms_consent == "SUBSCRIBED"),
    "LstPop": ("Pop-up: 10 % off \U0001f381", lambda customer, _: number_of(customer.id) % 5 == 0),
    "LstNil": ("Nobody yet", lambda *_: False),
}
SEGMENTS: dict[str, tuple[str, Rule]] = {
    "SegAll": ("Everybody", lambda *_: True),
    "SegVip": ("VIP", lambda customer, _: customer.amount_spent > 150_000),
    "SegRep": ("Bought again", lambda customer, _: customer.orders_count >= 2),
    "SegOne": ("Bought once", lambda customer, _: customer.orders_count == 1),
    "SegNon": ("Never bought", lambda customer, _: customer.orders_count == 0),
    "SegTag": ("Tagged vip", lambda customer, _: "vip" in customer.tags),
    "SegUni": ("Ünïcode 日本", lambda customer, _: "日本" in customer.tags),
    "SegSms": ("Reachable by text", lambda _, profile: profile.sms_consent == "SUBSCRIBED"),
    "SegAny": ("Bought at all", lambda customer, _: customer.orders_count >= 1),
    "SegNil": ("Nobody", lambda *_: False),
    "SegPho": ("With a telephone", lambda customer, _: customer.phone is not None),
}


def profiles(history: History) -> Iterator[ProfileRow]:
    as_of, changes = latest(history), len(history.checkout_changes)
    return (_profile(history, family, as_of, changes) for family in history.customers.values())


def _profile(history: History, family: CustomerFamily, as_of: int, changes: int) -> ProfileRow:
    customer = family.customer
    number = number_of(customer.id)
    roll = dice(history, "klpr", number)
    address = family.addresses[0] if family.addresses else None
    place = address.place if address else NOWHERE
    latitude = maybe(roll, 0.3, f"{int(roll() * 90)}.25")
    email_consent = pick(roll, CONSENTS) if customer.email else "NEVER_SUBSCRIBED"
    sms_consent = pick(roll, CONSENTS) if customer.phone else "NEVER_SUBSCRIBED"
    suppressed = [{"reason": "HARD_BOUNCE", "timestamp": "2026-01-02T03:04:05+00:00"}] if number % 17 == 0 else []
    return ProfileRow(
        id=profile_id(customer.id),
        customer_id=customer.id,
        email=customer.email,
        phone_number=customer.phone,
        external_id=str(customer.id) if number % 3 else None,
        first_name=customer.first_name,
        last_name=customer.last_name,
        organization=address.company if address else None,
        locale=maybe(roll, 0.6, pick(roll, LOCALES)),
        title=maybe(roll, 0.1, "Dr. “Example”"),
        image=maybe(roll, 0.1, f"https://images.example/{number}.png"),
        created=customer.created_at,
        updated=customer.updated_at,
        last_event_date=customer.updated_at if customer.orders_count else None,
        address1=place.address1,
        address2=place.address2,
        city=place.city,
        region=place.province,
        zip=place.zip,
        country=place.country,
        latitude=latitude,
        longitude=latitude and f"-{latitude}",
        timezone=maybe(roll, 0.4, "Europe/Berlin"),
        ip=maybe(roll, 0.3, f"192.0.2.{number % 250}"),
        properties=_properties(customer),
        email_consent=email_consent,
        email_consent_at=customer.created_at if email_consent != "NEVER_SUBSCRIBED" else None,
        email_method="PREFERENCE_PAGE" if email_consent == "UNSUBSCRIBED" else None,
        suppression=json_text(suppressed),
        list_suppressions=json_text([]),
        sms_consent=sms_consent,
        sms_consent_at=customer.created_at if sms_consent != "NEVER_SUBSCRIBED" else None,
        push=number % 7 == 0,
        whatsapp=number % 11 == 0,
        orders=customer.orders_count,
        **_predictions(customer, as_of, changes, roll),
    )


def _properties(customer: CustomerRow) -> str:
    told = {
        "$source": "Shopify",
        "tags": list(customer.tags),
        "note": customer.note,
        "tax": {"exempt": customer.tax_exempt},
    }
    return json_text({} if customer.state == "DECLINED" else told)


def _predictions(customer: CustomerRow, as_of: int, changes: int, roll: Roll) -> dict[str, Any]:
    """Made anew for everybody whenever the account is looked at, without moving `updated`."""
    names = ("historic_clv", "predicted_clv", "total_clv", "historic_number_of_orders", "predicted_number_of_orders",
             "average_days_between_orders", "average_order_value", "churn_probability", "expected_date_of_next_order",
             "ranked_channel_affinity")  # fmt: skip
    if not customer.orders_count:
        return dict.fromkeys(names)
    spent, orders = customer.amount_spent / 100, customer.orders_count
    predicted = round(spent * 0.4 + changes, 2)
    days = round(float(as_of - customer.created_at) / DAY / orders, 1) if orders > 1 else None
    churn = round((number_of(customer.id) * 37 % 100) / 100, 2)
    channels = sorted(CHANNELS, key=lambda name: (customer.id // 32_768 * len(name)) % 13)
    values = (round(spent, 2), predicted, round(spent + predicted, 2), float(orders), round(orders * 0.3, 2), days,
              round(spent / orders, 2), churn, customer.updated_at + 30 * DAY, json_text(channels))  # fmt: skip
    return dict(zip(names, values, strict=True))


def groups(history: History) -> Iterator[GroupRow]:
    made = history.anchor - 400 * DAY
    for position, (identity, (name, _)) in enumerate(LISTS.items()):
        opt_in = "double_opt_in" if position % 2 else "single_opt_in"
        yield GroupRow(LIST, identity, name, made + position, made + position * DAY, opt_in_process=opt_in)
    for position, (identity, (name, _)) in enumerate(SEGMENTS.items()):
        condition = {"type": "profile-metric", "metric_id": "MtrOrd", "measurement": "count", "position": position}
        definition = json_text({"condition_groups": [{"conditions": [condition]}]})
        flags = (position != 6, False, position == 1)
        yield GroupRow(SEGMENT, identity, name, made + position, made + position * DAY, definition, *flags)


def members(history: History) -> Iterator[MemberRow]:
    customers = [family.customer for family in history.customers.values()]
    people = list(zip(customers, profiles(history), strict=True))
    for kind, rules in ((LIST, LISTS), (SEGMENT, SEGMENTS)):
        for position, (identity, (_, rule)) in enumerate(rules.items()):
            for customer, profile in people:
                if rule(customer, profile):
                    yield MemberRow(kind, identity, profile.id, customer.created_at + position)
