"""Many small shops behind one port, each made when it is first asked for; a request's token says whose it is."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

from courier.sandbox.history.options import Options
from courier.sandbox.shop import STATE_FILE, Shop
from courier.sandbox.shopify.service import STORE, Settings
from courier.sandbox.sources import Sources

FOLDER = "stores"
_TOKEN = re.compile(rb"(?:shpat|bc|pk)_sandbox_([0-9a-f]+)$")
_HEADERS = (b"x-shopify-access-token", b"x-auth-token", b"authorization")


def options_of(name: str) -> Options:
    """A small shop, of other people and orders than any other store's."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:6])
    return Options(seed=seed, customers=20, orders=60, products=8, special=False)


def open_store(main: Shop, name: str) -> Shop:
    """The shop of a store. It is kept beside the main one once it was changed; until then it is made of its name."""
    folder = main.folder / FOLDER / name if main.folder else None
    if folder is not None and (folder / STATE_FILE).exists():
        return Shop.open(folder)
    return Shop(options_of(name), main.anchor, folder)


class Stores:
    """The stores of these names. `made` are those that somebody has asked for."""

    def __init__(self, main: Shop, names: Iterable[str], settings: Settings) -> None:
        self._main, self._settings = main, settings
        self._seeds = {options_of(name).seed: name for name in names}
        self.made: dict[str, Sources] = {}
        self._served: dict[str, ASGIApp] = {}

    def __getitem__(self, name: str) -> Sources:
        if name not in self.made:
            shop = open_store(self._main, name)
            self.made[name] = Sources(shop, self._settings, f"{STORE}-{name.replace('_', '-')}")
        return self.made[name]

    def in_front_of(self, main: ASGIApp) -> ASGIApp:
        """The application that answers for all of them, and passes on what is meant for none."""
        if not self._seeds:
            return main

        async def entry(scope: Scope, receive: Receive, send: Send) -> None:
            name = self._meant(scope)
            await (main if name is None else self._application(name))(scope, receive, send)

        return entry

    def _application(self, name: str) -> ASGIApp:
        if name not in self._served:
            self._served[name] = self[name].application()
        return self._served[name]

    def _meant(self, scope: Scope) -> str | None:
        """The store of the request's token; of a signed download, the one that signed it; or the one it names."""
        for header, value in scope["headers"]:
            found = _TOKEN.search(value) if header in _HEADERS else None
            if found:
                return self._seeds.get(int(found.group(1), 16))
        asked = {key: values[0] for key, values in parse_qs(scope["query_string"].decode()).items()}
        if scope["path"].startswith("/bulk/"):
            signed = scope["path"], asked.get("Expires", ""), asked.get("Signature", "")
            return next((name for name, one in self.made.items() if one.service.bulk.signed(*signed)), None)
        named = asked.get("store") if scope["path"].startswith("/_sandbox/") else None
        return named if named in self._seeds.values() else None
