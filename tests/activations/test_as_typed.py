"""courier activate as people type it, in the sandbox: plan, apply, nothing to do, and what a change moved."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from courier import sandbox
from courier.sandbox.history.options import Options
from tests.activations.acted import Acted
from tests.runs.hurried import Ended, edit
from tests.runs.tried import make

SHOP = Options(customers=120, orders=400, products=10)
FEEDS = ("customer", "customer_tags", "customer_metafield", "order", "order_line", "product")  # that are read
NAME = ("activate", "mavera_cohorts")
Typed = Callable[..., Ended]


def test_the_shipped_cohorts_become_personas(acted_once: Acted, tmp_path: Path) -> None:
    """As the README has it. Data goes to stdout, without colour; what a change moved is told field by field."""
    project = make(tmp_path / "project", acted_once.hurry, SHOP)
    file = project.root / "couriers" / "shopify.yaml"
    head = file.read_text("utf-8").partition("feeds:\n")[0]
    file.write_text("\n".join([f"{head}feeds:", *(f"  {feed}:" for feed in FEEDS), ""]), "utf-8")

    def courier(*words: str) -> Ended:
        ended = acted_once.hurry.courier(project.root, (*words, "--sandbox"), {})
        assert "Traceback" not in ended.err, ended.err
        return ended

    assert courier("run", "--group", "shopify").code == 0
    applied = courier(*NAME, "--apply", "--yes")
    assert applied.code == 0, applied.err
    assert "create    VIP (Shopify VIP Customer): " in applied.out and "\x1b" not in applied.out
    again = courier(*NAME, "--json").object
    assert {item["action"] for item in again["items"]} == {"unchanged"}
    assert (again["credits"], again["sandbox"], again["version"]) == ([0, 0], True, 1)
    sandbox.change(sandbox.open_shop(project.place.state), orders=200)
    assert courier("run", "--group", "shopify").code == 0
    moved = courier(*NAME, "--json").object
    (vip,) = [item for item in moved["items"] if item["key"] == "VIP"]
    assert vip["action"] == "update" and vip["before"].keys() == vip["after"].keys()
    assert vip["before"]["description"] != vip["after"]["description"]
    refused = courier(*NAME, "--apply", "--plan", again["hash"])
    assert refused.code == 4 and "has moved" in refused.err
    assert_metafields_are_added(courier, project.root)


def assert_metafields_are_added(courier: Typed, root: Path) -> None:
    """To the personas of the cohorts, for no credits; a namespace without a value is told with those that there are."""
    added = courier("activate", "mavera_metafields", "--apply", "--yes", "--json").object
    (vip,) = [item for item in added["items"] if item["key"] == "VIP"]
    assert (added["result"], added["spent"], vip["action"]) == ("succeeded", 0, "update")
    assert set(vip["after"]) == {"channels", "key_differentiators"}
    assert any(
        told.startswith("nps score: ") and "Net Promoter Score" in told for told in vip["after"]["key_differentiators"]
    )
    again = courier("activate", "mavera_metafields", "--json").object
    assert {item["action"] for item in again["items"]} == {"unchanged"}
    edit(root / "activations" / "mavera_metafields.yaml", "[custom]", "[kustom]")
    wrong = courier("activate", "mavera_metafields")
    assert wrong.code != 0 and "kustom" in wrong.err and "custom (" in wrong.err
