"""What Mavera's answers mean: the status, the error in the body, and what to do about it. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from courier.activations.contract import NotSent
from courier.errors import SourceRefused

DUPLICATES = frozenset({400, 409, 422})
_IDENTIFIER = re.compile(r"[A-Za-z_][\w.\[\]-]{0,60}")
_KEY = re.compile(r"\b(?:mvra|mav)_\w+")
_SHARED = 16  # letters in a row that a message may have in common with what was sent
_LONGEST = 200


@dataclass(frozen=True)
class Fault:
    """`error` of an answer. `message` holds no key and nothing of the body that was sent."""

    type: str = ""
    code: str = ""
    param: str = ""
    message: str = ""

    def __str__(self) -> str:
        named = " at ".join(part for part in (self.code or self.type, self.param) if part)
        return ": ".join(part for part in (named, self.message) if part)


def fault(body: Any, sent: bytes = b"") -> Fault:
    """The error that a body tells of; empty where it tells of none, or is no JSON."""
    error = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(error, str):
        return Fault(message=_said(error, sent))
    if not isinstance(error, Mapping):
        return Fault()
    parts = {name: _identifier(error.get(name)) for name in ("type", "code", "param")}
    return Fault(**parts, message=_said(error.get("message"), sent))


def is_duplicate(status: int, body: Any) -> bool:
    """Whether an answer says that the name is taken. Pages show 422; 400 and 409 are as likely."""
    if status not in DUPLICATES:
        return False
    error = body.get("error") if isinstance(body, Mapping) else None
    words = str(error if isinstance(error, Mapping) else body).lower()
    return status == 409 or any(word in words for word in ("duplicate", "already exist", "already_exist", "taken"))


def refusal(status: int, body: Any, host: str, where: str) -> SourceRefused:
    """What a status that no other try can mend means. `where`: the activation's file."""
    what, fix = _explained(status, body, where)
    return SourceRefused(f"{host}: {what}", fix=fix)


def not_sent(status: int, body: Any, host: str, where: str, sent: bytes) -> NotSent:
    """The same for something that was sent: it took no effect."""
    what, fix = _explained(status, body, where, sent)
    return NotSent(f"{host}: {what}", fix, stop=status in (401, 402))


def _explained(status: int, body: Any, where: str, sent: bytes = b"") -> tuple[str, str]:
    told = str(fault(body, sent))
    detail = f" ({told})" if told else ""
    known = {
        401: (
            "the API key is not valid",
            f"make a new one in Mavera's Settings > Developer, for `credential` in {where}",
        ),
        402: (
            "no credits are left, or a budget is used up",
            "buy credits or raise the limit at Mavera, then apply again",
        ),
        403: ("this is forbidden to the API key", f"check what the key of `credential` in {where} may do"),
        404: ("there is no such thing", f"check `endpoint` and the names in {where}"),
    }
    if 300 <= status < 400:
        return f"status {status}, a redirect, which is not followed with a credential", f"check `endpoint` in {where}"
    if status in known:
        what, fix = known[status]
        return f"{what}, status {status}{detail}", fix
    return f"status {status}{detail}", f"check what {where} sends" if status < 500 else "try again later"


def _identifier(value: Any) -> str:
    return value if isinstance(value, str) and _IDENTIFIER.fullmatch(value) and not _KEY.search(value) else ""


def _said(message: Any, sent: bytes) -> str:
    """A message as it may be shown: in one line, without a key; empty where it repeats what was sent."""
    if not isinstance(message, str):
        return ""
    text = _KEY.sub("***", " ".join(message.split()))[:_LONGEST]
    pieces = (text[i : i + _SHARED] for i in range(max(1, len(text) - _SHARED + 1)))
    repeats = any(len(piece) == _SHARED and piece.encode() in sent for piece in pieces)
    return "" if repeats else text
