"""What `courier plan` says of how each request will be fetched."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.process import courier


@pytest.fixture
def chosen(project: Path) -> Path:
    """A project in which somebody chose for two feeds."""
    path = project / "couriers" / "shopify.yaml"
    text = path.read_text().replace("  product:\n", "  product: { mode: bulk }\n")
    path.write_text(text.replace("  product_tags:\n", "  product_tags: { mode: pages }\n"))
    return project


def test_a_plan_says_how_each_request_is_fetched(chosen: Path) -> None:
    """As a sentence where the shop's count decides, and as values for scripts."""
    done = courier(chosen, "plan", "--group", "shopify", "--sandbox")
    assert done.code == 0
    modes = dict(re.findall(r"^([\w-]+)  +(auto: .*?|bulk|pages)  +\d", done.out, re.MULTILINE))
    counted = "auto: bulk above 5,000 records, counted first"
    assert modes == {
        "Customer": counted,
        "Order": counted,
        "Product": "bulk",
        "Product-2": "pages",
        "Product-3": counted,
        "Location": "pages",
    }
    body = courier(chosen, "plan", "--group", "shopify", "--sandbox", "--json").body
    found = {one["request"]: (one["mode"], one["bulk_above"]) for one in body["couriers"][0]["requests"]}
    assert found == {
        "Customer": ("auto", 5_000),
        "Order": ("auto", 5_000),
        "Product": ("bulk", None),
        "Product-2": ("pages", None),
        "Product-3": ("auto", 5_000),
        "Location": ("pages", None),
    }
