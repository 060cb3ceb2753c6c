"""A project on a served shop whose customers are loaded, and activations of it that are carried out in this process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from courier import sandbox
from courier.activations.contract import Plan
from courier.activations.journal import Journal
from courier.cli.project import open_project
from courier.config.project import Project
from courier.runtime.activation_result import ActivationResult
from courier.runtime.activation_run import Planned, apply_activation, plan_activation
from courier.runtime.activation_states import journal_of
from courier.runtime.context import Context
from courier.runtime.events import Event
from courier.runtime.place import Place
from courier.sandbox.history.options import Options
from courier.sandbox.mavera.service import Mavera
from courier.sandbox.server import Sandbox
from courier.storage.postgres.database import Postgres
from tests.postgres_server import execute
from tests.runs.hurried import Ended, Hurried, write_shops_project

SHOP = Options(customers=80, orders=160, products=5)
COHORTS = ("few", "none", "one")  # of at least ten customers; `many` are nine
SQL = """\
select
    case when orders_count = 0 then 'none' when orders_count = 1 then 'one' when orders_count < 4 then 'few'
        else 'many' end as cohort,
    count(*) as customers,
    sum(total_spent)::decimal(18, 0) as spent
from shopify.customer group by 1 order by 1
"""
HEAD = """\
destination: mavera
endpoint: {url}
credential: {{ api_key: "${{MAVERA_API_KEY}}" }}
guards: {guards}
"""
GUARDS = "{ min_cohort_size: 10 }"
PERSONAS = """\
surface: personas
persona:
  key: cohort
  name: "Buyer {cohort}"
  type: B2C
  pipeline_type: north_star
  description: "{customers} customers spent {spent}."
  fields: { purchase_cadence: "{cohort}" }
"""
TEXTS = """\
surface: generations
key: cohort
generation:
  app: Blog Post Generator
  title: "For {cohort}"
  input: { topic: "{cohort}", keywords: "{spent}" }
"""
ANSWERS = """\
surface: chat
key: cohort
chat: { message: "What do {customers} customers of {cohort} want?", thread: new }
"""
FILES = {"buyers": PERSONAS, "texts": TEXTS, "answers": ANSWERS}


@dataclass
class Acted:
    """One project and one made-up account; `fresh` forgets what was applied. `url`: of the database, if it has one."""

    root: Path
    served: Sandbox
    hurry: Hurried
    told: list[Event] = field(default_factory=list)
    opened: Project | None = None
    url: str = ""

    @property
    def mavera(self) -> Mavera:
        return self.served.mavera

    @property
    def place(self) -> Place:
        return Place(self.root, sandbox=False, database=Postgres(self.url, "the tests' database") if self.url else None)

    @property
    def project(self) -> Project:
        self.opened = self.opened or open_project(self.root)
        return self.opened

    @property
    def context(self) -> Context:
        key = {"api_key": self.served.credentials["MAVERA_API_KEY"]}
        return Context(self.project, self.place, _nobody, self.told.append, True, lambda one: (one, key))

    def journal(self, name: str) -> Journal:
        return journal_of(self.place, self.project.activations[name])

    def plan(self, name: str = "buyers", **options: Any) -> Planned:
        return plan_activation(self.context, name, **options)

    def apply(self, name: str = "buyers", **options: Any) -> ActivationResult:
        return apply_activation(self.context, name, **options)

    def courier(self, *words: str, end: Mapping[str, Any] | None = None, key: str | None = None) -> Ended:
        """A process of its own, which must not end in a trace. `key`: another one than the account's."""
        given = self.served.credentials
        ended = self.hurry.courier(self.root, words, given if key is None else {**given, "MAVERA_API_KEY": key}, end)
        assert "Traceback" not in ended.err, ended.err
        return ended

    @property
    def made(self) -> dict[str, dict[str, Any]]:
        """Name -> what the account was given, of the custom personas."""
        return {one["name"]: one["given"] for one in self.mavera.personas if one["is_custom"]}

    @property
    def charged(self) -> int:
        return sum(charge.credits for charge in self.mavera.charges)

    def fresh(self) -> None:
        for path in self.place.state.glob("activations.db*"):
            path.unlink()
        if self.url:
            execute(self.url, "DROP SCHEMA IF EXISTS courier_journal CASCADE")
        self.mavera.reset()
        self.told.clear()

    def write(self, name: str, guards: str = GUARDS, apply: str = "by_hand") -> None:
        head = HEAD.format(url=self.served.url, guards=guards) + f"apply: {apply}\n"
        (self.root / "activations" / f"{name}.yaml").write_text(head + FILES[name], "utf-8")
        (self.root / "activations" / f"{name}.sql").write_text(SQL, "utf-8")
        self.opened = None

    def guarded(self, name: str, **guards: Any) -> None:
        """The activation under other guards, for this process."""
        activation = self.project.activations[name]
        made = replace(activation, guards=replace(activation.guards, **guards))
        self.opened = replace(self.project, activations={**self.project.activations, name: made})


def actions(plan: Plan) -> dict[str, str]:
    return {item.key: item.action for item in plan.items}


def _nobody(courier: Any) -> Any:
    raise AssertionError("no courier is opened here")


@contextmanager
def acting(root: Path, hurry: Hurried, url: str = "") -> Iterator[Acted]:
    with sandbox.serve(sandbox.open_shop(None, SHOP)) as served:
        write_shops_project(root, served, "pages", ("customer",), database=url)
        for path in (root / "activations").glob("*"):
            path.unlink()
        acted = Acted(root, served, hurry, url=url)
        for name in FILES:
            acted.write(name)
        loaded = acted.courier("run", "--group", "shopify", "--json")
        assert loaded.code == 0, loaded.err
        yield acted
