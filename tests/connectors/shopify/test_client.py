from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from courier.connectors.contract import Waiting
from courier.connectors.shopify.auth import access_of, store_of
from courier.connectors.shopify.budget import Budget
from courier.connectors.shopify.client import Client
from courier.errors import (
    ConfigurationError,
    CourierError,
    CredentialMissing,
    SourceOverloaded,
    SourceRefused,
    SourceUnreachable,
)
from courier.http import Http
from tests.connectors.shopify.shipped import courier
from tests.http.scripted import Answering, Asked, Scripted, Server, json_answer, serving

TOKEN = "shpat_0123456789abcdef"
SECRET = "shpss_fedcba9876543210"
STATUS = {"maximumAvailable": 2000.0, "currentlyAvailable": 1900, "restoreRate": 100.0}
GOOD = json_answer({"data": {"shop": {"id": "1"}}, "extensions": {"cost": {"throttleStatus": STATUS}}})


def failing(code: str, message: str = "no", **extensions: Any) -> Scripted:
    return json_answer({"errors": [{"message": message, "extensions": {"code": code, **extensions}}]})


def client(server: Server, folder: Path, credential: dict[str, str] | None = None, version: str = "2026-10") -> Client:
    http = Http(server.origin)
    access = access_of(courier(), credential or {"access_token": TOKEN}, http)
    return Client(http, access, Budget(folder, "acme"), version, "couriers/shopify.yaml", lambda progress: None)


def outcome(folder: Path, *script: Scripted | Answering, **variables: Any) -> CourierError:
    """What a query raises; it never holds the token or what the shop wrote."""
    with serving(*script) as server, pytest.raises(CourierError) as caught:
        client(server, folder).ask("query Q { shop { id } }", variables, 5)
    texts = repr(caught.value) + caught.value.message + caught.value.fix
    assert TOKEN not in texts and "a customer's name" not in texts
    return caught.value


def test_a_good_answer_is_its_data(tmp_path: Path) -> None:
    with serving(GOOD) as server:
        reply = client(server, tmp_path).ask("query Q { shop { id } }", {"a": 1}, 5)
    assert reply.data == {"shop": {"id": "1"}}
    assert server.asked[0].path == "/admin/api/2026-10/graphql.json"
    assert server.asked[0].headers["X-Shopify-Access-Token"] == TOKEN
    assert server.asked[0].json == {"query": "query Q { shop { id } }", "variables": {"a": 1}}


@pytest.mark.parametrize(
    ("status", "what"),
    [(401, "token"), (402, "frozen"), (403, "forbidden"), (404, "no such shop"), (423, "locked"), (430, "security")],
)
def test_what_a_person_must_mend_ends_the_run_at_once(
    status: int, what: str, tmp_path: Path, waits: list[float]
) -> None:
    error = outcome(tmp_path, Scripted(status, b'{"errors": "a customer\'s name"}'))
    assert isinstance(error, SourceRefused) and not isinstance(error, SourceUnreachable)
    assert what in error.message and str(status) in error.message and error.fix and waits == []


@pytest.mark.parametrize("code", ["THROTTLED", "INTERNAL_SERVER_ERROR"])
def test_what_passes_is_tried_again(code: str, tmp_path: Path, waits: list[float]) -> None:
    with serving(failing(code), failing(code), GOOD) as server:
        assert client(server, tmp_path).ask("query Q { shop { id } }", {}, 5).data
    assert len(server.asked) == 3 and len(waits) >= 2


def test_throttled_waits_for_the_points_that_are_missing(tmp_path: Path, waits: list[float]) -> None:
    status = {**STATUS, "currentlyAvailable": 100}
    throttled = json_answer(
        {
            "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
            "extensions": {"cost": {"requestedQueryCost": 900, "actualQueryCost": None, "throttleStatus": status}},
        }
    )
    with serving(throttled, GOOD) as server:
        client(server, tmp_path).ask("query Q { shop { id } }", {}, 5)
    assert waits[0] == 8.0


def test_the_next_query_waits_until_the_bucket_holds_its_cost(tmp_path: Path, waits: list[float]) -> None:
    status = {**STATUS, "currentlyAvailable": 50}
    low = json_answer({"data": {}, "extensions": {"cost": {"requestedQueryCost": 300, "throttleStatus": status}}})
    told: list[Any] = []
    with serving(low) as server:
        asking = client(server, tmp_path)
        asking._progress = told.append
        asking.ask("query Q { shop { id } }", {}, 5)
        asking.ask("query Q { shop { id } }", {}, 5)
    assert waits == [pytest.approx(2.5, abs=0.2)]
    assert told == [Waiting(waits[0], "the rate limit")]


def test_an_error_that_stays_is_overload_so_that_smaller_pages_are_tried(tmp_path: Path, waits: list[float]) -> None:
    assert isinstance(outcome(tmp_path, failing("INTERNAL_SERVER_ERROR")), SourceOverloaded)
    assert isinstance(outcome(tmp_path, failing("MAX_COST_EXCEEDED")), SourceOverloaded)
    assert isinstance(outcome(tmp_path, failing("THROTTLED")), SourceUnreachable)


def test_access_denied_names_the_scope_and_the_path_and_nothing_else(tmp_path: Path) -> None:
    text = "Access denied for staffMember field, a customer's name. Required access: `read_users` access scope."
    body = {
        "data": {"orders": {"nodes": [{"staffMember": None}]}},
        "errors": [
            {
                "message": text,
                "path": ["orders", "nodes", 0, "staffMember"],
                "extensions": {"code": "ACCESS_DENIED", "requiredAccess": "`read_users` access scope."},
            }
        ],
    }
    error = outcome(tmp_path, json_answer(body))
    assert isinstance(error, SourceRefused)
    assert "access denied at orders.nodes.staffMember: it needs read_users" in error.message


