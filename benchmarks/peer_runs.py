"""The peers: how each is installed, configured and run, and where its rows are."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import courier_command
from benchmarks.peer_install import duckdb_driver, environment, verified_source
from benchmarks.project import make_project
from benchmarks.proxy import Proxy
from benchmarks.sandbox_server import Shop

TABLES = ("customers", "orders", "products")
# No peer waits for a telemetry server that it cannot reach.
QUIET = {
    "AIRBYTE_OFFLINE_MODE": "1",
    "DO_NOT_TRACK": "1",
    "INGESTR_DISABLE_TELEMETRY": "true",
    "PYTHONWARNINGS": "ignore",
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "TELEMETRY_OPTOUT": "1",
}


@dataclass(frozen=True)
class Setting:
    """Where a peer runs. `since`: the day of the shop's first record, for those that must be told one."""

    shop: Shop
    proxy: Proxy
    cache: Path
    work: Path
    since: str

    @property
    def domain(self) -> str:
        return f"{self.shop.credentials['SHOPIFY_STORE']}.myshopify.com"

    @property
    def token(self) -> str:
        return self.shop.credentials["SHOPIFY_ACCESS_TOKEN"]

    @property
    def env(self) -> dict[str, str]:
        return {**os.environ, **self.proxy.env, **QUIET, "HOME": str(self.work)}


@dataclass(frozen=True)
class Prepared:
    """The commands of one round, one after another, and their environment; `database` has the rows afterwards.

    `setup` is run once before, and not counted. `origin`: where code that is in no registry is from.
    """

    commands: list[list[str]]
    env: Mapping[str, str]
    database: Path
    setup: Sequence[list[str]] = ()
    origin: str = ""


@dataclass(frozen=True)
class Peer:
    """`prepare` installs and configures, or raises NotInstalledError; `queries` give id and value per truth table."""

    name: str
    version: str
    prepare: Callable[[Setting], Prepared]
    queries: Mapping[str, str]
    notes: tuple[str, ...] = field(default=())


def _courier(setting: Setting) -> Prepared:
    env = make_project(setting.work, setting.shop)
    command = [*courier_command(), "run", "--group", "shopify", "--json"]
    return Prepared([command], env, setting.work / "warehouse.duckdb")


def _ingestr(setting: Setting, bin_folder: Path, extra: Mapping[str, str]) -> Prepared:
    database = setting.work / "ingestr.duckdb"
    source = f"shopify://{setting.domain}?api_key={setting.token}"
    base = [str(bin_folder / "ingestr"), "ingest", "--yes", "--progress", "log", "--source-uri", source]
    base += ["--dest-uri", f"duckdb:///{database}"]
    commands = [[*base, "--source-table", table, "--dest-table", f"shopify.{table}"] for table in TABLES]
    return Prepared(commands, {**setting.env, **extra}, database)


def _ingestr_go(setting: Setting) -> Prepared:
    driver = duckdb_driver(setting.cache)
    folder = environment(setting.cache, "ingestr-go", "ingestr==1.1.22")
    return _ingestr(setting, folder, {"ADBC_DRIVER_PATH": str(driver)})


def _ingestr_python(setting: Setting) -> Prepared:
    return _ingestr(setting, environment(setting.cache, "ingestr-python", "ingestr==0.14.155"), {})


def _tap(setting: Setting) -> Prepared:
    tap = environment(setting.cache, "tap-shopify", "tap-shopify==3.13.0") / "tap-shopify"
    target = environment(setting.cache, "target-duckdb", "target-duckdb==0.8.0", "duckdb==1.0.0") / "target-duckdb"
    work, database = setting.work, setting.work / "tap.duckdb"
    keys = {"api_key": setting.token, "access_token": setting.token}
    told = {"shop": setting.domain.partition(".")[0], "start_date": f"{setting.since}T00:00:00Z", **keys}
    (work / "tap.json").write_text(json.dumps(told))
    (work / "target.json").write_text(json.dumps({"filepath": str(database), "default_target_schema": "shopify"}))
    paths = {"tap": shlex.quote(str(tap)), "target": shlex.quote(str(target))}
    (work / "setup.sh").write_text(_TAP_SETUP.format(**paths))
    (work / "round.sh").write_text(_TAP_ROUND.format(**paths))
    return Prepared([["bash", "round.sh"]], setting.env, database, [["bash", "setup.sh"]])


_TAP_SETUP = """\
{tap} --config tap.json --discover > found.json
"$(dirname {tap})/python" - <<'END'
import json
catalog = json.load(open("found.json"))
for entry in catalog["streams"]:
    wanted = entry["stream"] in ("customers", "orders", "products", "product_variants")
    for about in entry["metadata"]:
        about["metadata"]["selected"] = wanted
json.dump(catalog, open("catalog.json", "w"))
END
"""
_TAP_ROUND = """\
set -euo pipefail
state=""
if [ -s state.json ]; then state="--state state.json"; fi
{tap} --config tap.json --catalog catalog.json $state | {target} --config target.json > states.jsonl
if [ -s states.jsonl ]; then tail -n 1 states.jsonl > state.json; fi
"""

_AIRBYTE_ROUND = """\
import sys
from pathlib import Path
import airbyte
executable, shop, token, since, work = sys.argv[1:]
config = {"shop": shop, "start_date": since, "credentials": {"auth_method": "api_password", "api_password": token}}
source = airbyte.get_source(
    "source-shopify",
    config=config,
    local_executable=Path(executable),
    streams=["customers", "orders", "products", "product_variants"],
)
cache = airbyte.caches.DuckDBCache(
    db_path=Path(work) / "airbyte.duckdb", schema_name="shopify", cache_dir=Path(work) / "files"
)
source.read(cache=cache)
"""


