"""Which shop a courier speaks to, and as whom."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from courier import clock
from courier.config.project import Courier
from courier.connectors.shopify.answers import refusal
from courier.errors import ConfigurationError, CredentialMissing, SourceRefused
from courier.http import Http
from courier.origins import checked_host

TOKEN_PATH = "/admin/oauth/access_token"
DOMAIN = ".myshopify.com"

_HANDLE = re.compile(r"[a-z0-9][a-z0-9-]{0,99}", re.IGNORECASE)


@dataclass(frozen=True)
class Store:
    """`key` names the store in file names: its handle, or where there is none, the endpoint's host and port."""

    key: str
    origin: str


def store_of(courier: Courier, credential: Mapping[str, str]) -> Store:
    """Where to send requests. Raises ConfigurationError for anything that is not a myshopify.com handle."""
    written = credential.get("store", "").strip()
    handle = written.lower().removesuffix(DOMAIN)
    if written and not _HANDLE.fullmatch(handle):
        raise ConfigurationError(
            f"{courier.path}: `store` is not the handle of a shop",
            fix=f"write it as acme or acme{DOMAIN}: the name in the address of the shop's admin, and nothing else",
        )
    if courier.endpoint:
        key = re.sub(r"[^A-Za-z0-9.-]", "_", checked_host(courier.endpoint.rstrip("/")))
        return Store(handle or key, courier.endpoint.rstrip("/"))
    if not handle:
        raise CredentialMissing(f"{courier.path}: `store` is not set", fix="set SHOPIFY_STORE to the shop's handle")
    return Store(handle, f"https://{handle}{DOMAIN}")


class Access(Protocol):
    """Where the access token comes from."""

    def token(self) -> str:
        """The token for the next request."""

    def renew(self) -> bool:
        """After a 401: whether there is another token to try."""


class StaticToken:
    def __init__(self, token: str) -> None:
        self._token = token

    def token(self) -> str:
        return self._token

    def renew(self) -> bool:
        return False


class ClientCredentials:
    """A token of a Dev Dashboard app: asked for when needed, and again before it expires (after 24 hours)."""

    def __init__(self, http: Http, client_id: str, client_secret: str, where: str) -> None:
        self._http = http
        self._form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": client_secret}
        self._where = where
        self._token = ""
        self._renew_at: datetime | None = None

    def token(self) -> str:
        if not self._token or (self._renew_at and clock.now() >= self._renew_at):
            self.renew()
        return self._token

    def renew(self) -> bool:
        answer = self._http.post(TOKEN_PATH, form=self._form)
        if answer.status in (400, 401):
            raise SourceRefused(
                f"{self._http.host}: the client id and secret are refused ({answer.status})",
                fix=f"check the credential that {self._where} names, and that app and shop are of one organisation",
            )
        refused = refusal(answer.status, self._http.host, self._where)
        if refused:
            raise refused
        body = answer.body if isinstance(answer.body, Mapping) else {}
        token, seconds = body.get("access_token"), body.get("expires_in")
        if not isinstance(token, str) or not token:
            raise SourceRefused(f"{self._http.host}: no access token in the answer", fix="run again later")
        self._token = token
        self._renew_at = _renewal(float(seconds)) if isinstance(seconds, (int, float)) else None
        return True


def _renewal(seconds: float) -> datetime:
    """An hour before the end of a day's token, and in proportion for shorter ones."""
    return clock.now() + timedelta(seconds=seconds * 23 / 24)


def access_of(courier: Courier, credential: Mapping[str, str], http: Http) -> Access:
    """Static token, or client credentials. Raises CredentialMissing when neither is whole."""
    if credential.get("access_token"):
        return StaticToken(credential["access_token"])
    if credential.get("client_id") and credential.get("client_secret"):
        return ClientCredentials(http, credential["client_id"], credential["client_secret"], courier.path)
    raise CredentialMissing(
        f"{courier.path}: the credential has neither `access_token` nor `client_id` and `client_secret`",
        fix="set SHOPIFY_ACCESS_TOKEN, or SHOPIFY_CLIENT_ID and SHOPIFY_CLIENT_SECRET",
    )