def test_an_unknown_field_is_the_yamls_mistake(tmp_path: Path) -> None:
    error = outcome(tmp_path, failing("undefinedField", typeName="Order", fieldName="colour"))
    assert isinstance(error, ConfigurationError)
    assert "no field `colour` on Order" in error.message and "a column's `from` asks for it" in error.message


def test_a_closed_shop_and_other_refusals(tmp_path: Path) -> None:
    assert "inactive" in outcome(tmp_path, failing("SHOP_INACTIVE")).message
    assert "BAD_REQUEST" in outcome(tmp_path, failing("BAD_REQUEST", "a customer's name")).message
    assert "without a code" in outcome(tmp_path, json_answer({"errors": "a customer's name"})).message


def test_a_refused_cursor_is_told_apart(tmp_path: Path) -> None:
    refused = failing("BAD_REQUEST", "Invalid cursor for current pagination sort.")
    with serving(refused) as server:
        assert client(server, tmp_path).ask("query Q { x }", {"after": "abc"}, 5).cursor_refused
    assert "cursor" in outcome(tmp_path, refused).message


def minting(expires_in: float = 86399, valid_uses: int = 10**6) -> Answering:
    """Gives token-1, token-2, ...; each opens the shop `valid_uses` times."""
    state = {"minted": 0, "used": 0}

    def answer(asked: Asked) -> Scripted:
        if asked.path == "/admin/oauth/access_token":
            state.update(minted=state["minted"] + 1, used=0)
            return json_answer({"access_token": f"token-{state['minted']}", "scope": "", "expires_in": expires_in})
        state["used"] += 1
        current = asked.headers["X-Shopify-Access-Token"] == f"token-{state['minted']}"
        return GOOD if current and state["used"] <= valid_uses else Scripted(401)

    return answer


def test_client_credentials_are_exchanged_once_and_again_after_a_401(tmp_path: Path) -> None:
    pair = {"client_id": "me", "client_secret": SECRET}
    with serving(minting(valid_uses=2)) as server:
        asking = client(server, tmp_path, pair)
        for _ in range(5):
            asking.ask("query Q { shop { id } }", {}, 1)
    minted = [asked for asked in server.asked if asked.path.endswith("/access_token")]
    assert len(minted) == 3
    assert minted[0].body == f"grant_type=client_credentials&client_id=me&client_secret={SECRET}".encode()


def test_client_credentials_are_renewed_before_they_expire(tmp_path: Path) -> None:
    with serving(minting(expires_in=0.0)) as server:
        asking = client(server, tmp_path, {"client_id": "me", "client_secret": SECRET})
        for _ in range(3):
            asking.ask("query Q { shop { id } }", {}, 1)
    assert [asked.path.rsplit("/", 1)[-1] for asked in server.asked] == ["access_token", "graphql.json"] * 3


def test_a_401_that_stays_ends_the_run(tmp_path: Path) -> None:
    with serving(minting(valid_uses=0)) as server:
        with pytest.raises(SourceRefused, match="401"):
            client(server, tmp_path, {"client_id": "me", "client_secret": SECRET}).ask("query Q { x }", {}, 1)
        assert len(server.asked) == 4


def test_a_refused_client_secret_says_so(tmp_path: Path) -> None:
    with serving(Scripted(400, b'{"error": "application_cannot_be_found"}')) as server:
        asking = client(server, tmp_path, {"client_id": "me", "client_secret": SECRET})
        with pytest.raises(SourceRefused, match="client id and secret are refused") as caught:
            asking.ask("query Q { x }", {}, 1)
    assert SECRET not in repr(caught.value) + caught.value.fix


def test_another_version_in_the_middle_of_a_run_ends_it(tmp_path: Path) -> None:
    first = replace(GOOD, headers={**GOOD.headers, "X-Shopify-API-Version": "2026-01"})
    second = replace(GOOD, headers={**GOOD.headers, "X-Shopify-API-Version": "2026-04"})
    with serving(first, second) as server:
        asking = client(server, tmp_path, version="2025-07")
        asking.ask("query Q { x }", {}, 1)
        assert asking.answered == "2026-01"
        with pytest.raises(SourceRefused, match="2026-04"):
            asking.ask("query Q { x }", {}, 1)


@pytest.mark.parametrize("store", ["acme", "acme.myshopify.com", "ACME.MyShopify.com", " acme "])
def test_a_store_is_a_handle_or_its_domain(store: str) -> None:
    assert store_of(courier(), {"store": store}).origin == "https://acme.myshopify.com"


@pytest.mark.parametrize(
    "store",
    [
        "evil.com",
        "acme.myshopify.com.evil.com",
        "evil.com/acme.myshopify.com",
        "a@evil.com#.myshopify.com",
        "https://acme.myshopify.com",
        "acme/../x",
        "-acme",
        "acme:8080",
        "ac me",
        "acme?x.myshopify.com",
        "acme\n.myshopify.com",
    ],
)
def test_a_credential_goes_to_myshopify_only(store: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        store_of(courier(), {"store": store})
    assert store not in caught.value.message + caught.value.fix


def test_an_endpoint_replaces_the_origin() -> None:
    elsewhere = replace(courier(), endpoint="http://127.0.0.1:8080")
    assert store_of(elsewhere, {"store": "acme"}).origin == "http://127.0.0.1:8080"
    assert store_of(elsewhere, {}).key == "127.0.0.1_8080"


def test_a_missing_credential_says_which(tmp_path: Path) -> None:
    with pytest.raises(CredentialMissing, match="store"):
        store_of(courier(), {})
    with serving(GOOD) as server, pytest.raises(CredentialMissing, match="access_token"):
        client(server, tmp_path, {"client_id": "me"})
