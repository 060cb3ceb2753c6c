"""The one door to Apprise, and what runs in a process of its own: one message to one target.

Reads `{url, title, body, tone, limit}` from stdin. Ends with 0 once the service took the message, else with 1 and the
reason on stdout, which never holds the URL: of what Apprise logs only an HTTP status is told on.
"""

from __future__ import annotations

import json
import logging
import re
import signal
import sys
from collections.abc import Mapping
from typing import Any

_STATUS = re.compile(r"error=(\d{3})\b")


class _Statuses(logging.Handler):
    """Listens to Apprise for the HTTP statuses that it met."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found += _STATUS.findall(record.getMessage())


def main() -> None:
    order = json.load(sys.stdin)
    signal.alarm(int(order["limit"]) + 1)  # also where whoever started this is gone
    problem = deliver(order)
    sys.stdout.write(problem)
    sys.exit(1 if problem else 0)


def deliver(order: Mapping[str, Any]) -> str:
    """Send one message. Returns why it could not be sent, or nothing."""
    import apprise

    statuses = _Statuses()
    logger = logging.getLogger("apprise")
    logger.addHandler(statuses)
    logger.propagate = False
    asset = apprise.AppriseAsset(app_id="Courier", app_desc="Courier alerts", async_mode=False)
    service = apprise.Apprise(asset=asset)
    if not service.add(order["url"]) or not len(service):
        return "this is no URL that Apprise knows"
    if service.notify(body=order["body"], title=order["title"], notify_type=order["tone"], body_format="text"):
        return ""
    return f"the service answered {statuses.found[-1]}" if statuses.found else "the service could not be reached"
