"""Klaviyo's operations that are asked, as data: paths, page sizes, scopes, and limits per account and operation.

Limits are requests a second and a minute (fixed windows), and a day for reports:
https://developers.klaviyo.com/en/docs/rate_limits_and_error_handling
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

REVISION = "2026-07-15"
RETIRES = "2028-07-15"  # a revision is stable for a year and deprecated for another one


@dataclass(frozen=True)
class Limit:
    """How many requests a second, a minute, and a day (0: no limit of its own)."""

    burst: int
    steady: int
    daily: int = 0


XS, S, M = Limit(1, 15), Limit(3, 60), Limit(10, 150)
L, XL, REPORT = Limit(75, 750), Limit(350, 3500), Limit(1, 2, 225)


@dataclass(frozen=True)
class Endpoint:
    """`page`: the largest page, 0 where there is no size to ask for. `costly`: the additional field that makes the
    limit `costly_limit`."""

    path: str
    limit: Limit
    scopes: tuple[str, ...]
    page: int = 0
    costly: str = ""
    costly_limit: Limit | None = None

    def limit_of(self, costly: bool) -> Limit:
        return self.costly_limit if costly and self.costly_limit else self.limit


ENDPOINTS: Mapping[str, Endpoint] = {
    "get_accounts": Endpoint("/api/accounts", XS, ("accounts:read",)),
    "get_profiles": Endpoint("/api/profiles", L, ("profiles:read",), 100, "predictive_analytics", M),
    "get_lists": Endpoint("/api/lists", L, ("lists:read",), 10),
    "get_list": Endpoint("/api/lists/{id}", L, ("lists:read",), 0, "profile_count", XS),
    "get_profile_ids_for_list": Endpoint(
        "/api/lists/{id}/relationships/profiles", L, ("lists:read", "profiles:read"), 100
    ),
    "get_profiles_for_list": Endpoint("/api/lists/{id}/profiles", L, ("lists:read", "profiles:read"), 100),
    "get_segments": Endpoint("/api/segments", L, ("segments:read",), 10),
    "get_segment": Endpoint("/api/segments/{id}", L, ("segments:read",), 0, "profile_count", XS),
    "get_profile_ids_for_segment": Endpoint(
        "/api/segments/{id}/relationships/profiles", L, ("segments:read", "profiles:read"), 100
    ),
    "get_profiles_for_segment": Endpoint("/api/segments/{id}/profiles", L, ("segments:read", "profiles:read"), 100),
    "get_metrics": Endpoint("/api/metrics", M, ("metrics:read",)),
    "get_mapped_metrics": Endpoint("/api/mapped-metrics", S, ("metrics:read",)),
    "query_metric_aggregates": Endpoint("/api/metric-aggregates", S, ("metrics:read",)),
    "get_events": Endpoint("/api/events", XL, ("events:read",), 1000),
    "get_flows": Endpoint("/api/flows", S, ("flows:read",), 50),
    "get_actions_for_flow": Endpoint("/api/flows/{id}/flow-actions", S, ("flows:read",), 50),
    "get_flow_action_messages": Endpoint("/api/flow-actions/{id}/flow-messages", S, ("flows:read",), 50),
    "get_templates": Endpoint("/api/templates", L, ("templates:read",), 10),
    "get_campaigns": Endpoint("/api/campaigns", M, ("campaigns:read",), 100),
    "query_campaign_values": Endpoint("/api/campaign-values-reports", REPORT, ("campaigns:read",)),
    "query_flow_values": Endpoint("/api/flow-values-reports", REPORT, ("flows:read",)),
    "query_flow_series": Endpoint("/api/flow-series-reports", REPORT, ("flows:read",)),
    "get_catalog_items": Endpoint("/api/catalog-items", XL, ("catalogs:read",), 100),
    "get_catalog_variants": Endpoint("/api/catalog-variants", XL, ("catalogs:read",), 100),
}
