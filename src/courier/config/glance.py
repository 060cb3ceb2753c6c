"""The groups and the destination at a glance: unchecked, without what checks them, which takes half a second."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from courier.config.cron import check_cron
from courier.config.documents import SETTINGS_FILE, read_document
from courier.config.project import CourierGroup, Destination, GroupCourier


def glance_at_groups(root: Path) -> tuple[CourierGroup, ...]:
    """Names, schedules and couriers, as far as they can be read; a schedule that cannot fire is left out."""
    document, problems = read_document(root, "courier_groups.yaml")
    found = None if problems else document.data
    groups = found if isinstance(found, Mapping) else {}
    return tuple(_group(str(name), group if isinstance(group, Mapping) else {}) for name, group in groups.items())


def glance_at_destination(root: Path) -> Destination:
    """Where rows are, as courier.yaml says it; DuckDB's file where there is none, or one that cannot be read."""
    if not (root / SETTINGS_FILE).exists():
        return Destination()
    from courier.config.destination import resolve_destination
    from courier.config.models import SettingsModel
    from courier.config.structure import check

    document, problems = read_document(root, SETTINGS_FILE)
    model, wrong = (None, problems) if problems else check(document, SettingsModel)
    return Destination() if model is None or wrong else resolve_destination(document, model)


def _group(name: str, written: Mapping[str, Any]) -> CourierGroup:
    couriers = written.get("couriers")
    timezone = written.get("timezone", "UTC")
    zone = timezone if isinstance(timezone, str) and _is_zone(timezone) else None
    schedule = written.get("schedule")
    fires = isinstance(schedule, str) and zone is not None and check_cron(schedule) is None
    return CourierGroup(
        name=name,
        schedule=schedule if fires else None,
        timezone=zone or "UTC",
        enabled=written.get("enabled") is not False,
        run_type="full",
        couriers=tuple(GroupCourier(str(one)) for one in couriers) if isinstance(couriers, Mapping | list) else (),
    )


def _is_zone(timezone: str) -> bool:
    try:
        ZoneInfo(timezone)
    except (ValueError, OSError):
        return False
    return True
