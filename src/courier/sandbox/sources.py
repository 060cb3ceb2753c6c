"""One made-up shop as Shopify, BigCommerce and Klaviyo show it, behind the routes of all three."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.routing import Route
from starlette.types import ASGIApp

from courier.sandbox import no_side
from courier.sandbox.bigcommerce.app import Api as BigCommerceApi
from courier.sandbox.bigcommerce.service import Store
from courier.sandbox.klaviyo.app import Api as KlaviyoApi
from courier.sandbox.klaviyo.service import Klaviyo
from courier.sandbox.shop import Shop
from courier.sandbox.shopify.app import Admin
from courier.sandbox.shopify.faults import no_faults
from courier.sandbox.shopify.service import STORE, Service, Settings

CREDENTIALS = {
    "bigcommerce": {"store_hash": "BIGCOMMERCE_STORE_HASH", "access_token": "BIGCOMMERCE_ACCESS_TOKEN"},
    "shopify": {"store": "SHOPIFY_STORE", "access_token": "SHOPIFY_ACCESS_TOKEN"},
    "klaviyo": {"api_key": "KLAVIYO_API_KEY"},
}
"""Connector -> key of a courier's `credential:` -> the variable that it names."""


class Sources:
    """`faults` are for all three. `handle`: the shop's name at Shopify."""

    def __init__(self, shop: Shop, settings: Settings, handle: str = STORE) -> None:
        self.shop = shop
        self.faults = no_faults()
        self.service = Service(shop, settings, handle=handle)
        self.bigcommerce = Store(shop)
        self.klaviyo = Klaviyo(shop)
        self.admin = Admin(self.service, self.faults)
        self.admin.on_reset += [self.bigcommerce.reset, self.klaviyo.reset]

    @property
    def credentials(self) -> dict[str, str]:
        """What a courier needs to log in, by the names of its variables. Nothing here opens a real shop."""
        return {
            **self.admin.credentials(),
            "BIGCOMMERCE_STORE_HASH": self.bigcommerce.hash,
            "BIGCOMMERCE_ACCESS_TOKEN": self.bigcommerce.token,
            "KLAVIYO_API_KEY": self.klaviyo.key,
        }

    def credential(self, connector: str) -> dict[str, str]:
        """What a courier of this connector is opened with, by the keys of its `credential:`.

        Raises UsageError for one that the sandbox does not have.
        """
        if connector not in CREDENTIALS:
            raise no_side(connector)
        known = self.credentials
        return {key: known[name] for key, name in CREDENTIALS[connector].items()}

    def application(self, beside: Sequence[Route] = ()) -> ASGIApp:
        """All routes, and those of what else is served on the same port."""
        others = [
            *BigCommerceApi(self.bigcommerce, self.faults).routes(),
            *KlaviyoApi(self.klaviyo, self.faults).routes(),
        ]
        return self.admin.application([*beside, *others])
