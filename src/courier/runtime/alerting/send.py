"""Sending: each target in a process of its own, so that nothing that a service does holds a run up or tells its URL.

A process can be ended at a time limit, which a thread inside of Apprise cannot; what Apprise and its plugins log or
print goes nowhere; and the daemon keeps neither their memory nor their threads. It costs about 0.3 s.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

from courier.runtime.alerting.message import Message

LIMIT = 20
"""Seconds after which a target is given up."""
INSTALL = "pip install 'courier-elt[notify]'"
_CODE = "from courier.runtime.alerting.deliver import main; main()"


def can_send() -> bool:
    """Whether the extra `notify` is installed."""
    return find_spec("apprise") is not None


def send(messages: Mapping[str, Message], urls: Mapping[str, str], limit: float = LIMIT) -> dict[str, str]:
    """Send each target its message, all at once. Returns what went wrong, by target; never raises for it.

    urls: of every target in `messages`. They reach neither a command line nor a message.
    """
    if not messages:
        return {}
    with ThreadPoolExecutor(max_workers=len(messages)) as pool:
        sent = {target: pool.submit(_send, message, urls[target], limit) for target, message in messages.items()}
        found = {target: future.result() for target, future in sent.items()}
    return {target: problem for target, problem in found.items() if problem}


def _send(message: Message, url: str, limit: float) -> str:
    """What went wrong, in words without the URL; empty if the service took the message."""
    order = {"url": url, "title": message.title, "body": message.body, "tone": message.tone, "limit": limit}
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-c", _CODE],  # -P: a file of the current folder is not what is imported
            input=json.dumps(order),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            timeout=limit,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no answer within {limit:g} seconds"
    except OSError as error:
        return f"no process could be started: {error.strerror}"
    return "" if done.returncode == 0 else done.stdout.strip() or "sending ended without a word"
