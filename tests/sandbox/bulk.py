"""Bulk operations as a client sees them, and documents written for these tests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import requests

from tests.sandbox.client import Client, Json

STATUS = """
id type status errorCode createdAt completedAt objectCount rootObjectCount fileSize url partialDataUrl query
"""
RUN = f"""
mutation Run($query: String!, $grouped: Boolean! = false) {{
  bulkOperationRunQuery(query: $query, groupObjects: $grouped) {{
    bulkOperation {{ {STATUS} }}
    userErrors {{ field message code }}
  }}
}}
"""
POLL = f"query Poll($id: ID!) {{ bulkOperation(id: $id) {{ {STATUS} }} }}"
POLL_ANY = f"query Poll($id: ID!) {{ node(id: $id) {{ ... on BulkOperation {{ {STATUS} }} }} }}"
CANCEL = """
mutation Cancel($id: ID!) {
  bulkOperationCancel(id: $id) { bulkOperation { id status } userErrors { field message } }
}
"""
LIST = """
query List($query: String, $reverse: Boolean) {
  bulkOperations(first: 20, query: $query, sortKey: CREATED_AT, reverse: $reverse) { nodes { id status query } }
}
"""
MONEY = "{ shopMoney { amount } }"
ORDER = f"""
__typename id legacyResourceId name note updatedAt tags
totalPriceSet {MONEY}
customer {{ legacyResourceId }}
customerJourneySummary {{ ready lastVisit {{ landingPage }} }}
refunds {{ id }}
"""
LINE = f"""
__typename id name quantity
originalUnitPriceSet {MONEY}
product {{ legacyResourceId }}
variant {{ legacyResourceId }}
discountAllocations {{ allocatedAmountSet {MONEY} discountApplication {{ index }} }}
"""
APPLICATION = """
__typename index
value { __typename ... on MoneyV2 { amount } ... on PricingPercentageValue { percentage } }
... on DiscountCodeApplication { code }
"""
SHIPPING = "__typename id title"


def orders(query: str = "", more: str = "") -> str:
    return f"""# made by a test
    {{ orders(query: "{query}", sortKey: UPDATED_AT) {{ edges {{ node {{ {ORDER} {more}
      lineItems {{ edges {{ node {{ {LINE} }} }} }}
      discountApplications {{ edges {{ node {{ {APPLICATION} }} }} }}
      shippingLines {{ edges {{ node {{ {SHIPPING} }} }} }}
    }} }} }} }}"""


PAGED = f"""
query Paged($after: String) {{ orders(first: 60, after: $after, sortKey: UPDATED_AT) {{
  pageInfo {{ hasNextPage endCursor }}
  nodes {{ {ORDER}
    lineItems(first: 250) {{ nodes {{ {LINE} }} }}
    discountApplications(first: 50) {{ nodes {{ {APPLICATION} }} }}
    shippingLines(first: 10) {{ nodes {{ {SHIPPING} }} }}
  }}
}} }}
"""


LINES = f"""
query Lines($id: ID!, $after: String) {{ order(id: $id) {{ lineItems(first: 250, after: $after) {{
  nodes {{ {LINE} }} pageInfo {{ hasNextPage endCursor }}
}} }} }}
"""


class BulkClient(Client):
    """Runs, polls and downloads."""

    def run(self, query: str, **variables: Any) -> Json:
        found: Json = self.data(RUN, query=query, **variables)["bulkOperationRunQuery"]
        return found

    def start(self, query: str, **variables: Any) -> str:
        made = self.run(query, **variables)
        assert made["userErrors"] == [] and made["bulkOperation"]["status"] == "CREATED", made
        return str(made["bulkOperation"]["id"])

    def poll(self, identity: str) -> Json:
        found: Json = self.data(POLL, id=identity)["bulkOperation"]
        return found

    def result(self, query: str, **variables: Any) -> Json:
        return self.poll(self.start(query, **variables))

    def lines(self, query: str, **variables: Any) -> list[Json]:
        return read_lines(self.result(query, **variables)["url"])

    def every_line(self, order: str) -> list[Json]:
        """All lines of an order, by pages."""
        found: list[Json] = []
        page: Json = {"endCursor": None, "hasNextPage": True}
        while page["hasNextPage"]:
            lines = self.data(LINES, id=order, after=page["endCursor"])["order"]["lineItems"]
            found, page = found + lines["nodes"], lines["pageInfo"]
        return found

    def move(self, seconds: float) -> None:
        self.sandbox.shop.offset += timedelta(seconds=seconds)


def fetch(url: str, **headers: str) -> requests.Response:
    return requests.get(url, headers=headers, timeout=10)


def read_lines(url: str) -> list[Json]:
    answer = fetch(url)
    assert answer.status_code == 200, answer.status_code
    return [orjson.loads(line) for line in answer.content.splitlines()]
