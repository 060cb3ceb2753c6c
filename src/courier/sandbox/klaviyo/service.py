"""One request of Klaviyo's API from its path to its answer: key, revision, scopes, limits, parameters, content."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

from courier.sandbox.faults import find
from courier.sandbox.klaviyo import reports
from courier.sandbox.klaviyo.account import Account, account_of
from courier.sandbox.klaviyo.limits import Windows
from courier.sandbox.klaviyo.listings import LISTINGS, missing
from courier.sandbox.klaviyo.operations import Operation, operation_of
from courier.sandbox.klaviyo.paging import Asked, Pages, links, read_query
from courier.sandbox.klaviyo.refusals import Refused, invalid
from courier.sandbox.klaviyo.resources import Node, campaign_message, only
from courier.sandbox.shop import Shop
from courier.sandbox.shopify.faults import Fault

REVISION = "2026-07-15"
SCOPES = (
    "accounts",
    "profiles",
    "lists",
    "segments",
    "metrics",
    "events",
    "flows",
    "campaigns",
    "templates",
    "catalogs",
)
SCHEME = "Klaviyo-API-Key "
ADDITIONAL = ("subscriptions", "predictive_analytics")


@dataclass(frozen=True)
class Settings:
    """How strict, and how complete, this account is.

    limited: whether the published limits hold; revisions: those that are served, others answer `retired_status`;
    answers_in: the revision that the answers name, where it is not the one asked for; predictions: ready, missing
    (all null: too few orders) or refused (the plan has none); catalogue: whether a catalogue was ever sent
    """

    scopes: tuple[str, ...] = tuple(f"{name}:read" for name in SCOPES)
    limited: bool = True
    revisions: tuple[str, ...] = (REVISION,)
    retired_status: int = 410
    answers_in: str = ""
    predictions: str = "ready"
    catalogue: bool = True


@dataclass(frozen=True)
class Reply:
    status: int
    content: Any
    headers: Mapping[str, str]


class Klaviyo:
    """The account of a shop, as it is asked. `log`: every request, never the key."""

    def __init__(self, shop: Shop, settings: Settings | None = None) -> None:
        self.shop = shop
        self.first_settings = settings or Settings()
        self.settings = self.first_settings
        self.log: list[dict[str, Any]] = []
        self._windows = Windows()
        self._pages = Pages()
        self._last: dict[str, Node] = {}

    @property
    def key(self) -> str:
        return f"pk_sandbox_{self.shop.options.seed:x}"

    @property
    def account(self) -> Account:
        self.shop.refresh()
        return account_of(self.shop.history)

    def configure(self, **given: Any) -> Settings:
        """Set some of the settings, until they are set again or everything is reset. Raises TypeError."""
        self.settings = replace(self.settings, **given)
        return self.settings

    def reset(self) -> None:
        self.settings = self.first_settings
        self.log.clear()
        self._windows, self._pages, self._last = Windows(), Pages(), {}

    def answer(
        self, method: str, origin: str, path: str, query: str, headers: Mapping[str, str], body: Any, due: list[Fault]
    ) -> Reply:
        told: dict[str, str] = {}
        try:
            operation, identity = self._admitted(method, path, headers)
            asked = read_query(operation, query)
            told = self._count(operation, asked, due)
            return Reply(200, self._content(operation, identity, asked, origin + path, body, due), told)
        except Refused as refused:
            wait = {} if refused.retry_after is None else {"Retry-After": str(refused.retry_after)}
            return Reply(refused.status, refused.content, wait or told)

    def _admitted(self, method: str, path: str, headers: Mapping[str, str]) -> tuple[Operation, str]:
        operation, identity = operation_of(method, path)
        given = headers.get("authorization", "")
        if not given.startswith(SCHEME):
            raise Refused(401, "not_authenticated", "Authentication credentials were not provided.",
                          "Missing or invalid authorization scheme. Please use Klaviyo-API-Key.")  # fmt: skip
        if not secrets.compare_digest(given.removeprefix(SCHEME).encode(), self.key.encode()):
            raise Refused(401, "authentication_failed", "Incorrect authentication credentials.",
                          "Incorrect authentication credentials.")  # fmt: skip
        revision = headers.get("revision", "")
        if not revision:
            raise invalid("revision", "The revision header is required.")
        if revision not in self.settings.revisions:
            raise Refused(self.settings.retired_status, "invalid_revision", "Invalid revision.",
                          f"Revision {revision} is retired.", "revision")  # fmt: skip
        lacking = [scope for scope in operation.scopes if scope not in self.settings.scopes]
        if lacking:
            raise Refused(403, "permission_denied", "You do not have permission to perform this action.",
                          f"The API key is missing required scopes: {', '.join(lacking)}")  # fmt: skip
        return operation, identity

    def _count(self, operation: Operation, asked: Asked, due: list[Fault]) -> dict[str, str]:
        if throttled := find(due, "throttled"):
            raise Refused(429, "throttled", "Request was throttled.", "Made up.", retry_after=ceil(throttled.seconds))
        if not self.settings.limited:
            return {}
        key, limit = operation.limit_of(asked.additional)
        return self._windows.admit(key, limit, self.shop.now().timestamp())

    def _content(
        self, operation: Operation, identity: str, asked: Asked, url: str, body: Any, due: list[Fault]
    ) -> Node:
        if find(due, "mutate"):
            self._mutate()
        self._check_predictions(asked)
        if operation.method == "POST":
            return {"data": {**self._report(operation, body), "links": {"self": url}}, "links": {"self": url}}
        if operation.name in ("get_list", "get_segment", "get_flow"):
            return {"data": self._one(operation, identity, asked), "links": {"self": url}}
        if find(due, "duplicate_page") and operation.name in self._last:
            return self._last[operation.name]
        made = self._last[operation.name] = self._listed(operation, identity, asked, url)
        return made

    def _listed(self, operation: Operation, parent: str, asked: Asked, url: str) -> Node:
        listing, account = LISTINGS[operation.name], self.account
        if listing.kind.startswith("catalog") and not self.settings.catalogue:
            account = Account(type(account.history)())
        page = self._pages.page(account, listing, operation, parent, asked)
        data = [self._sent(listing.send(account, row), asked) for row in page.rows]
        origin, _, path = url.partition("/api/")
        made: Node = {"data": data, "links": links(origin, f"/api/{path}", asked, page)}
        if "campaign-messages" in asked.include:
            ids = {row.id for row in page.rows}
            found = [row for row in account.rows("campaign_message") if row.campaign_id in ids]
            made["included"] = [campaign_message(row) for row in found]
        return made

    def _sent(self, node: Node, asked: Asked) -> Node:
        """The resource with what was asked for: fields that cost more come only with `additional-fields`."""
        attributes = node.get("attributes")
        if attributes is None:
            return node
        given = asked.additional.get(node["type"], [])
        left = {name: value for name, value in attributes.items() if name not in ADDITIONAL or name in given}
        if self.settings.predictions == "missing" and "predictive_analytics" in left:
            left["predictive_analytics"] = dict.fromkeys(left["predictive_analytics"])
        return only({**node, "attributes": left}, asked.fields.get(node["type"]))

    def _one(self, operation: Operation, identity: str, asked: Asked) -> Node:
        plural = {"get_list": "get_lists", "get_segment": "get_segments", "get_flow": "get_flows"}[operation.name]
        listing, account = LISTINGS[plural], self.account
        row = next((row for row in listing.rows(account, "") if row.id == identity), None)
        if row is None:
            raise missing(listing.kind, identity)
        node = listing.send(account, row)
        if "profile_count" in asked.additional.get(listing.kind, ()):
            node["attributes"]["profile_count"] = len(account.members.get((listing.kind, identity), ()))
        return only(node, asked.fields.get(listing.kind))

    def _report(self, operation: Operation, body: Any) -> Node:
        if operation.name == "query_metric_aggregates":
            return reports.aggregates(self.account, body)
        if operation.name == "query_flow_series":
            return reports.series_report(self.account, body)
        return reports.values_report(
            self.account, body, "flow" if operation.name == "query_flow_values" else "campaign"
        )

    def _check_predictions(self, asked: Asked) -> None:
        if self.settings.predictions == "refused" and "predictive_analytics" in asked.additional.get("profile", ()):
            raise Refused(403, "permission_denied", "You do not have permission to perform this action.",
                          "Predictive analytics are not available on this account's plan.",
                          "additional-fields[profile]")  # fmt: skip

    def _mutate(self) -> None:
        order = next(iter(self.shop.history.orders), None)
        if order is not None:
            self.shop.add({"kind": "touch", "order": order, "at": self.shop.seconds()})
