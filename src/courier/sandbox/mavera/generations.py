"""/generation-apps and /generations: make, list, read, retitle, delete.

Documented: the fields of creation and of the answer, 10 to 30 credits, the list's filters and paging, PATCH of title
alone. Contradicting pages: app ids with hyphens or underscores (both are here), `app` as object or text, `markdown` or
`MARKDOWN`, `input_schema` or `input_data` (settings). Inferred: the inputs' form, the names of the list's parameters
(`workspace_id`, `app_id`, `search`), reading one by its id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from courier.sandbox.mavera import brand_voices, draws
from courier.sandbox.mavera.account import Account, Answer, Ask
from courier.sandbox.mavera.paging import page
from courier.sandbox.mavera.refusals import invalid, missing, not_found
from courier.sandbox.mavera.responses import need_persona
from courier.sandbox.mavera.store import Node
from courier.sandbox.mavera.workspaces import workspace_of


@dataclass(frozen=True)
class App:
    """needed, allowed: names of its inputs, which are all texts."""

    id: str
    name: str
    category: str
    needed: tuple[str, ...]
    allowed: tuple[str, ...] = ()
    form: str = "markdown"


APPS = (
    App("blog_post_generator", "Blog Post Generator", "Content", ("topic",), ("audience", "keywords", "length")),
    App("product-description-writer", "Product Description Writer", "Commerce", ("product", "facts"), ("audience",)),
    App("email_campaign_writer", "Email Campaign Writer", "Email", ("goal", "facts"), ("audience",), "html"),
    App("review-reply-writer", "Review Reply Writer", "Commerce", ("review",), ("tone",)),
)


def apps(account: Account, ask: Ask) -> Answer:
    """GET /generation-apps."""
    return Answer({"object": "list", "data": [_listed_app(account, app) for app in APPS]})


def _listed_app(account: Account, app: App) -> Node:
    names = (*app.needed, *app.allowed)
    schema = {
        "type": "object",
        "required": list(app.needed),
        "properties": {name: {"type": "string"} for name in names},
    }
    fields = [{"name": name, "type": "text", "required": name in app.needed} for name in names]
    key = account.settings.app_inputs_key
    head = {"id": app.id, "name": app.name, "category": app.category, "description": f"{app.name}, by Mavera."}
    return {**head, key: schema if key == "input_schema" else fields}


def created(account: Account, ask: Ask) -> Answer:
    """POST /generations."""
    app, given = _app(ask.body), ask.body["input_data"]
    need_persona(account, ask.body.get("persona_id"))
    text = orjson.dumps(given).decode()
    output = _output(app, given, text)
    body = {
        "id": account.store.new_id("gen_"),
        "app": app.id,
        "title": _title(ask.body.get("title")) or app.name,
        "brand_voice_id": _voice(account, ask.body.get("brand_voice_id")),
        "persona_id": ask.body.get("persona_id"),
        "workspace_id": workspace_of(account, ask.body, needed=account.settings.needs_workspace),
        "input_data": given,
        "output": output,
        "prompt_tokens": draws.tokens(text),
        "completion_tokens": draws.tokens(output),
        "credits": draws.number(10, 30, app.id, text),
        "created_at": account.iso(),
        "updated_at": account.iso(),
    }
    account.count_tokens(body["prompt_tokens"], body["completion_tokens"])
    account.charge(ask.call, body["id"], body["credits"])
    shown = _shown(account, account.store.add("generation", body))
    return Answer(shown, 201, _events(shown) if ask.body.get("stream") is True else None)


def _app(body: Mapping[str, Any]) -> App:
    for name in ("app_id", "input_data"):
        if body.get(name) is None:
            raise missing(name)
    app = next((app for app in APPS if app.id == body["app_id"]), None)
    if app is None:
        raise not_found("App", str(body["app_id"]))
    given = body["input_data"]
    if not isinstance(given, dict):
        raise invalid("input_data", "must be an object")
    for name in app.needed:
        if not given.get(name):
            raise missing(f"input_data.{name}")
    return app


def _title(given: Any) -> str | None:
    if given is not None and not isinstance(given, str):
        raise invalid("title", "must be a text")
    return given


def _voice(account: Account, identity: Any) -> str | None:
    if identity is None:
        return None
    body = account.need("brand_voice", "Brand voice", str(identity))
    if brand_voices.state(account, body) != "completed":
        raise invalid("brand_voice_id", "is not ready")
    return str(identity)


def _output(app: App, given: Mapping[str, Any], text: str) -> str:
    head, line = f"{app.name} {draws.number(1, 999, text)}", f"Written from {len(given)} inputs."
    return f"<h1>{head}</h1>\n<p>{line}</p>\n" if app.form == "html" else f"# {head}\n\n{line}\n"


def listed(account: Account, ask: Ask) -> Answer:
    """GET /generations."""
    query, text = ask.query, ask.query.get("search", "").lower()

    def keep(body: Node) -> bool:
        place, app = query.get("workspace_id"), query.get("app_id")
        return place in (None, body["workspace_id"]) and app in (None, body["app"]) and text in body["title"].lower()

    return Answer(page(account.store, ask, "generation", keep, lambda body: _shown(account, body)))


def read(account: Account, ask: Ask) -> Answer:
    """GET /generations/{id}."""
    return Answer(_shown(account, account.need("generation", "Generation", ask.part)))


def retitled(account: Account, ask: Ask) -> Answer:
    """PATCH /generations/{id}. Whatever is not the title is dropped."""
    body = account.need("generation", "Generation", ask.part)
    title = _title(ask.body.get("title")) or body["title"]
    return Answer(_shown(account, account.store.put("generation", {**body, "title": title})))


def deleted(account: Account, ask: Ask) -> Answer:
    """DELETE /generations/{id}."""
    account.need("generation", "Generation", ask.part)
    account.store.remove("generation", ask.part)
    return Answer({"id": ask.part, "object": "generation", "deleted": True})


def _shown(account: Account, body: Node) -> Node:
    settings = account.settings
    app = next(app for app in APPS if app.id == body["app"])
    voice = account.store.get("brand_voice", body["brand_voice_id"]) if body["brand_voice_id"] else None
    prompt, completion = body["prompt_tokens"], body["completion_tokens"]
    plain = ("id", "title", "input_data", "output", "workspace_id", "created_at", "updated_at")
    return {
        **{name: body[name] for name in plain},
        "object": "generation",
        "app": {"id": app.id, "name": app.name, "category": app.category} if settings.app_as_object else app.id,
        "brand_voice": {"id": voice["id"], "label": voice["label"]} if voice else None,
        "content": body["output"],
        "content_type": app.form.upper() if settings.upper_content_type else app.form,
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "credits_used": body["credits"],
        },
    }


def _events(shown: Node) -> tuple[tuple[str, Node], ...]:
    """Inferred: no page shows the events of a generation."""
    return (
        ("generation.delta", {"type": "generation.delta", "delta": shown["content"]}),
        ("generation.completed", {"type": "generation.completed", "generation": shown}),
    )
