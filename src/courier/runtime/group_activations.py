"""What a group does once every required courier has committed: plan its activations, and apply those that it may."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from courier import clock
from courier.config.project import CourierGroup
from courier.errors import ConfigurationError, CourierError, Refused
from courier.runtime import events
from courier.runtime.context import Context
from courier.runtime.result import GroupResult

if TYPE_CHECKING:
    from courier.runtime.activation_result import ActivationResult


def activations_of(group: CourierGroup) -> tuple[str, ...]:
    """Those that a run of the group goes through: none of the run type `source`."""
    return group.activations if group.run_type == "full" else ()


def with_activations(context: Context, group: CourierGroup, result: GroupResult) -> GroupResult:
    """The couriers' result with that of the activations, one after another. One that fails stops no other."""
    names = activations_of(group) if result.committed else ()
    done = tuple(activated(context, name, result.run) for name in names)
    bad = next((one for one in done if one.is_bad), None)
    whole = replace(result, activations=tuple(one.as_json() for one in done), ended=clock.now())
    if bad is None:
        return whole
    problem, fix = result.problem or f"activation {bad.name}: {bad.problem}", result.fix or _fix(context, result, bad)
    return replace(whole, result="partial", problem=problem, fix=fix)


def _fix(context: Context, result: GroupResult, bad: ActivationResult) -> str:
    again = f"courier retry {result.run}{' --sandbox' if context.place.sandbox else ''} goes on with the activations"
    return f"{bad.fix}; {again}" if bad.fix else again


def activated(context: Context, name: str, run: str) -> ActivationResult:
    """What came of the activation after the group's run: applied if it may be, else planned. An event tells of it."""
    # Here, because most groups have no activation, and a scheduler reads this module and never sends anything.
    from courier.runtime.activation_result import ActivationResult

    try:
        result = _tried(context, name, run)
    except CourierError as error:
        end = "refused" if isinstance(error, Refused | ConfigurationError) else "failed"
        result = ActivationResult(name, end, problem=error.message, fix=error.fix)  # type: ignore[arg-type]
    _tell(context, result)
    return result


def _tried(context: Context, name: str, run: str) -> ActivationResult:
    from courier.runtime.activation_result import ActivationResult
    from courier.runtime.activation_run import apply_activation, plan_activation, sandbox_option

    if context.project.activations[name].apply == "automatic":
        return apply_activation(context, name, group_run=run)
    planned = plan_activation(context, name)
    fix = f"courier activate {name} --apply{sandbox_option(context)}" if planned.sends else ""
    against = f"it would be refused: {'; '.join(planned.refusals)}" if planned.refusals else ""
    return ActivationResult(name, "planned", planned.plan, problem=against, fix=fix)


def _tell(context: Context, result: ActivationResult) -> None:
    ended = events.ActivationEnded(
        courier="", run=result.run or "", at=clock.now(), activation=result.name, result=result.result,
        said=_said(result), fix=result.fix,
    )  # fmt: skip
    context.report(ended)
    for warning in result.warnings:
        note = events.GroupNoticed(courier="", run="", at=clock.now(), group=result.name, note=warning)
        context.report(note)


def _said(result: ActivationResult) -> str:
    from courier.runtime.activation_result import credits_text, summary

    if result.is_bad:
        return result.problem
    assert result.plan is not None
    said = "; ".join(filter(None, (summary(result.plan), result.problem)))
    return f"{said}; {credits_text((result.credits, result.credits))} spent" if result.run else said
