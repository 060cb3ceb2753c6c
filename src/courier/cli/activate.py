"""courier activate: what an activation would do, and, with --apply, doing it."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from courier.cli.options import project_option, sandbox_option, streaming_json_option
from courier.cli.output import as_json as json_text
from courier.cli.output import mark, print_json, say
from courier.cli.project import open_project, opening, place_of
from courier.cli.table import number, print_table
from courier.config.suggestions import did_you_mean
from courier.errors import UsageError

if TYPE_CHECKING:
    from courier.activations.contract import Item
    from courier.config.project import Project
    from courier.runtime.activation_result import ActivationResult
    from courier.runtime.activation_run import Planned
    from courier.runtime.context import Context
    from courier.runtime.place import Place

LONGEST = 160  # of a value in a plan for people; --json has it whole


@click.command(short_help="Plan an activation; with --apply carry it out.")
@click.argument("name", required=False)
@click.option("--apply", "applies", is_flag=True, help="Carry the plan out. It may cost credits.")
@click.option("--plan", "plan_hash", metavar="HASH", help="With --apply: only if the plan is still this one.")
@click.option("--yes", "-y", is_flag=True, help="With --apply: do not ask.")
@click.option("--retry-unknown", is_flag=True, help="Send again what may have taken effect; it may pay twice.")
@project_option
@sandbox_option
@streaming_json_option
@click.pass_context
def activate(
    context: click.Context,
    /,
    name: str | None,
    applies: bool,
    plan_hash: str | None,
    yes: bool,
    retry_unknown: bool,
    root: Path | None,
    sandbox: bool,
    as_json: bool,
) -> None:
    """Show what activation NAME would create, update or leave alone, why, and for how many credits. Sends nothing.

    --apply carries it out, and asks first on a terminal. Without NAME it lists the activations and how they stand.
    """
    from courier.cli.progress import rendering
    from courier.runtime.context import Context

    project = open_project(root)
    place = place_of(project.root, sandbox)
    if name is None:
        _list(project, place, as_json)
        return
    _check(project, name, applies, plan_hash, yes, as_json)
    shown = rendering(as_json=as_json, quiet=False, verbose=False)
    with opening(project, place, (), [name]) as opened, shown as report:
        working = Context(project, place, opened.couriers, report, activation_access=opened.activations)
        if not applies:
            _plan(working, name, retry_unknown, as_json)
            return
        result = _apply(working, name, plan_hash, yes, retry_unknown, as_json)
    context.exit(_finish(result, sandbox, as_json))


def _check(project: Project, name: str, applies: bool, plan_hash: str | None, yes: bool, as_json: bool) -> None:
    if name not in project.activations:
        fix = did_you_mean(name, project.activations, "courier activate lists them")
        raise UsageError(f"there is no activations/{name}.yaml", fix=fix)
    if not applies and (plan_hash or yes):
        raise UsageError("--plan and --yes go with --apply", fix=f"courier activate {name} --apply")
    if applies and not (plan_hash or yes) and (as_json or not sys.stdin.isatty()):
        fix = "add --yes, or --plan HASH with the hash of the plan that somebody has read"
        raise UsageError("there is no terminal to ask whether the plan is to be applied", fix=fix)


def _plan(working: Context, name: str, retry_unknown: bool, as_json: bool) -> None:
    from courier.runtime.activation_result import plan_json
    from courier.runtime.activation_run import plan_activation

    planned = plan_activation(working, name, retry_unknown=retry_unknown)
    if as_json:
        head = {"version": 1, "sandbox": working.place.sandbox}
        print_json({**head, **plan_json(planned.plan), "refusals": list(planned.refusals)})
        return
    _show(planned)
    again = " --retry-unknown" if retry_unknown else ""
    place = " --sandbox" if working.place.sandbox else ""
    if planned.sends and not planned.refusals:
        say(f"next: courier activate {name} --apply{again}{place}")
    mark(working.place.sandbox)


def _apply(
    working: Context, name: str, plan_hash: str | None, yes: bool, retry_unknown: bool, as_json: bool
) -> ActivationResult:
    from courier.runtime.activation_run import apply_activation, plan_activation

    def show(planned: Planned) -> None:
        if not as_json:
            _show(planned)

    if plan_hash or yes:
        return apply_activation(working, name, expected=plan_hash, retry_unknown=retry_unknown, shown=show)
    planned = plan_activation(working, name, retry_unknown=retry_unknown)
    show(planned)
    if planned.sends and not planned.refusals and not click.confirm("Apply this plan?", err=True):
        say("nothing was sent")
        raise click.exceptions.Exit(1)
    return apply_activation(working, name, expected=planned.plan.hash, retry_unknown=retry_unknown)


def _finish(result: ActivationResult, sandbox: bool, as_json: bool) -> int:
    from courier.runtime.activation_result import carried_json, credits_text, plan_json

    if as_json:
        whole = plan_json(result.plan) if result.plan else {}
        outcomes = [carried_json(one) for one in result.carried]
        ended = {"run": result.run, "result": result.result, "spent": result.credits, "outcomes": outcomes}
        problem = {"message": result.problem, "fix": result.fix} if result.problem else None
        print_json({"version": 1, "sandbox": sandbox, **whole, **ended, "problem": problem})
    else:
        for one in result.carried:
            if one.ignored:
                say(f"{one.item.key}: sent, and not shown as sent: {', '.join(one.ignored)}")
        for warning in result.warnings:
            say(f"note: {warning}")
        if result.problem:
            say(f"{result.name}: {result.problem}\n  fix: {result.fix}")
        say(f"{result.result}: {credits_text((result.credits, result.credits))} spent")
        mark(sandbox)
    return 0 if result.result == "succeeded" else 1


def _show(planned: Planned) -> None:
    from courier.clock import rfc3339
    from courier.runtime.activation_result import summary

    plan = planned.plan
    up_to = f", data up to {rfc3339(plan.as_of)}" if plan.as_of else ""
    click.echo(f"activation {plan.activation}, plan {plan.hash}{up_to}")
    for item in plan.items:
        click.echo()
        for line in _lines(item):
            click.echo(line)
    if plan.left_out:
        click.echo()
    for row, times in Counter(plan.left_out).items():
        click.echo(f"left out  {row.key}: {row.reason} [{row.guard}]{f', {times} rows' if times > 1 else ''}")
    click.echo()
    for note in plan.notes:
        click.echo(f"note: {note}")
    for refusal in planned.refusals:
        click.echo(f"refused: {refusal}")
    click.echo(f"total: {summary(plan)}")


def _lines(item: Item) -> list[str]:
    from courier.runtime.activation_result import credits_text

    cost = f"; {credits_text(item.credits)}" if item.action in ("create", "update") else ""
    named = f" ({_plain(item.name)})" if item.name != item.key else ""
    head = f"{item.action:<9} {_plain(item.key)}{named}: {item.reason}{cost}"
    names = dict.fromkeys([*(item.after or {}), *(item.before or {})])
    return [head, *(_change(name, item) for name in names)]


def _change(name: str, item: Item) -> str:
    before, after = (item.before or {}).get(name), (item.after or {}).get(name)
    said = _value(after) if before is None else f"{_value(before)} -> {_value(after)}"
    return f"    {name}: {said}"


def _value(value: Any) -> str:
    text = "(nothing)" if value is None else json_text(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text):,} characters)"


def _plain(text: str) -> str:
    """On one line, and nothing that a terminal would obey."""
    return text if text.isprintable() else json_text(text)


COLUMNS = ("activation", "surface", "apply", "last run", "result", "credits", "items")


def _list(project: Project, place: Place, as_json: bool) -> None:
    from courier.runtime.activation_states import activation_states

    found = [
        {**state, "surface": project.activations[state["activation"]].surface,
         "apply": project.activations[state["activation"]].apply}
        for state in activation_states(place, project.activations)
    ]  # fmt: skip
    if as_json:
        print_json({"version": 1, "sandbox": place.sandbox, "activations": found})
        return
    rows = [
        (one["activation"], one["surface"], one["apply"], one["last_run"] or "never", one["result"],
         number(one["credits"]), ", ".join(f"{count} {state}" for state, count in one["items"].items()))
        for one in found
    ]  # fmt: skip
    print_table(COLUMNS, rows, right=["credits"])
    say("courier activate NAME shows what it would do" if found else "there is no file in activations/")
    mark(place.sandbox)
