"""GET /usage: its shape is documented; that the billing period is the calendar month is inferred."""

from __future__ import annotations

from datetime import timedelta

from courier.clock import rfc3339
from courier.sandbox.mavera.account import Account, Answer, Ask
from courier.sandbox.mavera.store import Node


def told(account: Account, ask: Ask) -> Answer:
    """GET /usage."""
    settings, start = account.settings, account.month()
    end = (start + timedelta(days=32)).replace(day=1)
    return Answer(
        {
            "object": "usage",
            "billing_period": {"start": rfc3339(start), "end": rfc3339(end)},
            "credits": credits(account),
            "transcription": {"used_minutes": 0, "included_minutes": 600},
            "storage": {"used_bytes": 0, "included_bytes": 10_737_418_240},
            "api_requests": _requests(account),
            "rate_limit": {"requests_per_minute": settings.requests_per_minute},
            "auto_recharge": {"enabled": settings.auto_recharge, "threshold": 100, "credits_to_add": 1000},
            "limits": {"budget_alert": settings.budget_alert, "usage_limit": settings.usage_limit},
        }
    )


def credits(account: Account) -> Node:
    used, included = account.used(), account.included()
    share = round(100 * used / included, 2) if included else 100
    return {"used": used, "included": included, "remaining": max(0, included - used), "percentage_used": share}


def _requests(account: Account) -> Node:
    total, errors = account.store.tally(account.month())
    prompt, completion = account.store.kept("tokens") or (0, 0)
    return {
        "total_requests": total,
        "total_tokens": prompt + completion,
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "credits_used": account.used(),
        "error_count": errors,
        "avg_latency_ms": 1,
    }
