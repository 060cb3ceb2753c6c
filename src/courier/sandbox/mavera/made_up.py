"""What is in the account before anybody uses it: base personas, personas of others, workspaces, a brand voice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from courier.clock import rfc3339
from courier.sandbox.mavera.store import Node

WORKSPACE = "ws_sandbox_default"
# "50+" base personas are documented, and the name of the first. "new", "VIP" and "returning" inside others are ours: a
# client that looks for parts of names finds them.
_BASE = {
    "Generational": (
        "Gen Z Consumer, Millennial Parent, Gen X Homeowner, Baby Boomer Retiree, Gen Alpha Influencer, Silent "
        "Generation Reader, Xennial Nostalgic, Zillennial Renter"
    ),
    "Lifestyle": (
        "Newsletter Skimmer, Returning Expat, Fitness Devotee, Home Cook, Weekend Hiker, Urban Cyclist, Pet Owner, "
        "Plant Lover, Minimalist, Night Shift Nurse, New Parent, Remote Worker, Renewable Energy Fan"
    ),
    "Shopping": (
        "Shopify VIP Customer (sample), Bargain Hunter, Impulse Buyer, Box Subscriber, Luxury Shopper, Gift Giver, "
        "Coupon Collector, Window Shopper, Eco Shopper, Returning Customer Archetype, VIP Event Guest, Deal Comparer"
    ),
    "B2B": (
        "Enterprise CMO, Startup Founder, IT Director, Procurement Lead, HR Manager, Sales Engineer, Operations Head, "
        "Finance Controller, Product Manager, Agency Owner, Newly Promoted Manager, Customer Success Lead"
    ),
    "Experts": (
        "Brand Strategist, Behavioural Economist, Media Planner, UX Researcher, Data Journalist, Pricing Analyst, News "
        "Editor, Consumer Psychologist"
    ),
}
# Personas that somebody else in the account made. None has a name that a shipped activation would give.
_OTHERS = ("Renewal Manager", "New York Commuter", "vip lounge guest", "Never Returning Trialist")
OTHERS = 64


def things(anchor: datetime) -> Iterator[tuple[str, Node]]:
    """(kind, body) in the order in which they were made, before `anchor`. Those without an id get one."""
    yield "workspace", _workspace(anchor)
    yield from (("persona", body) for body in _personas(int(anchor.timestamp())))
    yield "brand_voice", _brand_voice(anchor)


def _workspace(anchor: datetime) -> Node:
    return {
        "id": WORKSPACE,
        "name": "Default workspace",
        "type": "starter",
        "budget_alert": None,
        "usage_limit": None,
        "billing_email": None,
        "created_at": rfc3339(anchor),
    }


def _personas(anchor: int) -> Iterator[Node]:
    for category, names in _BASE.items():
        for name in names.split(", "):
            yield persona(name, category, f"{name}, as research describes them.", anchor - 40_000_000, custom=False)
    others = [*_OTHERS, *(f"Workshop Persona {number}" for number in range(1, OTHERS + 1 - len(_OTHERS)))]
    for number, name in enumerate(others):
        yield persona(name, "Custom", "Made by somebody else.", anchor - 9_000_000 + number * 3_600, custom=True)


def persona(name: str, category: str, description: str, created_at: int, *, custom: bool) -> Node:
    """A persona's body without an id; `given` is what was sent of the fields that `details` shows."""
    return {
        "name": name,
        "category": category,
        "description": description,
        "is_custom": custom,
        "is_expert": category == "Experts",
        "created_at": created_at,
        "given": {"pipeline_type": "north_star"} if custom else {},
    }


def _brand_voice(anchor: datetime) -> Node:
    return {
        "id": "bv_sandbox_house",
        "label": "House voice",
        "usage_context": "Everything that the shop writes to its customers.",
        "workspace_id": WORKSPACE,
        "urls": [],
        "documents": [],
        "polls": 99,
        "began": anchor.timestamp(),
        "fails": False,
        "created_at": rfc3339(anchor),
        "updated_at": rfc3339(anchor),
    }
