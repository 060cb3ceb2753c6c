"""The tables of the made-up Klaviyo account, as relational rows.

Instants are whole seconds since 1970 in UTC, money is in whole units as Klaviyo tells it, JSON is its text.
"""

from __future__ import annotations

from dataclasses import dataclass

Seconds = int
Json = str


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """`latitude` is sent as a number or as a text; `consent` of a channel: SUBSCRIBED, UNSUBSCRIBED, NEVER_SUBSCRIBED.

    The prediction's fields are null together where somebody never ordered.
    """

    id: str
    customer_id: int
    email: str | None
    phone_number: str | None
    external_id: str | None
    first_name: str | None
    last_name: str | None
    organization: str | None
    locale: str | None
    title: str | None
    image: str | None
    created: Seconds
    updated: Seconds
    last_event_date: Seconds | None
    address1: str | None
    address2: str | None
    city: str | None
    region: str | None
    zip: str | None
    country: str | None
    latitude: str | None
    longitude: str | None
    timezone: str | None
    ip: str | None
    properties: Json
    email_consent: str
    email_consent_at: Seconds | None
    email_method: str | None
    suppression: Json
    list_suppressions: Json
    sms_consent: str
    sms_consent_at: Seconds | None
    push: bool
    whatsapp: bool
    orders: int
    historic_clv: float | None
    predicted_clv: float | None
    total_clv: float | None
    historic_number_of_orders: float | None
    predicted_number_of_orders: float | None
    average_days_between_orders: float | None
    average_order_value: float | None
    churn_probability: float | None
    expected_date_of_next_order: Seconds | None
    ranked_channel_affinity: Json | None


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A list or a segment. `definition` and `is_*` are a segment's, `opt_in_process` is a list's."""

    kind: str
    id: str
    name: str
    created: Seconds
    updated: Seconds
    definition: Json | None = None
    is_active: bool | None = None
    is_processing: bool | None = None
    is_starred: bool | None = None
    opt_in_process: str | None = None


@dataclass(frozen=True, slots=True)
class MemberRow:
    kind: str
    group_id: str
    profile_id: str
    joined: Seconds


@dataclass(frozen=True, slots=True)
class MetricRow:
    """`mapped`: what the account's own mapping calls it, as `revenue`."""

    id: str
    name: str
    created: Seconds
    updated: Seconds
    integration_id: str
    integration_name: str
    integration_category: str
    mapped: str | None


@dataclass(frozen=True, slots=True)
class EventRow:
    """Something that a profile did. `flow`, `message` and `channel`: what it is attributed to, or was sent by.

    A `stray` one has a time far in the future, as a device with a wrong clock sends it.
    """

    id: str
    uuid: str
    metric_id: str
    metric: str
    profile_id: str
    at: Seconds
    properties: Json
    value: float | None
    event_key: str | None
    flow: str | None = None
    campaign: str | None = None
    message: str | None = None
    channel: str | None = None
    stray: bool = False


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One product of a Placed Order event."""

    event_id: str
    line_no: int
    order_id: str
    profile_id: str
    product_id: str | None
    variant_id: str | None
    sku: str | None
    quantity: float
    line_value: float
    at: Seconds


@dataclass(frozen=True, slots=True)
class FlowRow:
    id: str
    name: str
    status: str
    archived: bool
    trigger_type: str
    created: Seconds
    updated: Seconds


@dataclass(frozen=True, slots=True)
class FlowActionRow:
    id: str
    flow_id: str
    type: str
    created: Seconds
    updated: Seconds
    definition: Json


@dataclass(frozen=True, slots=True)
class FlowMessageRow:
    id: str
    flow_id: str
    action_id: str
    channel: str
    name: str
    subject_line: str | None
    preview_text: str | None
    from_label: str | None
    body: str | None
    template_id: str | None
    transactional: bool
    smart_sending_enabled: bool
    created: Seconds
    updated: Seconds


@dataclass(frozen=True, slots=True)
class TemplateRow:
    id: str
    name: str
    editor_type: str
    html: str
    text: str | None
    amp: str | None
    created: Seconds
    updated: Seconds


@dataclass(frozen=True, slots=True)
class CampaignRow:
    id: str
    channel: str
    name: str
    status: str
    archived: bool
    included: Json
    excluded: Json
    send_time: Seconds | None
    scheduled_at: Seconds | None
    created_at: Seconds
    updated_at: Seconds
    method: str


@dataclass(frozen=True, slots=True)
class CampaignMessageRow:
    id: str
    campaign_id: str
    channel: str
    label: str
    subject: str | None
    preview_text: str | None
    from_label: str | None
    body: str | None
    media_url: str | None
    template_id: str | None
    created_at: Seconds
    updated_at: Seconds


@dataclass(frozen=True, slots=True)
class CatalogItemRow:
    id: str
    external_id: str
    title: str
    description: str
    price: float | None
    url: str
    image_full_url: str
    image_thumbnail_url: str
    images: Json
    custom_metadata: Json
    published: bool
    created: Seconds
    updated: Seconds


@dataclass(frozen=True, slots=True)
class CatalogVariantRow:
    id: str
    item_id: str
    external_id: str
    title: str
    sku: str | None
    price: float
    inventory_quantity: float
    inventory_policy: int
    published: bool
    created: Seconds
    updated: Seconds


@dataclass(frozen=True, slots=True)
class AccountRow:
    id: str
    timezone: str
    preferred_currency: str
    test_account: bool
    public_api_key: str
    industry: str
    locale: str


@dataclass(frozen=True, slots=True)
class WindowRow:
    """What a report of values is made for: 30 whole days of the account, both ends belong to it."""

    starts: Seconds
    ends: Seconds


@dataclass(frozen=True, slots=True)
class DayRow:
    """A day of the account that series and aggregates tell: [starts, next)."""

    starts: Seconds
    next: Seconds
