"""Addresses and phone numbers leave in no text, wherever they stand in it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from courier.activations.scrub import scrub, scrubbed, scrubbed_payload

WORDS = st.text(max_size=20)
NAMES = st.text("abcxyz019._+-", min_size=1, max_size=12)
SEPARATORS = st.sampled_from(["", " ", "-", ".", " - ", "/"])
PHONES = st.builds(
    lambda head, groups, between: head + between.join(groups),
    st.sampled_from(["+1 ", "+49", "00", "(0", "+", "0"]),
    st.lists(st.sampled_from(["12", "555", "0199"]), min_size=4, max_size=4),
    SEPARATORS,
)


@settings(max_examples=60)
@given(WORDS, NAMES, st.sampled_from(["example.com", "mail.example.co.uk"]), WORDS)
def test_no_address_is_left(before: str, name: str, host: str, after: str) -> None:
    """Whatever stands around it, also inside of lists and names of fields; and twice is once."""
    text = f"{before} {name}@{host} {after}"
    assert f"{name}@{host}" not in scrub(text)
    assert scrub(scrub(text)) == scrub(text)
    assert f"@{host}" not in str(scrubbed({"a": [text], text: 1})) + str(scrubbed_payload([text]))


@settings(max_examples=60)
@given(WORDS, PHONES, WORDS)
def test_no_phone_number_is_left(before: str, phone: str, after: str) -> None:
    """As people write them."""
    left = scrub(f"{before} {phone} {after}")
    assert phone not in left
    assert scrub(left) == left


@pytest.mark.parametrize("phone", ["+15551234567", "(555) 123-4567", "555-123-4567", "5551234567", "+49 (0)30 123456"])
def test_a_number_to_call(phone: str) -> None:
    assert scrub(f"call {phone}, please") == "call [phone], please"


@pytest.mark.parametrize(
    "text",
    ["120 customers", "1700000 USD", "2026-11-20", "20.11.2026", "2019-2026", "3.14159265", "12,500,000", "9 of 10",
     "2026-11-20T06:30:00Z", "SKU-12345"],
)  # fmt: skip
def test_counts_sums_and_dates_stay(text: str) -> None:
    """What activations are full of."""
    assert scrub(text) == text


def test_sums_of_ten_digits_stay_in_what_was_put_together() -> None:
    """In a column of text they might be a number to call; where a template put them, they are not."""
    assert scrubbed_payload("spent 1200000000 IDR") == "spent 1200000000 IDR"
    assert scrubbed_payload("at +15551234567 or a@example.com") == "at [phone] or [email]"
