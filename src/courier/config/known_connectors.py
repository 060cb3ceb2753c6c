"""What configuration must know of each connector, so that `validate` need not import it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class KnownConnector:
    """credential: the sets of keys, one of which a courier gives whole. field_name: the field that a column reads
    without `from`. needs_version: whether a courier says `api_version`.

    variables: by the keys of a credential, what its secrets are usually called
    handle:    the key that says which store is meant, and is no secret; "" where only a key to an account does
    handles:   what such a value looks like
    """

    credential: tuple[tuple[str, ...], ...]
    field_name: Callable[[str], str]
    needs_version: bool
    variables: Mapping[str, str]
    handle: str = ""
    handles: re.Pattern[str] = re.compile(".+")

    @property
    def credential_keys(self) -> list[str]:
        return list(dict.fromkeys(key for keys in self.credential for key in keys))


def camel_case(name: str) -> str:
    """created_at -> createdAt"""
    return re.sub(r"_([a-z0-9])", lambda found: found.group(1).upper(), name)


def as_written(name: str) -> str:
    """date_created -> date_created: the source's own fields are named as columns are."""
    return name


def attribute(name: str) -> str:
    """location__city -> attributes.location.city: a resource of JSON:API has its id outside of its attributes."""
    return name if name == "id" else f"attributes.{name.replace('__', '.')}"


KNOWN_CONNECTORS: Mapping[str, KnownConnector] = {
    "bigcommerce": KnownConnector(
        credential=(("store_hash", "access_token"),),
        field_name=as_written,
        needs_version=False,
        variables={"store_hash": "BIGCOMMERCE_STORE_HASH", "access_token": "BIGCOMMERCE_ACCESS_TOKEN"},
        handle="store_hash",
        handles=re.compile(r"[a-z0-9]{1,40}"),
    ),
    "klaviyo": KnownConnector(
        credential=(("api_key",),),
        field_name=attribute,
        needs_version=False,
        variables={"api_key": "KLAVIYO_API_KEY"},
    ),
    "shopify": KnownConnector(
        credential=(("store", "access_token"), ("store", "client_id", "client_secret")),
        field_name=camel_case,
        needs_version=True,
        variables={
            "store": "SHOPIFY_STORE",
            "access_token": "SHOPIFY_ACCESS_TOKEN",
            "client_id": "SHOPIFY_CLIENT_ID",
            "client_secret": "SHOPIFY_CLIENT_SECRET",
        },
        handle="store",
        handles=re.compile(r"[a-z0-9][a-z0-9-]{0,99}(\.myshopify\.com)?"),
    ),
}


def field_name(folder: str, column: str) -> str:
    """What a column of domain_tables/<folder>/ reads without `from`."""
    connector = KNOWN_CONNECTORS.get(folder)
    return connector.field_name(column) if connector else column
