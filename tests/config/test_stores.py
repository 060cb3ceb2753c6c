"""A courier with a list of stores is one courier per store; every mistake in the list is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from courier.config.load import Loaded, load_project
from courier.config.project import Courier, SecretRef
from courier.config.render import render_all
from courier.config.secrets import resolve_credentials
from courier.errors import CredentialMissing
from courier.runtime.known_good import recall, remember, stamp
from courier.runtime.run_folder import fingerprint

TABLE = "rows: {record}\nprimary_key: [id]\ncolumns:\n  id: integer\n"
HEADS = {
    "shopify": "connector: shopify\napi_version: 2026-10\nfeeds: {one: }\nstores: list.csv\n",
    "bigcommerce": "connector: bigcommerce\nfeeds: {one: }\nstores: list.csv\n",
    "klaviyo": "connector: klaviyo\nfeeds: {one: }\nstores: list.csv\n",
}
SECRET = "sekrit0123456789"


def made(root: Path, csv: str, connector: str = "shopify", more: str = "", groups: str = "") -> Loaded:
    head = HEADS[connector]
    files = {
        f"couriers/{connector}.yaml": head + more,
        "couriers/list.csv": csv,
        f"domain_tables/{connector}/one.yaml": TABLE.format(record="Customer"),
        "courier_groups.yaml": groups or f"all:\n  couriers:\n    {connector}:\n",
        "semantic_tags.yaml": "ck: {}\n",
    }
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return load_project(root)


def couriers(loaded: Loaded) -> dict[str, Courier]:
    assert loaded.project is not None, render_all(loaded.problems)
    return dict(loaded.project.couriers)


def named(courier: Courier) -> dict[str, str]:
    return {
        key: f"${value.name}" if isinstance(value, SecretRef) else value for key, value in courier.credential.items()
    }


@pytest.mark.parametrize(
    ("connector", "more", "csv", "expected"),
    [
        ("shopify", "", "name,store\nuk,acme-uk", {"store": "acme-uk", "access_token": "$SHOPIFY_ACCESS_TOKEN_UK"}),
        ("shopify", "", "name\nuk", {"store": "$SHOPIFY_STORE_UK", "access_token": "$SHOPIFY_ACCESS_TOKEN_UK"}),
        (
            "shopify",
            "credential: {access_token: '${ACME_*}'}\n",
            "name,store,access_token\nuk,Acme.myshopify.com,${OTHER}",
            {"store": "Acme.myshopify.com", "access_token": "$OTHER"},
        ),
        (
            "shopify",
            "credential: {access_token: '${ACME_*}'}\n",
            '# ours\n"name" , "store", access_token\n\n"uk" , acme,',
            {"store": "acme", "access_token": "$ACME_UK"},
        ),
        (
            "shopify",
            "credential: {client_id: '${ID}', client_secret: '${SECRET}'}\n",
            "name,store\nuk,acme",
            {"store": "acme", "client_id": "$ID", "client_secret": "$SECRET"},
        ),
        (
            "bigcommerce",
            "",
            "name,store_hash\nuk,abc123",
            {"store_hash": "abc123", "access_token": "$BIGCOMMERCE_ACCESS_TOKEN_UK"},
        ),
        ("klaviyo", "", "name\nuk", {"api_key": "$KLAVIYO_API_KEY_UK"}),
    ],
)
def test_a_store_is_opened_with_what_its_line_or_its_name_says(
    tmp_path: Path, connector: str, more: str, csv: str, expected: dict[str, str]
) -> None:
    """Its own cell; else what the courier says of all, its name in the place of the star; else the usual name."""
    version = "api_version: 2026-07-15\n" if connector == "klaviyo" else ""
    found = couriers(made(tmp_path, csv, connector, version + more))
    assert {name: named(one) for name, one in found.items()} == {f"{connector}_uk": expected}
    assert (found[f"{connector}_uk"].fleet, found[f"{connector}_uk"].store) == (connector, "uk")


def test_all_mistakes_of_a_list_are_told_at_once_and_no_secret_is(tmp_path: Path) -> None:
    csv = f"""name,store,access_token
