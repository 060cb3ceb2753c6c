"""The referee that we did not write: Klaviyo's own client, unmodified, reads the sandbox and parses every answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from klaviyo_api import KlaviyoAPI
from openapi_client.exceptions import ApiException

from courier import sandbox
from courier.sandbox.history.options import Options
from courier.sandbox.server import Sandbox

ENDS = {"start": "2026-01-01T00:00:00", "end": "2026-12-01T00:00:00"}


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with sandbox.serve(sandbox.open_shop(None, Options(customers=250, orders=40, products=4))) as made:
        yield made


@pytest.fixture(scope="module")
def client(served: Sandbox) -> Any:
    return KlaviyoAPI(served.klaviyo.key, test_host=served.url, max_retries=3, max_delay=3)


def test_it_parses_every_answer(client: Any) -> None:
    """Each operation that the connector asks comes back as the client's own typed response, never as a plain dict."""
    found = {
        "accounts": client.Accounts.get_accounts(),
        "lists": client.Lists.get_lists(),
        "list": client.Lists.get_list("LstNew", additional_fields_list=["profile_count"]),
        "list profiles": client.Lists.get_profile_ids_for_list("LstNew"),
        "segments": client.Segments.get_segments(),
        "segment": client.Segments.get_segment("SegAll", additional_fields_segment=["profile_count"]),
        "segment profiles": client.Segments.get_profiles_for_segment("SegAll"),
        "segment profile ids": client.Segments.get_profile_ids_for_segment("SegAll"),
        "metrics": client.Metrics.get_metrics(),
        "mapped metrics": client.Metrics.get_mapped_metrics(),
        "events": client.Events.get_events(filter='equals(metric_id,["MtrOrd"])', sort="datetime", page_size=1000),
        "flows": client.Flows.get_flows(filter="equals(archived,true)"),
        "flow actions": client.Flows.get_actions_for_flow("FlwWel"),
        "flow messages": client.Flows.get_flow_action_messages("71000"),
        "templates": client.Templates.get_templates(),
        "campaigns": client.Campaigns.get_campaigns("equals(messages.channel,'sms')", include=["campaign-messages"]),
        "catalog items": client.Catalogs.get_catalog_items(),
        "catalog variants": client.Catalogs.get_catalog_variants(page_size=100),
        "flow values": client.Reporting.query_flow_values(_report("flow-values-report")),
        "campaign values": client.Reporting.query_campaign_values(_report("campaign-values-report")),
        "flow series": client.Reporting.query_flow_series(_report("flow-series-report", interval="daily")),
        "aggregates": client.Metrics.query_metric_aggregates(_aggregates()),
    }
    for name, answer in found.items():
        assert type(answer).__module__.startswith("openapi_client.models."), name
        assert answer.data, name
    assert found["segment"].data.attributes.profile_count == 250
    assert found["flow values"].data.attributes.results[0].statistics["recipients"] > 0
    assert len(found["flow series"].data.attributes.date_times) == 335  # both ends belong to it


def _report(kind: str, **more: str) -> dict[str, Any]:
    attributes = {"statistics": ["recipients", "opens"], "timeframe": ENDS, "conversion_metric_id": "MtrOrd", **more}
    return {"data": {"type": kind, "attributes": attributes}}


def _aggregates() -> dict[str, Any]:
    ends = ["greater-or-equal(datetime,2026-01-01T00:00:00)", "less-than(datetime,2026-12-01T00:00:00)"]
    attributes = {"metric_id": "MtrOrd", "measurements": ["count"], "by": ["$attributed_flow"], "filter": ends}
    return {"data": {"type": "metric-aggregate", "attributes": attributes}}


def test_it_walks_all_profiles_and_waits_for_a_429(client: Any, served: Sandbox) -> None:
    """Three pages of 250 profiles by the cursors of `links.next`, with typed predictions, over one refusal."""
    served.faults.add({"kind": "throttled", "seconds": 1, "contains": "/api/profiles", "nth": 2})
    found, cursor = [], None
    while True:
        asked: dict[str, str] = {"page_cursor": cursor.split("cursor%5D=")[1]} if cursor else {}
        page = client.Profiles.get_profiles(
            additional_fields_profile=["subscriptions", "predictive_analytics"], page_size=100, sort="id", **asked
        )
        found += page.data
        cursor = page.links.next
        if cursor is None:
            break
    assert [one.id for one in found] == [row.id for row in served.klaviyo.account.rows("profile")]
    assert any(one.attributes.predictive_analytics.total_clv for one in found)
    assert [entry["status"] for entry in served.klaviyo.log if entry["path"] == "/api/profiles"] == [200, 429, 200, 200]


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (lambda client: client.Campaigns.get_campaigns("equals(status,'Sent')"), 400),
        (lambda client: client.Profiles.get_profiles(filter="greater-or-equal(updated,2026-01-01T00:00:00Z)"), 400),
        (lambda client: client.Profiles.get_profiles(sort="name"), 400),
        (lambda client: client.Segments.get_segment("nobody"), 404),
    ],
)
def test_it_is_told_what_is_wrong(call: Any, status: int, client: Any) -> None:
    """Errors come with the status and the shape that the client expects."""
    with pytest.raises(ApiException) as told:
        call(client)
    assert told.value.status == status
