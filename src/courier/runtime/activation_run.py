"""Plan an activation and carry the plan out: rows of the published tables, what is known, what is there, and the caps.

One apply of an activation at a time, over all processes. Whatever killed the last one, its open intents are settled
before anything is planned.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from courier import clock
from courier.activations.apply import Applying, Carried
from courier.activations.contract import Known, Plan, Remote, Surface, Usage
from courier.activations.guards import guarded
from courier.activations.items import items_of
from courier.activations.journal import Journal
from courier.activations.mavera.open import AT_ONCE, open_surface
from courier.activations.mavera.payloads import payload_of
from courier.activations.plan import make_plan, notes_on, refusals, sends
from courier.activations.tables import bring_tables_up_to_date
from courier.config.activation import Activation, Persona
from courier.errors import CourierError, Locked, Refused
from courier.runtime import events
from courier.runtime.activation_result import ActivationResult, judged
from courier.runtime.activation_states import journal_of
from courier.runtime.context import Context
from courier.runtime.journal_move import move_journal
from courier.runtime.place import Place, activation_lock
from courier.runtime.run_name import name_of
from courier.storage.activation_rows import read_rows


@dataclass(frozen=True)
class Planned:
    """A plan, what of the remote side it was made upon, and why it may not be applied, if it may not."""

    plan: Plan
    remote: Remote
    refusals: tuple[str, ...] = ()

    @property
    def sends(self) -> bool:
        """Whether an apply has anything to do."""
        return sends(self.plan)


@dataclass(frozen=True)
class _Session:
    """An activation that is being worked on, opened."""

    context: Context
    activation: Activation
    journal: Journal
    surface: Surface

    def at(self, place: Place) -> _Session:
        """The same, with what is written going through the place that holds the lock."""
        context = replace(self.context, place=place)
        return replace(self, context=context, journal=journal_of(place, self.activation))


def plan_activation(context: Context, name: str, *, retry_unknown: bool = False) -> Planned:
    """What an apply would do. Sends nothing that changes anything or costs credits.

    Raises Refused (the query would let personal data out, an item cannot be made), SourceUnreachable, SourceRefused,
    ConfigurationError.
    """
    session = _open(context, name)
    moved = move_journal(context.place, wait=context.wait_for_lock)
    try:
        with activation_lock(context.place, name, wait=False) as place:
            notes = _settled(session.at(place))
    except Locked:
        notes = ("it is being applied in another process: this plan may be out of date",)
    return _planned(session, (*moved, *notes), retry_unknown)


def apply_activation(
    context: Context,
    name: str,
    *,
    expected: str | None = None,
    retry_unknown: bool = False,
    group_run: str | None = None,
    shown: Callable[[Planned], None] = lambda planned: None,
) -> ActivationResult:
    """Plan and carry out, under the activation's lock.

    expected: the hash of a plan that somebody has seen; another one is refused. shown: called before anything is sent.
    Raises Refused where a guard says no, Locked, and what `plan_activation` raises.
    """
    session = _open(context, name)
    moved = move_journal(context.place, wait=context.wait_for_lock)
    with activation_lock(context.place, name, wait=context.wait_for_lock) as place:
        session = session.at(place)
        warnings = (*moved, *_copied(session))
        planned = _planned(session, _settled(session), retry_unknown)
        if expected is not None and planned.plan.hash != expected:
            fix = f"courier activate {name}{sandbox_option(context)} shows the plan as it is now"
            raise Refused(f"activation {name}: the data, or what is there at the other side, has moved", fix=fix)
        shown(planned)
        if planned.refusals:
            raise Refused(f"activation {name}: {'; '.join(planned.refusals)}", fix=_fix_of_caps(session))
        result = _applied(session, planned, group_run)
        return replace(result, warnings=(*warnings, *_copied(session)))


def _open(context: Context, name: str) -> _Session:
    activation = context.project.activations[name]
    opened, credential = context.activation_access(activation)
    others = [
        one.name
        for one in context.project.activations.values()
        if isinstance(one.body, Persona) and one.body.enriches == name
    ]

    def notify(seconds: float, reason: str) -> None:
        note = events.GroupNoticed
        context.report(note(courier="", run="", at=clock.now(), group=name, note=f"waiting {seconds:.1f} s: {reason}"))

    surface = open_surface(opened, credential, notify, enriched_by=others)
    return _Session(context, activation, journal_of(context.place, activation), surface)


def _planned(session: _Session, notes: tuple[str, ...], retry_unknown: bool) -> Planned:
    activation, journal = session.activation, session.journal
    read = read_rows(session.context.project, activation, session.context.place.warehouse)
    rows = [dict(zip(read.columns, row, strict=True)) for row in read.rows]
    kept = guarded(activation, read.columns, rows)
    items = items_of(activation, kept.rows, lambda filled: payload_of(activation, filled))
    _refuse_problems(activation, (*kept.problems, *items.problems))
    remote = session.surface.look()
    known = _passed_on(journal.known(activation.name), retry_unknown)
    owned = journal.owned()
    plan = make_plan(activation, items.wanted, kept.left_out, session.surface, remote, known, owned, read.as_of, notes)
    usage = session.surface.usage() if sends(plan) else Usage(None, None)
    spent = journal.spent_since(activation.name, _month(clock.now()))
    against = tuple(refusals(plan, activation.guards, usage, spent, clock.now()))
    return Planned(replace(plan, notes=(*plan.notes, *notes_on(usage))), remote, against)


def _refuse_problems(activation: Activation, problems: tuple[str, ...]) -> None:
    if problems:
        more = f" (and {len(problems) - 5} more)" if len(problems) > 5 else ""
        raise Refused(
            f"activation {activation.name}: {'; '.join(problems[:5])}{more}",
            fix=f"change {activation.sql_path} or {activation.path}",
        )


def _passed_on(known: Mapping[str, Known], retry_unknown: bool) -> dict[str, Known]:
    """What nobody can tell of counts as failed where it is to be sent again."""
    return {
        key: replace(one, state="failed") if retry_unknown and one.state == "unknown" else one
        for key, one in known.items()
    }


def _month(now: datetime) -> datetime:
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _settled(session: _Session) -> tuple[str, ...]:
    """What a killed apply left open is found out; whoever holds the lock knows that it is dead."""
    name, journal = session.activation.name, session.journal
    open_intents = journal.open_intents(name)
    found: list[str] = []
    for run in dict.fromkeys(intent.run for intent in open_intents):
        found += [_told(run, one) for one in Applying(journal, session.surface, name, run).settle()]
    journal.end_killed(name)
    return tuple(found)


def _told(run: str, carried: Carried) -> str:
    said = {
        "done": f"it is there, {carried.credits} credits",
        "pending": "it goes on there",
        "unknown": "whether it took effect cannot be told",
    }.get(carried.state, carried.problem)
    return f"{run} was killed: {carried.item.key}: {said}"


def _applied(session: _Session, planned: Planned, group_run: str | None) -> ActivationResult:
    name, journal, plan = session.activation.name, session.journal, planned.plan
    run = name_of(name, clock.now())
    journal.begin(run, name, plan.hash, plan.credits, plan.as_of, group_run)
    with _ending(journal, run):
        at_once = AT_ONCE.get(session.activation.surface, 1)
        applying = Applying(journal, session.surface, name, run, _reporter(session.context, name, run), at_once)
        carried = (*applying.pending(plan), *applying.plan(plan, planned.remote))
        unknown = any(one.state == "unknown" for one in journal.known(name).values())
        result = judged(carried, unknown)
        bad = [one for one in carried if one.state != "done" or one.problems]
        problem, fix = _problem(session, bad, unknown)
        journal.end(run, result, problem)
    spent = sum(one.credits for one in carried)
    return ActivationResult(name, result, plan, run, spent, carried, problem, fix)


def _problem(session: _Session, bad: list[Carried], unknown: bool) -> tuple[str, str]:
    again = f"courier activate {session.activation.name} --apply{sandbox_option(session.context)}"
    if bad:
        first = bad[0]
        said = first.problem or "; ".join(first.problems)
        more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        return f"{first.item.key}: {said}{more}", first.fix or _then(session, first, again)
    if unknown:
        return "of some items nobody can tell whether they took effect", f"{again} --retry-unknown sends them again"
    return "", ""


def _then(session: _Session, bad: Carried, again: str) -> str:
    """An answer was paid for, however bad it is: only another question is asked."""
    if bad.state != "done":
        return f"{again} goes on with what is missing"
    return f"see courier.activation_result; it is asked again when its rows or {session.activation.path} change"


@contextmanager
def _ending(journal: Journal, run: str) -> Iterator[None]:
    """What ends otherwise than with a result is closed too; its open intents are settled at the next start."""
    try:
        yield
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        problem = error.message if isinstance(error, CourierError) else type(error).__name__
        journal.end(run, "interrupted" if interrupted else "failed", problem)
        raise


def _reporter(context: Context, name: str, run: str) -> Callable[[Carried], None]:
    def report(carried: Carried) -> None:
        values = {"activation": name, "key": carried.item.key, "action": carried.item.action}
        also = {"state": carried.state, "credits": carried.credits, "problem": carried.problem}
        context.report(events.ActivationItem(courier="", run=run, at=clock.now(), **values, **also))  # type: ignore[arg-type]

    return report


def _copied(session: _Session) -> tuple[str, ...]:
    return tuple(bring_tables_up_to_date(session.journal, session.context.place.warehouse))


def _fix_of_caps(session: _Session) -> str:
    return f"change `guards:` in {session.activation.path}, or run its couriers if the data is too old"


def sandbox_option(context: Context) -> str:
    """What a command to type must have besides."""
    return " --sandbox" if context.place.sandbox else ""
