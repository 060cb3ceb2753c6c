"""Where a credential may be sent to."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from courier.errors import ConfigurationError


def checked_host(origin: str) -> str:
    """The host and port of an origin. Raises ConfigurationError for anything but https, or http to loopback."""
    parts = urlsplit(origin)
    plain = parts.scheme == "http" and is_loopback(parts.hostname)
    if not parts.hostname or parts.username or parts.path or parts.query or not (parts.scheme == "https" or plain):
        raise ConfigurationError(
            "the endpoint is not an origin that a credential may be sent to",
            fix="write it as https://host, or http://127.0.0.1:PORT on this machine",
        )
    return parts.netloc


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False
