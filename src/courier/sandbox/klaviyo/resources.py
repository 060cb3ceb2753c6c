"""Rows as Klaviyo's resources: {type, id, attributes, relationships, links}."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from courier.sandbox.klaviyo import rows
from courier.sandbox.klaviyo.making import iso

Node = dict[str, Any]
STREET: Node = {"address1": "1 Example Street", "address2": "", "city": "Springfield", "region": "IL",
                "country": "United States", "zip": "62701"}  # fmt: skip


def to_one(kind: str, identity: str | None) -> Node:
    return {"data": {"type": kind, "id": identity} if identity else None}


def resource(kind: str, identity: str, attributes: Node, relationships: Node | None = None) -> Node:
    links = {"self": f"https://a.klaviyo.com/api/{kind}s/{identity}/"}
    whole = {"type": kind, "id": identity, "attributes": attributes, "links": links}
    return {**whole, "relationships": relationships} if relationships else whole


def account(row: rows.AccountRow) -> Node:
    contact = {
        "default_sender_name": "Courier Sandbox",
        "default_sender_email": "sandbox@example.com",
        "website_url": None,
        "organization_name": "Courier Sandbox (made up)",
        "street_address": STREET,
    }
    attributes = {
        "test_account": row.test_account,
        "contact_information": contact,
        "industry": row.industry,
        "timezone": row.timezone,
        "preferred_currency": row.preferred_currency,
        "public_api_key": row.public_api_key,
        "locale": row.locale,
    }
    return resource("account", row.id, attributes)


def profile(row: rows.ProfileRow) -> Node:
    names = (
        "email",
        "phone_number",
        "external_id",
        "first_name",
        "last_name",
        "organization",
        "locale",
        "title",
        "image",
    )
    attributes = {
        **{name: getattr(row, name) for name in names},
        "created": iso(row.created),
        "updated": iso(row.updated),
        "last_event_date": iso(row.last_event_date),
        "location": _location(row),
        "properties": orjson.loads(row.properties),
        "subscriptions": _subscriptions(row),
        "predictive_analytics": _predictions(row),
    }
    return resource("profile", row.id, attributes)


def _location(row: rows.ProfileRow) -> Node:
    places = ("address1", "address2", "city", "region", "zip", "country", "timezone", "ip")
    coordinates: Node = {"latitude": row.latitude, "longitude": row.longitude}
    if row.latitude and row.customer_id // 32_768 % 2:
        coordinates = {name: float(value) for name, value in coordinates.items()}
    return {**{name: getattr(row, name) for name in places}, **coordinates}


def _subscriptions(row: rows.ProfileRow) -> Node:
    suppression = orjson.loads(row.suppression)
    email = {
        "can_receive_email_marketing": row.email_consent == "SUBSCRIBED" and not suppression,
        "consent": row.email_consent,
        "consent_timestamp": iso(row.email_consent_at),
        "last_updated": iso(row.email_consent_at),
        "method": row.email_method,
        "method_detail": "",
        "custom_method_detail": None,
        "double_optin": None,
        "suppression": suppression,
        "list_suppressions": orjson.loads(row.list_suppressions),
    }
    push = {
        "can_receive_push_marketing": row.push,
        "consent": "SUBSCRIBED" if row.push else "",
        "consent_timestamp": iso(row.created),
    }
    subscribed = row.sms_consent == "SUBSCRIBED"
    sms = {
        "can_receive_sms_marketing": subscribed,
        "consent": row.sms_consent,
        "consent_timestamp": iso(row.sms_consent_at),
        "last_updated": iso(row.sms_consent_at),
        "method": None,
        "method_detail": None,
    }
    return {
        "email": {"marketing": email},
        "sms": {"marketing": sms},
        "mobile_push": {"marketing": push},
        "whatsapp": {"marketing": {"can_receive": row.whatsapp, "consent": "SUBSCRIBED" if row.whatsapp else ""}},
    }  # fmt: skip


def _predictions(row: rows.ProfileRow) -> Node:
    numbers = (
        "historic_clv", "predicted_clv", "total_clv", "historic_number_of_orders", "predicted_number_of_orders",
        "average_days_between_orders", "average_order_value", "churn_probability",
    )  # fmt: skip
    affinity = row.ranked_channel_affinity
    return {
        **{name: getattr(row, name) for name in numbers},
        "expected_date_of_next_order": iso(row.expected_date_of_next_order),
        "ranked_channel_affinity": orjson.loads(affinity) if affinity else None,
    }


def member(row: rows.MemberRow, known: Mapping[str, rows.ProfileRow]) -> Node:
    whole = profile(known[row.profile_id])
    return {**whole, "attributes": {**whole["attributes"], "joined_group_at": iso(row.joined)}}


def group(row: rows.GroupRow) -> Node:
    times = {"name": row.name, "created": iso(row.created), "updated": iso(row.updated)}
    if row.kind == "list":
        return resource("list", row.id, {**times, "opt_in_process": row.opt_in_process})
    flags = {name: getattr(row, name) for name in ("is_active", "is_processing", "is_starred")}
    return resource("segment", row.id, {**times, "definition": orjson.loads(row.definition or "null"), **flags})


def metric(row: rows.MetricRow) -> Node:
    integration = {
        "object": "integration",
        "id": row.integration_id,
        "name": row.integration_name,
        "category": row.integration_category,
    }
    attributes = {
        "name": row.name,
        "created": iso(row.created),
        "updated": iso(row.updated),
        "integration": integration,
    }
    return resource("metric", row.id, attributes)


def mapped_metric(row: rows.MetricRow) -> Node:
    related = {"metric": to_one("metric", row.id), "custom-metric": to_one("custom-metric", None)}
    return resource("mapped-metric", row.mapped or "", {"updated": iso(row.updated)}, related)


def event(row: rows.EventRow) -> Node:
    attributes = {
        "timestamp": row.at,
        "event_properties": orjson.loads(row.properties),
        "datetime": iso(row.at),
        "uuid": row.uuid,
    }
    related = {"profile": to_one("profile", row.profile_id), "metric": to_one("metric", row.metric_id)}
    return resource("event", row.id, attributes, related)


def flow(row: rows.FlowRow) -> Node:
    attributes = {
        "name": row.name,
        "status": row.status,
        "archived": row.archived,
        "created": iso(row.created),
        "updated": iso(row.updated),
        "trigger_type": row.trigger_type,
    }
    return resource("flow", row.id, attributes)


def flow_action(row: rows.FlowActionRow, messages: list[str]) -> Node:
    attributes = {"definition": orjson.loads(row.definition), "created": iso(row.created), "updated": iso(row.updated)}
    ids = {"data": [{"type": "flow-message", "id": identity} for identity in messages]}
    return resource("flow-action", row.id, attributes, {"flow": to_one("flow", row.flow_id), "flow-messages": ids})


def flow_message(row: rows.FlowMessageRow) -> Node:
    names = ("name", "subject_line", "preview_text", "from_label", "body", "template_id", "transactional",
             "smart_sending_enabled")  # fmt: skip
    told = {name: getattr(row, name) for name in names if getattr(row, name) is not None}
    attributes = {"channel": row.channel, "created": iso(row.created), "updated": iso(row.updated), "definition": told}
    related = {"flow-action": to_one("flow-action", row.action_id), "template": to_one("template", row.template_id)}
    return resource("flow-message", row.id, attributes, related)


def template(row: rows.TemplateRow) -> Node:
    names = ("name", "editor_type", "html", "text", "amp")
    attributes = {name: getattr(row, name) for name in names}
    return resource("template", row.id, {**attributes, "created": iso(row.created), "updated": iso(row.updated)})


def campaign(row: rows.CampaignRow, messages: list[str]) -> Node:
    attributes = {
        "name": row.name,
        "status": row.status,
        "archived": row.archived,
        "audiences": {"included": orjson.loads(row.included), "excluded": orjson.loads(row.excluded)},
        "send_options": {"use_smart_sending": True},
        "tracking_options": {"add_tracking_params": False},
        "send_strategy": {"method": row.method},
        "created_at": iso(row.created_at),
        "scheduled_at": iso(row.scheduled_at),
        "updated_at": iso(row.updated_at),
        "send_time": iso(row.send_time),
    }
    ids = {"data": [{"type": "campaign-message", "id": identity} for identity in messages]}
    return resource("campaign", row.id, attributes, {"campaign-messages": ids})


def campaign_message(row: rows.CampaignMessageRow) -> Node:
    content = {name: getattr(row, name) for name in ("subject", "preview_text", "from_label", "body", "media_url")}
    definition = {
        "channel": row.channel,
        "label": row.label,
        "content": {name: value for name, value in content.items() if value is not None},
    }
    attributes = {"definition": definition, "created_at": iso(row.created_at), "updated_at": iso(row.updated_at)}
    related = {"campaign": to_one("campaign", row.campaign_id), "template": to_one("template", row.template_id)}
    return resource("campaign-message", row.id, attributes, related)


def catalog_item(row: rows.CatalogItemRow) -> Node:
    names = (
        "external_id",
        "title",
        "description",
        "price",
        "url",
        "image_full_url",
        "image_thumbnail_url",
        "published",
    )
    attributes = {name: getattr(row, name) for name in names}
    attributes |= {"images": orjson.loads(row.images), "custom_metadata": orjson.loads(row.custom_metadata)}
    return resource("catalog-item", row.id, {**attributes, "created": iso(row.created), "updated": iso(row.updated)})


def catalog_variant(row: rows.CatalogVariantRow) -> Node:
    names = ("external_id", "title", "sku", "price", "inventory_quantity", "inventory_policy", "published")
    attributes = {name: getattr(row, name) for name in names}
    whole = {**attributes, "created": iso(row.created), "updated": iso(row.updated)}
    return resource("catalog-variant", row.id, whole, {"item": to_one("catalog-item", row.item_id)})


def only(node: Node, wanted: list[str] | None) -> Node:
    """The resource with the attributes that a sparse fieldset names, as `location.city`."""
    if wanted is None:
        return node
    kept: Node = {}
    for path in wanted:
        _copy(node["attributes"], kept, path.split("."))
    return {**node, "attributes": kept}


def _copy(source: Node, target: Node, names: list[str]) -> None:
    head, *rest = names
    if head not in source:
        return
    if not rest or not isinstance(source[head], dict):
        target[head] = source[head]
    else:
        _copy(source[head], target.setdefault(head, {}), rest)


Serialise = Callable[[Any], Node]
