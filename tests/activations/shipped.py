"""The starter project, loaded from all three sources of one made-up shop, whose activations are all applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from courier import sandbox
from courier.cli.init import write_project
from courier.config.activation import Activation, Chat
from courier.runtime.activation_result import ActivationResult
from courier.sandbox.history.options import Options
from courier.storage.activation_rows import Rows, read_rows
from courier.storage.inspect import open_published
from tests.activations.acted import Acted
from tests.runs.hurried import Hurried, edit

SHOP = Options(customers=120, orders=400, products=8)
SMALLEST = 5  # of a cohort: the made-up shop is small
FEEDS: Mapping[str, Sequence[str]] = {
    "shopify": ("customer", "customer_tags", "customer_metafield", "order", "order_line", "product"),
    "bigcommerce": (
        "channels", "customers", "customer_attributes", "customer_attribute_values", "orders", "order_refunds",
        "products", "product_reviews",
    ),
    "klaviyo": (
        "profiles", "segments", "segment_profiles", "order_items", "catalog_items", "flows", "flow_messages",
        "flow_series_report", "campaigns", "campaign_messages", "campaign_values_report",
    ),
}  # fmt: skip
LATER = ("klaviyo_affinity", "klaviyo_creative", "mavera_metafields")  # need the personas that the others make


@dataclass
class Shipped(Acted):
    """`applied`: what came of each, in their order."""

    def __post_init__(self) -> None:
        self.applied: dict[str, ActivationResult] = {}

    @property
    def activations(self) -> Mapping[str, Activation]:
        return self.project.activations

    @property
    def names(self) -> list[str]:
        return sorted(self.activations, key=lambda name: (name in LATER, name))

    def read(self, name: str) -> Rows:
        return read_rows(self.project, self.project.activations[name], self.place.files)

    def rows(self, name: str) -> list[dict[str, Any]]:
        """What the query gives, before any guard."""
        read = self.read(name)
        return [dict(zip(read.columns, row, strict=True)) for row in read.rows]

    def table(self, name: str) -> list[dict[str, Any]]:
        with open_published(self.place.files.published) as connection:
            found = connection.execute(f"SELECT * FROM {name}")
            columns = [column[0] for column in found.description or ()]
            return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    def output(self, name: str) -> Any:
        """What the last item of an activation brought back when all were applied."""
        run = self.applied[name].run
        found = [row for row in self.table("courier.activation_result") if row["run"] == run]
        return orjson.loads(found[-1]["output"])

    @cached_property
    def bodies(self) -> list[str]:
        """Everything that has left, as its readers read it: without the escapes of JSON."""
        sent = [orjson.loads(row["body"]) for row in self.table("courier.egress")]
        return [orjson.dumps(body).decode() for body in sent]


@contextmanager
def shipping(root: Path, hurry: Hurried) -> Iterator[Shipped]:
    with sandbox.serve(sandbox.open_shop(None, SHOP)) as served:
        served.klaviyo.configure(limited=False)
        served.mavera.configure(credits_included=9_000)
        write_project(root)
        for source, feeds in FEEDS.items():
            _point(root / "couriers" / f"{source}.yaml", source, served.url, feeds)
        for file in (root / "activations").glob("*.yaml"):
            edit(file, "destination: mavera\n", f"destination: mavera\nendpoint: {served.url}\n")
        made = Shipped(root, served, hurry)
        for source in FEEDS:
            loaded = made.courier("run", "--courier", source)
            assert loaded.code == 0, loaded.err
        made.opened = replace(made.project, activations={name: _small(one) for name, one in made.activations.items()})
        yield made


def _small(activation: Activation) -> Activation:
    """For a shop that is."""
    guards = replace(activation.guards, min_cohort_size=SMALLEST, min_support=SMALLEST)
    fewer = {"min_recipients": SMALLEST} if "min_recipients" in activation.parameters else {}
    return replace(activation, guards=guards, parameters={**activation.parameters, **fewer})


def _point(file: Path, source: str, url: str, feeds: Sequence[str]) -> None:
    """At the sandbox, with these feeds as the file has them."""
    head, _, lines = file.read_text("utf-8").partition("feeds:\n")
    kept = [line for feed in feeds for line in lines.splitlines() if line.lstrip(" #").startswith(f"{feed}:")]
    kept = [line.replace("# ", "", 1) if line.lstrip().startswith("#") else line for line in kept]
    head = head.replace(f"connector: {source}\n", f"connector: {source}\nendpoint: {url}\n", 1)
    file.write_text("\n".join([f"{head}feeds:", *kept, ""]), "utf-8")


def applied(made: Shipped) -> Shipped:
    for name in made.names:
        made.applied[name] = made.apply(name)
    return made


def changed(made: Shipped, name: str, **values: Any) -> Shipped:
    """With other values of an activation, for this process; the journal and the account are the same."""
    other = Shipped(made.root, made.served, made.hurry)
    one = replace(made.activations[name], **values)
    other.opened = replace(made.project, activations={**made.activations, name: one})
    return other


def asked_anew(made: Shipped, name: str, why: str) -> Shipped:
    """With another question over the same rows."""
    body: Any = made.activations[name].body
    field = "message" if isinstance(body, Chat) else "name"
    return changed(made, name, body=replace(body, **{field: f"{getattr(body, field)} ({why})"}))