def _airbyte(setting: Setting) -> Prepared:
    source = environment(setting.cache, "source-shopify", "airbyte-source-shopify==4.3.0") / "source-shopify"
    python = environment(setting.cache, "pyairbyte", "airbyte==0.71.3") / "python"
    (setting.work / "round.py").write_text(_AIRBYTE_ROUND)
    shop = setting.domain.partition(".")[0]
    command = [python, "round.py", source, shop, setting.token, setting.since, setting.work]
    own = {"AIRBYTE_LOGGING_ROOT": str(setting.work / "logs")}
    return Prepared([[str(part) for part in command]], {**setting.env, **own}, setting.work / "airbyte.duckdb")


def _lines(table: str, column: str) -> str:
    """A row per order line of a JSON column: its id, and the number of the order that it hangs on."""
    each = f"SELECT id AS owner, unnest(CAST({column} AS JSON[])) AS line FROM {table}"
    return f"SELECT line->>'id', regexp_extract(owner::VARCHAR, '[0-9]+$') FROM ({each})"


_DLT_ROUND = """\
import sys
folder, database, url, token, work, *settings = sys.argv[1:]
sys.path.insert(0, folder)
import dlt
from shopify_dlt import shopify_source
pipeline = dlt.pipeline(
    "shopify", destination=dlt.destinations.duckdb(database), dataset_name="shopify", pipelines_dir=work + "/pipelines"
)
source = shopify_source(private_app_password=token, shop_url=url)
print(pipeline.run(source, **({"loader_file_format": settings[0]} if settings else {})))
"""


def _dlt(setting: Setting, *settings: str) -> Prepared:
    """The source asks for an external scheduler, which dlt 1.31 takes as missing unless it is told an interval."""
    python = environment(setting.cache, "dlt", "dlt[duckdb,parquet]==1.31.0") / "python"
    folder = verified_source(setting.cache, python, "shopify_dlt")
    (setting.work / "round.py").write_text(_DLT_ROUND)
    database = setting.work / "dlt.duckdb"
    command = [python, "round.py", folder, database, setting.shop.url, setting.token, setting.work, *settings]
    interval = {"DLT_INTERVAL_START": "2000-01-01T00:00:00Z", "DLT_INTERVAL_END": "2100-01-01T00:00:00Z"}
    origin = f"shopify_dlt's source: {(folder / 'origin.txt').read_text().strip()}."
    return Prepared([[str(part) for part in command]], {**setting.env, **interval}, database, origin=origin)


def _dlt_parquet(setting: Setting) -> Prepared:
    return _dlt(setting, "parquet")


_COURIER = {
    "order": 'SELECT id, total_price FROM shopify."order"',
    "order_line": "SELECT id, order_id FROM shopify.order_line",
    "customer": "SELECT id, email FROM shopify.customer",
    "product": "SELECT id, title FROM shopify.product",
    "product_variant": "SELECT id, price FROM shopify.product_variant",
}
_REST_NAMES = {
    "order": "SELECT id, CAST(total_price AS DECIMAL(19, 2)) FROM shopify.orders",
    "order_line": _lines("shopify.orders", "line_items"),
    "customer": "SELECT id, email FROM shopify.customers",
    "product": "SELECT id, title FROM shopify.products",
}
_VARIANTS = "SELECT id, CAST(price AS DECIMAL(19, 2)) FROM shopify.product_variants"
_TAP = {
    **_REST_NAMES,
    "order": "SELECT id, CAST(totalpriceset->'shopMoney'->>'amount' AS DECIMAL(19, 2)) FROM shopify.orders",
    "order_line": _lines("shopify.orders", "lineitems"),
    "product_variant": _VARIANTS,
}

_DLT = {
    "order": _REST_NAMES["order"],
    "order_line": "SELECT line.id, placed.id FROM shopify.orders__line_items AS line "
    "JOIN shopify.orders AS placed ON placed._dlt_id = line._dlt_parent_id",
    "customer": _REST_NAMES["customer"],
    "product": _REST_NAMES["product"],
    "product_variant": "SELECT id, CAST(price AS DECIMAL(19, 2)) FROM shopify.products__variants",
}
_INGESTR_NOTE = "ingestr: one command per table, added up; three tables, in which nested records are JSON columns."
_TAP_NOTES = (
    "target-duckdb with duckdb 1.0.0: with later ones it loses the first row of every batch.",
    "tap-shopify asks API 2025-07, which 2026-01 answers by now: bulk results are no longer grouped unless asked for, "
    "and it hangs each line on the order that it saw last. Customers are searched by whole days, as Shopify documents: "
    "it leaves out those that were updated today.",
)
_DLT_NOTE = "shopify_dlt: with DLT_INTERVAL_START and _END set, without which it fails at once on dlt 1.31."

COURIER = Peer("courier", "this one", _courier, _COURIER)
PEERS = (
    Peer("ingestr (Go)", "1.1.22", _ingestr_go, _REST_NAMES, (_INGESTR_NOTE,)),
    Peer("ingestr (Python)", "0.14.155", _ingestr_python, _REST_NAMES),
    Peer("tap-shopify, target-duckdb", "3.13.0, 0.8.0", _tap, _TAP, _TAP_NOTES),
    Peer("PyAirbyte, source-shopify", "0.71.3, 4.3.0", _airbyte, {**_REST_NAMES, "product_variant": _VARIANTS}),
    Peer("shopify_dlt, as shipped", "dlt 1.31.0", _dlt, _DLT, (_DLT_NOTE,)),
    Peer("shopify_dlt, parquet", "dlt 1.31.0", _dlt_parquet, _DLT),
)
