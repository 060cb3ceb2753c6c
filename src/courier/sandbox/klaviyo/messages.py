"""Flows with their actions and messages, campaigns with theirs, and templates. They were all made before the anchor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from courier.sandbox.history.options import DAY
from courier.sandbox.history.rows import History
from courier.sandbox.klaviyo.making import json_text
from courier.sandbox.klaviyo.rows import (
    CampaignMessageRow,
    CampaignRow,
    FlowActionRow,
    FlowMessageRow,
    FlowRow,
    TemplateRow,
)

FLOWS = (
    ("FlwWel", "Welcome", "live", False, "Added to List"),
    ("FlwPay", "Thanks for the order", "live", False, "Metric"),
    ("FlwCar", "Abandoned cart", "manual", False, "Metric"),
    ("FlwOld", "Win back (2024)", "draft", True, "Low Inventory"),
)
ACTIONS = ("send-email", "time-delay", "send-sms", "conditional-split")
CHANNEL_OF = {"send-email": "email", "send-sms": "sms"}
CAMPAIGNS = (
    ("01CMPEMAIL0000000000000001", "email", "Spring sale", "Sent", False, 90),
    ("01CMPEMAIL0000000000000002", "email", "Été: -20 %", "Sent", False, 20),
    ("01CMPEMAIL0000000000000003", "email", "Old one", "Sent", True, 300),
    ("01CMPEMAIL0000000000000004", "email", "Still a draft", "Draft", False, 5),
    ("01CMPSMS000000000000000001", "sms", "Text of the week", "Sent", False, 10),
    ("01CMPSMS000000000000000002", "sms", "Put away", "Cancelled", True, 200),
    ("01CMPPUSH00000000000000001", "mobile_push", "App only", "Sent", False, 15),
)
TEMPLATES = 12
REPORTED = {"mobile_push": "push-notification"}


@dataclass(frozen=True)
class Sent:
    """A message that went out: `at` for a campaign's, with each order for a flow's."""

    message: str
    channel: str
    flow: str | None = None
    campaign: str | None = None
    at: int = 0

    @property
    def send_channel(self) -> str:
        return REPORTED.get(self.channel, self.channel)


def flows(history: History) -> Iterator[FlowRow]:
    made = history.anchor - 500 * DAY
    for position, (identity, name, status, archived, trigger) in enumerate(FLOWS):
        yield FlowRow(identity, name, status, archived, trigger, made + position, made + (position + 1) * DAY)


def flow_actions(history: History) -> Iterator[FlowActionRow]:
    for flow in flows(history):
        for position, kind in enumerate(ACTIONS):
            data = {"delay": {"unit": "hours", "value": position}} if kind == "time-delay" else {"status": flow.status}
            definition = json_text(
                {"id": f"{_number(flow.id)}{position}", "type": kind, "data": data, "links": {"next": None}}
            )
            identity = f"{_number(flow.id)}{position}"
            yield FlowActionRow(identity, flow.id, kind, flow.created + position, flow.updated, definition)


def _number(flow_id: str) -> int:
    return 7100 + [identity for identity, *_ in FLOWS].index(flow_id)


def flow_messages(history: History) -> Iterator[FlowMessageRow]:
    for action in flow_actions(history):
        channel = CHANNEL_OF.get(action.type)
        if channel is None:
            continue
        is_email = channel == "email"
        yield FlowMessageRow(
            id=f"Msg{action.id}",
            flow_id=action.flow_id,
            action_id=action.id,
            channel=channel,
            name=f"{action.flow_id} {channel} #1",
            subject_line="Thank you, {{ first_name }}" if is_email else None,
            preview_text="Open me" if is_email else None,
            from_label="Courier Sandbox" if is_email else None,
            body=None if is_email else "Your order is on its way \U0001f69a",
            template_id=f"Tpl{1:03d}" if is_email else None,
            transactional=action.flow_id == "FlwPay",
            smart_sending_enabled=action.flow_id != "FlwPay",
            created=action.created,
            updated=action.updated,
        )


def templates(history: History) -> Iterator[TemplateRow]:
    made = history.anchor - 450 * DAY
    for number in range(TEMPLATES):
        html = f"<html><body><h1>Template {number}</h1><p>&amp; “quotes”</p></body></html>"
        text = None if number % 3 == 0 else f"Template {number}"
        kind = "CODE" if number % 2 else "SYSTEM_DRAGGABLE"
        yield TemplateRow(
            f"Tpl{number:03d}", f"Template {number}", kind, html, text, None, made + number, made + DAY * number
        )


def campaigns(history: History) -> Iterator[CampaignRow]:
    for identity, channel, name, status, archived, days in CAMPAIGNS:
        at = history.anchor - days * DAY
        yield CampaignRow(
            id=identity,
            channel=channel,
            name=name,
            status=status,
            archived=archived,
            included=json_text(["LstNew"] if channel == "email" else ["LstSms"]),
            excluded=json_text([]),
            send_time=at if status == "Sent" else None,
            scheduled_at=at - 3600 if status == "Sent" else None,
            created_at=at - DAY,
            updated_at=at,
            method="immediate" if channel == "sms" else "static",
        )


def campaign_messages(history: History) -> Iterator[CampaignMessageRow]:
    for campaign in campaigns(history):
        is_email, is_sms = campaign.channel == "email", campaign.channel == "sms"
        yield CampaignMessageRow(
            id=f"01MSG{campaign.id[5:]}",
            campaign_id=campaign.id,
            channel=campaign.channel,
            label=f"{campaign.name} message",
            subject=f"{campaign.name}!" if is_email else None,
            preview_text="Look inside" if is_email else None,
            from_label="Courier Sandbox" if is_email else None,
            body=None if is_email else f"{campaign.name}: tap",
            media_url="https://images.example/sms.gif" if is_sms else None,
            template_id="Tpl002" if is_email else None,
            created_at=campaign.created_at,
            updated_at=campaign.updated_at,
        )


def sent_by_flows(history: History) -> list[Sent]:
    live = {flow.id for flow in flows(history) if flow.status == "live"}
    return [Sent(row.id, row.channel, flow=row.flow_id) for row in flow_messages(history) if row.flow_id in live]


def sent_by_campaigns(history: History) -> list[Sent]:
    message = {row.campaign_id: row.id for row in campaign_messages(history)}
    return [
        Sent(message[row.id], row.channel, campaign=row.id, at=row.send_time)
        for row in campaigns(history)
        if row.send_time
    ]
