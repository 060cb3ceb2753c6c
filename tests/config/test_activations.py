"""Files of activations/ on their way to an Activation."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from courier.config.activation import (
    Activation,
    Chat,
    Contract,
    Each,
    FocusGroup,
    Generation,
    Guards,
    Persona,
    Question,
    Response,
)
from courier.config.activation_texts import texts
from courier.config.load import load_project
from courier.config.project import SecretRef
from courier.config.secrets import resolve_credential
from courier.config.templates import read_template
from courier.errors import CredentialMissing
from tests.config.projects import write_project

HEAD = "destination: mavera\nsurface: {}\ncredential:\n  api_key: ${{MAVERA_API_KEY}}\n"
PERSONA = """\
persona:
  key: cohort
  name: "Shopify {cohort} Customer"
  type: B2C
  pipeline_type: north_star
  description: |
    {customers} customers.
  fields:
    purchase_cadence: "every {days} days"
    goals: { each: "{goal}", where: { kind: goal } }
"""
FILES: dict[str, str | bytes] = {"activations/people.sql": "SELECT 1 AS customers\n"}


def problems_of(root: Path, text: str, **more: str) -> list[tuple[str, str]]:
    files = {f"activations/{name}": content for name, content in more.items()}
    loaded = load_project(write_project(root, {**FILES, "activations/people.yaml": text, **files}))
    return [(problem.rule, problem.message) for problem in loaded.problems]


def activation_of(root: Path, text: str) -> Activation:
    project = load_project(write_project(root, {**FILES, "activations/people.yaml": text})).project
    assert project is not None
    return project.activations["people"]


def test_a_persona_with_its_guards(tmp_path: Path) -> None:
    guards = "guards:\n  min_cohort_size: 30\n  max_credits: 900\n  max_age: 26h\n  exact: customers\n"
    found = activation_of(tmp_path, HEAD.format("personas") + PERSONA + guards)
    assert found == Activation(
        name="people",
        path="activations/people.yaml",
        sql_path="activations/people.sql",
        sql="SELECT 1 AS customers\n",
        destination="mavera",
        surface="personas",
        body=Persona(
            "Shopify {cohort} Customer",
            "B2C",
            "north_star",
            "{customers} customers.\n",
            {"purchase_cadence": "every {days} days", "goals": Each("{goal}", {"kind": "goal"})},
        ),
        credential={"api_key": SecretRef("MAVERA_API_KEY", "activations/people.yaml", 4)},
        guards=Guards(min_cohort_size=30, exact=("customers",), max_credits=900, max_age=timedelta(hours=26)),
        key="cohort",
    )
    assert [path for path, _ in texts(found)] == [
        ("persona", "name"),
        ("persona", "description"),
        ("persona", "fields", "purchase_cadence"),
        ("persona", "fields", "goals", "each"),
    ]


@pytest.mark.parametrize(
    ("surface", "section", "body"),
    [
        (
            "responses",
            "response: { input: 'Why?', schema: { type: object, required: [a] }, options: { temperature: 0.5 } }",
            Response("Why?", contract=Contract({"type": "object", "required": ["a"]}), options={"temperature": 0.5}),
        ),
        ("chat", "chat: { message: 'Why?', thread: new }", Chat("Why?", "new")),
        (
            "focus_groups",
            "focus_group:\n  { name: g, questions: [{ text: 'Why?', type: nps }], personas: activation:people2,"
            " deadline: 5m }",
            FocusGroup("g", (Question("Why?", "nps"),), ("activation:people2",), deadline=timedelta(minutes=5)),
        ),
        (
            "generations",
            "generation: { app: blog, title: t, input: { a: '{b}' } }",
            Generation("blog", "t", {"a": "{b}"}),
        ),
    ],
)
def test_every_surface_has_its_section(tmp_path: Path, surface: str, section: str, body: object) -> None:
    """Lists of a schema are lists, as JSON has them."""
    other = HEAD.format("personas") + PERSONA
    more = {"activations/people2.yaml": other, "activations/people2.sql": "SELECT 1 AS customers\n"}
    write_project(tmp_path, {**more})
    assert activation_of(tmp_path, HEAD.format(surface) + section).body == body


@pytest.mark.parametrize(
    ("text", "rule", "message"),
    [
        (HEAD.format("chat") + PERSONA, "surface-section", "the section `chat:` is missing"),
        (HEAD.format("personas") + PERSONA + "key: cohort\n", "surface-section", "the key is already named"),
        (HEAD.format("personas") + PERSONA.replace("  key: cohort\n", ""), "missing-key", "the key `key` of `persona`"),
        (
            HEAD.format("personas") + PERSONA + "  enriches: none\n",
            "unknown-activation",
            "there is no activation `none`",
        ),
        (
            HEAD.format("chat") + "chat: { message: a }\nmust_occur: { a: x.y }\n",
            "parameter",
            "there is no parameter `a`",
        ),
        (HEAD.format("chat") + "chat: { message: a }\nparameters: { a: [] }\n", "bad-value", "this is empty"),
        (
            HEAD.format("chat") + "chat: { message: a }\nparameters: { a: { b: 1 } }\n",
            "bad-type",
            "a parameter is text",
        ),
        (HEAD.format("chat") + "chat: { message: a }\nguards: { min_support: 3 }\n", "guard-floor", "3 would let"),
        (HEAD.format("chat") + "chat: { message: 5 }\n", "bad-type", "this must be text"),
        (HEAD.format("chat") + "chat: { message: '{a b}' }\n", "template", "`{a b}` names no column"),
        (HEAD.format("chat") + "chat: { message: '{{a}' }\n", "template", "a single `}` stands in the text"),
        (
            HEAD.format("chat") + "chat: { message: a }\nguards: { consent: nothing }\n",
            "unknown-tag",
            "no semantic tag",
        ),
        (
            HEAD.format("chat") + "chat: { message: a }\nguards: { release: [shopify.customer.emial] }\n",
            "unknown-column",
            "there is no column `emial`",
        ),
        (
            HEAD.format("chat").replace("${MAVERA_API_KEY}", "mvra") + "chat: { message: a }\n",
            "literal-secret",
            "a secret",
        ),
        (HEAD.format("chat").replace("api_key", "token") + "chat: { message: a }\n", "unknown-key", "`token`"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, text: str, rule: str, message: str) -> None:
    """More than one may follow from a mistake; this one is there."""
    found = problems_of(tmp_path, text)
    assert any(kind == rule and message in said for kind, said in found), found


def test_who_enriches_an_enricher_is_sent_to_the_first(tmp_path: Path) -> None:
    text = HEAD.format("personas") + PERSONA
    more = {f"{name}.sql": "SELECT 1 AS customers\n" for name in ("first", "second")}
    more |= {"first.yaml": text, "second.yaml": text + "  enriches: first\n"}
    found = problems_of(tmp_path, text + "  enriches: second\n", **more)
    assert found == [("enriches", "`second` itself enriches `first`")]


def test_a_query_without_its_file_is_told(tmp_path: Path) -> None:
    """Nothing in the folder is silently ignored."""
    found = problems_of(tmp_path, HEAD.format("personas") + PERSONA, **{"stray.sql": "SELECT 1\n"})
    assert found == [("query-file", "nothing reads this file: there is no activations/stray.yaml")]


def test_the_credential_is_resolved_at_the_last_moment(tmp_path: Path) -> None:
    write_project(tmp_path, {**FILES, "activations/people.yaml": HEAD.format("personas") + PERSONA})
    project = load_project(tmp_path).project
    assert project is not None
    found = resolve_credential(project, project.activations["people"], {"MAVERA_API_KEY": "made-up"})
    assert found == {"api_key": "made-up"}
    with pytest.raises(CredentialMissing) as missing:
        resolve_credential(project, project.activations["people"], {})
    assert "MAVERA_API_KEY (activations/people.yaml:4)" in missing.value.message


@pytest.mark.parametrize(
    ("text", "columns", "whole"),
    [
        ("{a} and {b_2}", ("a", "b_2"), None),
        (" {a} ", ("a",), "a"),
        ("{{a}} {b}", ("b",), None),
        ("{a}{a}", ("a", "a"), None),
        ("none", (), None),
    ],
)
def test_a_template_names_columns(text: str, columns: tuple[str, ...], whole: str | None) -> None:
    """One {column} alone keeps its type."""
    found = read_template(text)
    assert (found.columns, found.whole, found.mistake) == (columns, whole, "")
