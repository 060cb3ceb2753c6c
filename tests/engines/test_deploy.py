"""deploy/: what can be checked of it without Docker."""

from __future__ import annotations

import re
import tomllib
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import yaml
from dagster._core.instance.config import dagster_instance_config

from courier.engines.dagster import __name__ as module
from courier.engines.dagster.past import GROUP

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def parsed(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text("utf-8"))


def test_dagster_takes_its_settings() -> None:
    """By its own schema; each group once at a time, each store too."""
    config, _ = dagster_instance_config(str(DEPLOY))
    runs = config["concurrency"]["runs"]
    assert [limit["key"] for limit in runs["tag_concurrency_limits"]] == [GROUP]
    assert config["concurrency"]["pools"]["default_limit"] == 1
    assert config["run_retries"]["retry_on_asset_or_op_failure"] is False


def test_the_workers_settings_nest_where_they_are_read() -> None:
    config = parsed("celery.yaml")["execution"]["config"]
    assert config["broker"] == config["backend"] == {"env": "COURIER_CELERY_BROKER"}
    assert config["config_source"]["task_acks_late"] is True


def test_the_family_is_pinned_alike_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extra = set(project["project"]["optional-dependencies"]["dagster"])
    web = {line for line in (DEPLOY / "requirements-web.txt").read_text("utf-8").splitlines() if line[0] != "#"}
    assert {one for one in web if "webserver" not in one} <= extra
    assert "dagster-webserver==" + pin("dagster", web) in web
    assert f"dagster=={pin('dagster', web)}" in project["dependency-groups"]["dev"]
    guide = (ROOT / "docs" / "dagster.md").read_text("utf-8")
    assert set(re.findall(r"==([0-9.]+)", guide)) == {pin("dagster", web)}


def pin(name: str, lines: set[str]) -> str:
    return next(line.removeprefix(f"{name}==") for line in lines if line.startswith(f"{name}=="))


def test_dagster_reaches_its_database_through_the_pooler() -> None:
    """By session: a pooler by transaction would share what Dagster keeps with a connection."""
    settings = ConfigParser()
    settings.read(DEPLOY / "pgbouncer.ini", "utf-8")
    pooler, services = settings["pgbouncer"], parsed("compose.yaml")["services"]
    assert pooler["pool_mode"] == "session"
    sample = (DEPLOY / ".env.example").read_text("utf-8")
    assert f"@pooler:{pooler['listen_port']}/{services['postgres']['environment']['POSTGRES_DB']}\n" in sample
    assert list(settings["databases"].items()) == [("dagster", "host=postgres port=5432")]
    assert f"> {pooler['auth_file']};" in (DEPLOY / "Dockerfile").read_text("utf-8")


def test_the_services_fit_each_other() -> None:
    """Two workers; what web server and daemon look for is what the code server serves; every file is there."""
    services = parsed("compose.yaml")["services"]
    assert {name for name, one in services.items() if "dagster-celery worker" in one.get("command", "")} == {
        "worker-1",
        "worker-2",
    }
    server = parsed("workspace.yaml")["load_from"][0]["grpc_server"]
    code = services[server["host"]]["command"]
    assert f"-p {server['port']} -m {module} --location-name {server['location_name']}" in code
    sample = (DEPLOY / ".env.example").read_text("utf-8")
    for name in ("COURIER_CELERY_BROKER", "DAGSTER_POSTGRES_URL", "COURIER_POSTGRES_URL", "POSTGRES_PASSWORD"):
        assert f"\n{name}=" in sample
    dockerfile = (DEPLOY / "Dockerfile").read_text("utf-8")
    copied = re.findall(r"deploy/([\w.-]+)", "\n".join(line for line in dockerfile.splitlines() if line[0:4] == "COPY"))
    assert copied and all((DEPLOY / name).is_file() for name in copied)
