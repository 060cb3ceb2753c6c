"""The Python that speaks to one SaaS each. `connectors/<name>/` has a module-level value called `connector`."""

from __future__ import annotations

from importlib import import_module
from typing import cast

from courier.connectors.contract import Connector


def connector_named(name: str) -> Connector:
    """The connector that a courier's `connector:` names. The configuration has already checked that it exists."""
    return cast(Connector, import_module(f"courier.connectors.{name}").connector)
