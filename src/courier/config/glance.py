"""Groups, couriers and the destination at a glance: unchecked, without what checks them, which takes half a second."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from courier.config.cron import check_cron
from courier.config.csv_cells import cells_of
from courier.config.documents import SETTINGS_FILE, read_document, read_text
from courier.config.project import CourierGroup, Destination, GroupCourier


def glance_at_couriers(root: Path) -> dict[str, tuple[str, ...]]:
    """The files of couriers/ by name, each with its couriers: itself, or one per line of its list of stores."""
    return {path.stem: _couriers(root, path.stem) for path in sorted((root / "couriers").glob("*.yaml"))}


def _couriers(root: Path, name: str) -> tuple[str, ...]:
    path = f"couriers/{name}.yaml"
    if not re.search("(?m)^stores:", (root / path).read_text("utf-8", "replace")):
        return (name,)
    data = read_document(root, path)[0].data
    stores = data.get("stores") if isinstance(data, Mapping) else None
    document, _, problems = read_text(root, f"couriers/{stores}")
    rows = [] if problems else cells_of(document.lines)[0]
    place = next((place for place, cell in enumerate(rows[0]) if cell.text == "name"), None) if rows else None
    if place is None:
        return (name,)
    return tuple(f"{name}_{row[place].text}" for row in rows[1:] if len(row) > place)


def glance_at_groups(root: Path, couriers: Mapping[str, tuple[str, ...]]) -> tuple[CourierGroup, ...]:
    """Names, schedules and couriers, as far as they can be read; a schedule that cannot fire is left out."""
    document, problems = read_document(root, "courier_groups.yaml")
    found = None if problems else document.data
    groups = found if isinstance(found, Mapping) else {}
    return tuple(
        _group(str(name), group if isinstance(group, Mapping) else {}, couriers) for name, group in groups.items()
    )


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


def _group(name: str, written: Mapping[str, Any], known: Mapping[str, tuple[str, ...]]) -> CourierGroup:
    listed = written.get("couriers")
    couriers = [str(one) for one in listed] if isinstance(listed, Mapping | list) else []
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
        couriers=tuple(GroupCourier(one) for written in couriers for one in known.get(written, (written,))),
    )


def _is_zone(timezone: str) -> bool:
    try:
        ZoneInfo(timezone)
    except (ValueError, OSError):
        return False
    return True
