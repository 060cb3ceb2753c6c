"""A plain GraphQL client for the sandbox's tests: it knows nothing of the connector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import requests

from courier.sandbox.server import Sandbox

Json = dict[str, Any]


class Client:
    """One HTTP session with the static token."""

    def __init__(self, sandbox: Sandbox, version: str = "2026-10") -> None:
        self.sandbox = sandbox
        self.version = version
        self.session = requests.Session()
        self.session.headers["X-Shopify-Access-Token"] = sandbox.credentials["SHOPIFY_ACCESS_TOKEN"]

    def post(self, text: str, /, **variables: Any) -> requests.Response:
        url = f"{self.sandbox.url}/admin/api/{self.version}/graphql.json"
        return self.session.post(url, json={"query": text, "variables": variables}, timeout=10, allow_redirects=False)

    def answer(self, text: str, /, **variables: Any) -> Json:
        found: Json = self.post(text, **variables).json()
        return found

    def data(self, text: str, /, **variables: Any) -> Json:
        found = self.answer(text, **variables)
        assert "errors" not in found, found["errors"][:2]
        data: Json = found["data"]
        return data

    def cost(self, text: str, /, **variables: Any) -> int:
        return int(self.answer(text, **variables)["extensions"]["cost"]["requestedQueryCost"])

    def pages(self, text: str, name: str, /, **variables: Any) -> Iterator[list[Json]]:
        """Every page of a root connection; `text` takes `$after` and asks for pageInfo."""
        after = None
        while True:
            found = self.data(text, after=after, **variables)[name]
            yield found["nodes"]
            if not found["pageInfo"]["hasNextPage"]:
                return
            after = found["pageInfo"]["endCursor"]

    def every(self, text: str, name: str, /, **variables: Any) -> list[Json]:
        return [node for page in self.pages(text, name, **variables) for node in page]
