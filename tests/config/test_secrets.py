from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from courier.config.load import load_project
from courier.config.project import Project
from courier.config.render import render_all
from courier.config.secrets import resolve_credential, resolve_credentials
from courier.errors import ConfigurationError, CredentialMissing
from tests.config.projects import FILES, write_project

SET = {"SHOPIFY_STORE": "acme", "SHOPIFY_ACCESS_TOKEN": "from the environment"}
COURIER = "couriers/shopify.yaml"


def project_of(root: Path) -> Project:
    project = load_project(write_project(root)).project
    assert project is not None
    return project


def credential_of(root: Path, environ: dict[str, str]) -> dict[str, str]:
    project = project_of(root)
    return resolve_credential(project, project.couriers["shopify"], environ)


def test_a_project_is_read_without_secrets(tmp_path: Path) -> None:
    assert not load_project(write_project(tmp_path)).problems


def test_the_environment_comes_before_env_file_and_secret_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from a file\n")
    (tmp_path / ".env").write_text("SHOPIFY_ACCESS_TOKEN=from .env\nSHOPIFY_STORE=other\n")
    everywhere = {**SET, "SHOPIFY_ACCESS_TOKEN_FILE": "token"}
    assert credential_of(tmp_path, everywhere) == {"store": "acme", "access_token": "from the environment"}
    del everywhere["SHOPIFY_ACCESS_TOKEN"]
    assert credential_of(tmp_path, everywhere)["access_token"] == "from .env"
    (tmp_path / ".env").unlink()
    assert credential_of(tmp_path, everywhere)["access_token"] == "from a file"


def test_values_of_env_are_taken_as_they_stand(tmp_path: Path) -> None:
    """A secret that holds ${...} is not filled in with something else."""
    (tmp_path / ".env").write_text("SHOPIFY_ACCESS_TOKEN='a${SHOPIFY_STORE}b'\n")
    assert credential_of(tmp_path, {"SHOPIFY_STORE": "acme"})["access_token"] == "a${SHOPIFY_STORE}b"


def test_everything_that_is_missing_is_named_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(CredentialMissing) as caught:
        credential_of(tmp_path, {"SHOPIFY_ACCESS_TOKEN": ""})
    assert "SHOPIFY_STORE (couriers/shopify.yaml:4)" in caught.value.message
    assert "SHOPIFY_ACCESS_TOKEN (couriers/shopify.yaml:5)" in caught.value.message
    assert "--sandbox" in caught.value.fix
    assert caught.value.exit_code == 3


def test_couriers_of_a_group_are_asked_together(tmp_path: Path) -> None:
    other = FILES[COURIER].replace("SHOPIFY_", "UK_").replace("connector:", "domain_tables: shopify\nconnector:")
    write_project(tmp_path, {"couriers/uk.yaml": other})
    project = load_project(tmp_path).project
    assert project is not None
    with pytest.raises(CredentialMissing, match=r"SHOPIFY_STORE .*UK_ACCESS_TOKEN"):
        resolve_credentials(project, project.couriers.values(), {})


def test_a_secret_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="SHOPIFY_STORE_FILE names"):
        credential_of(tmp_path, {"SHOPIFY_ACCESS_TOKEN": "x", "SHOPIFY_STORE_FILE": "nowhere"})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    secret=st.from_regex(r"[A-Za-z0-9!*&@%+/=_-]{12,40}", fullmatch=True),
    place=st.sampled_from(
        [
            "  access_token: {}",
            "  access_token: '{}'",
            '  access_token: "{}"',
            "  access_token: '{}",
            "\taccess_token: {}",
            "  acess_token: {}",
            "  whatever: {}",
            "  access_token: [{}]",
            "  access_token: {{ value: {} }}",
            "  access_token: |\n    {}",
            "  access_token: shop-{} # mine",
            "  access_token: a\n  access_token: {}",
        ]
    ),
)
def test_a_literal_secret_is_never_shown(tmp_path: Path, secret: str, place: str) -> None:
    """However a secret is written into a credential, and whatever else is wrong there, no output holds it."""
    text = FILES[COURIER].replace("  access_token: ${SHOPIFY_ACCESS_TOKEN}", place.format(secret))
    loaded = load_project(write_project(tmp_path, {COURIER: text}))
    assert loaded.project is None
    assert secret not in render_all(loaded.problems)


@pytest.mark.parametrize("path", ["courier_groups.yaml", "semantic_tags.yaml", "domain_tables/shopify/customer.yaml"])
def test_a_vendors_token_is_found_anywhere(tmp_path: Path, path: str) -> None:
    """In any file, even in a comment."""
    token = "shpat_" + "0123456789abcdef" * 2
    loaded = load_project(write_project(tmp_path, {path: FILES[path] + f"# {token}\n"}))
    assert [problem.rule for problem in loaded.problems] == ["literal-secret"]
    assert token not in render_all(loaded.problems)


def test_a_password_in_an_endpoint_is_covered(tmp_path: Path) -> None:
    text = FILES[COURIER] + "endpoint: https://me:hunter2hunter2@example.com\n"
    shown = render_all(load_project(write_project(tmp_path, {COURIER: text})).problems)
    assert "[endpoint]" in shown
    assert "hunter2" not in shown
