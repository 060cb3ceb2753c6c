"""Literal secrets in files: what looks like one, and lines in which it is covered."""

from __future__ import annotations

import re
from collections.abc import Iterator

COVER = "*"

# Tokens by their looks, wherever they stand: Shopify's prefixes (shpat_, shpss_, shpca_, ...) and Klaviyo's pk_.
_TOKEN = re.compile(r"\b(?:shp[a-z]{2,3}_[A-Za-z0-9]{8,}|pk_[A-Za-z0-9]{30,})")
# What stands behind a key that names a secret, also in files that are no YAML; and a password in a URL.
_VALUE = re.compile(
    r"(?:token|secret|api_?key|password|client_id)\w*[\"']?\s*[:=]\s*[\"']?(?!\$\{|\{|\[)"
    r"([^\s\"',}#](?:[^\"',}#]*[^\s\"',}#])?)",
    re.IGNORECASE,
)
_IN_URL = re.compile(r"://([^/@\s]+)@")
# The URL of a target of alerts is a secret as a whole.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/?/[^\s\"'}\]]+")


def tokens_in(line: str) -> Iterator[tuple[int, int]]:
    """Where something looks like a vendor's token: start and end, from 0."""
    for found in _TOKEN.finditer(line):
        yield found.span()


def urls_in(line: str) -> Iterator[tuple[int, int]]:
    """Where a URL stands: start and end, from 0."""
    for found in _URL.finditer(line):
        yield found.span()


def masked(line: str, *, keys: bool = True, urls: bool = False) -> str:
    """The line, as long as it was, with everything that looks like a secret covered.

    `keys`: also the values of keys that name a secret. Not so in domain tables, where `token` may be a column.
    `urls`: also every URL.
    """
    spans = [*tokens_in(line), *(found.span(1) for found in _IN_URL.finditer(line))]
    if keys:
        spans += [found.span(1) for found in _VALUE.finditer(line)]
    if urls:
        spans += urls_in(line)
    for start, end in spans:
        line = covered(line, start, end)
    return line


def covered(line: str, start: int, end: int) -> str:
    """The line with [start, end), from 0, replaced by as many stars: columns behind it stay right."""
    end = min(end, len(line))
    return line[:start] + COVER * (end - start) + line[end:]
