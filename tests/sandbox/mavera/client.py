"""A plain client of the made-up Mavera: it knows nothing of the activations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import requests

from courier import clock
from courier.sandbox.mavera.service import Mavera
from courier.sandbox.server import Sandbox

Json = dict[str, Any]
COHORT: Json = {"pipeline_type": "north_star", "name": "Shopify VIP Customer", "description": "Six orders and more."}


def until(happened: Callable[[], object]) -> None:
    """Wait for what the server does after its client has gone."""
    for _ in range(4_000):
        if happened():
            return
        clock.sleep(0.005)
    raise AssertionError("it did not happen")


class Client:
    """One HTTP session with the account's key."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.mavera: Mavera = sandbox.mavera
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {sandbox.credentials['MAVERA_API_KEY']}"

    def send(self, method: str, path: str, body: object = None, **query: Any) -> requests.Response:
        url = f"{self.sandbox.url}/api/v1/{path}"
        return self.session.request(method, url, json=body, params=query, timeout=10)

    def get(self, path: str, **query: Any) -> Json:
        return self._good(self.send("GET", path, **query))

    def post(self, path: str, **body: Any) -> Json:
        return self._good(self.send("POST", path, body))

    def patch(self, path: str, **body: Any) -> Json:
        return self._good(self.send("PATCH", path, body))

    def error(self, method: str, path: str, body: object = None, **query: Any) -> tuple[int, str]:
        """Status and code of an answer that must be an error."""
        found = self.send(method, path, body, **query)
        error = found.json()["error"]
        assert set(error) == {"message", "type", "code", "param"}
        return found.status_code, error["code"]

    def pages(self, path: str, **query: Any) -> Iterator[list[Json]]:
        cursor: Json = {}
        while True:
            found = self.get(path, **query, **cursor)
            yield found["data"]
            if found["next_cursor"] is None:
                return
            cursor = {"cursor": found["next_cursor"]}

    def every(self, path: str, **query: Any) -> list[Json]:
        return [row for page in self.pages(path, **query) for row in page]

    def control(self, method: str, path: str, body: object = None) -> Json:
        url = f"{self.sandbox.url}/_sandbox/mavera/{path}"
        found: Json = requests.request(method, url, json=body, timeout=5).json()
        return found

    @staticmethod
    def _good(found: requests.Response) -> Json:
        assert found.status_code in (200, 201), found.text
        body: Json = found.json()
        return body