uk,acme-uk,{SECRET}
UK-2,acme-uk2,${{X}}
fr,acme_fr,${{X}}
it,acme-it,pre-${{X}}
uk,acme-uk3,${{X}}
at,ACME-UK,${{X}}
nl
de,"{SECRET}
"""
    loaded = made(tmp_path, csv)
    assert loaded.project is None
    assert [(one.line, one.column, one.rule) for one in loaded.problems] == [
        (2, 12, "literal-secret"),
        (3, 1, "bad-name"),
        (4, 4, "bad-handle"),
        (5, 12, "secret-reference"),
        (6, 1, "duplicate-key"),
        (8, 1, "csv"),
        (9, 4, "csv"),
    ]
    assert {one.path for one in loaded.problems} == {"couriers/list.csv"} and all(one.fix for one in loaded.problems)
    assert SECRET not in render_all(loaded.problems)


@pytest.mark.parametrize(
    ("csv", "more", "rule"),
    [
        ("", "", "empty-file"),
        ("name,store\n", "", "empty-file"),
        ("store\nacme\n", "", "missing-key"),
        ("name,stoer\nuk,acme\n", "", "unknown-key"),
        ("name;store\nuk;acme\n", "", "unknown-key"),
        (f"uk,acme,{SECRET}\n", "", "unknown-key"),
        ("name,store,store\nuk,acme,acme\n", "", "duplicate-key"),
        ("name,access_token,client_id\nuk,${A},${B}\n", "", "bad-credential"),
        ("name,store\nuk,\nus,\n", "credential: {store: acme}\n", "duplicate-store"),
        ("name\n" + "x" * 130 + "\n", "", "bad-name"),
    ],
)
def test_a_list_that_cannot_be_read_says_why(tmp_path: Path, csv: str, more: str, rule: str) -> None:
    loaded = made(tmp_path, csv, more=more)
    assert rule in {one.rule for one in loaded.problems} and loaded.project is None
    assert SECRET not in render_all(loaded.problems)


def test_a_list_stands_beside_its_courier(tmp_path: Path) -> None:
    for written in ("../list.csv", "list.txt", "other/list.csv"):
        loaded = made(tmp_path, "name\nuk\n", more="")
        path = tmp_path / "couriers/shopify.yaml"
        path.write_text(path.read_text().replace("list.csv", written))
        assert [one.rule for one in load_project(tmp_path).problems] == ["bad-value"], loaded


def test_a_star_needs_stores_and_a_group_takes_all_of_them_or_one(tmp_path: Path) -> None:
    """One that is named besides has options of its own; the couriers of a fleet share their feeds."""
    groups = "all: {couriers: {shopify: {offset: 24h}, shopify_us: {required: false}}}\n"
    groups += "one: {couriers: {shopify_uk: }}\n"
    loaded = made(tmp_path, "name\nuk\nus\n", groups=groups)
    found = couriers(loaded)
    assert loaded.project is not None and found["shopify_uk"].feeds is found["shopify_us"].feeds
    members = {name: group.couriers for name, group in loaded.project.groups.items()}
    assert [(one.name, one.required, one.offset.days) for one in members["all"]] == [
        ("shopify_uk", True, 1),
        ("shopify_us", False, 0),
    ]
    assert [one.name for one in members["one"]] == ["shopify_uk"]
    (tmp_path / "couriers/shopify.yaml").write_text(
        HEADS["shopify"].replace("stores: list.csv\n", "credential: {store: a, access_token: '${A_*}'}\n")
    )
    assert "secret-reference" in {one.rule for one in load_project(tmp_path).problems}


def test_what_is_missing_of_many_stores_is_told_with_their_lines(tmp_path: Path) -> None:
    loaded = made(tmp_path, "name\n" + "".join(f"s{number}\n" for number in range(50)))
    assert loaded.project is not None
    with pytest.raises(CredentialMissing) as missing:
        resolve_credentials(loaded.project, loaded.project.couriers.values(), {})
    assert "SHOPIFY_STORE_S0 (couriers/list.csv:2)" in missing.value.message
    assert missing.value.message.endswith("and 80 more")
    (tmp_path / ".env").write_text("SHOPIFY_STORE_S7=acme\nSHOPIFY_ACCESS_TOKEN_S7=a\n")
    one = loaded.project.couriers["shopify_s7"]
    assert resolve_credentials(loaded.project, [one], {})["shopify_s7"] == {"store": "acme", "access_token": "a"}
    (tmp_path / ".env").write_text("SHOPIFY_STORE_S7=acme\nSHOPIFY_ACCESS_TOKEN_S7=other\n")
    assert resolve_credentials(loaded.project, [one], {})["shopify_s7"]["access_token"] == "other"


def test_a_project_of_stores_is_remembered_until_its_list_changes(tmp_path: Path) -> None:
    """With the feeds still shared, and the same fingerprints, of which each store has its own."""
    project = made(tmp_path, "name\nuk\nus\n").project
    assert project is not None
    (tmp_path / ".courier").mkdir()
    remember(project, stamp(tmp_path))
    again = recall(tmp_path, stamp(tmp_path))
    assert again == project and again is not None
    assert again.couriers["shopify_uk"].feeds is again.couriers["shopify_us"].feeds
    prints = [fingerprint(one, both.destination) for both in (project, again) for one in both.couriers.values()]
    assert prints[:2] == prints[2:] and len(set(prints)) == 2
    (tmp_path / "couriers/list.csv").write_text("name\nuk\n")
    assert recall(tmp_path, stamp(tmp_path)) is None
