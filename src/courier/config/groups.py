"""Courier groups: courier_groups.yaml becomes CourierGroups, or problems."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from courier.config.documents import Document
from courier.config.models import GroupModel, Groups
from courier.config.problems import Problem
from courier.config.project import Constraint, CourierGroup, Fleet, GroupCourier
from courier.config.suggestions import did_you_mean

NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")


def check_groups(
    document: Document, groups: Groups, couriers: Collection[str], activations: Collection[str]
) -> Iterator[Problem]:
    """Everything that can be wrong with groups whose file has the right structure."""
    known: Collection[str] = document.data  # a group whose own mistakes left it out of `groups` is in the file
    for name, group in groups.items():
        if not NAME.fullmatch(name):
            fix = "Begin with a lower-case letter; go on with lower-case letters, digits, - and _."
            yield document.problem(document.key((name,)), "bad-name", f"`{name}` is no group name", fix)
        yield from _check_couriers(document, name, group, couriers)
        yield from _check_constraints(document, name, group, known)
        yield from _check_activations(document, name, group, activations)
    yield from _check_cycles(document, groups)


def _check_couriers(document: Document, name: str, group: GroupModel, known: Collection[str]) -> Iterator[Problem]:
    for courier in group.couriers:
        if courier not in known:
            at = document.key((name, "couriers", courier))
            fix = did_you_mean(courier, known, f"Make it: couriers/{courier}.yaml.")
            yield document.problem(at, "unknown-courier", f"there is no courier `{courier}`", fix)


def _check_constraints(document: Document, name: str, group: GroupModel, known: Collection[str]) -> Iterator[Problem]:
    for position, constraint in enumerate(group.constraints):
        if constraint.group not in known:
            at = document.value((name, "constraints", position, "group"))
            fix = did_you_mean(constraint.group, known)
            yield document.problem(at, "unknown-group", f"there is no group `{constraint.group}`", fix)


def _check_activations(document: Document, name: str, group: GroupModel, known: Collection[str]) -> Iterator[Problem]:
    for position, activation in enumerate(group.activations):
        if activation not in known:
            at = document.value((name, "activations", position))
            fix = did_you_mean(activation, known, f"Make it: activations/{activation}.yaml.")
            yield document.problem(at, "unknown-activation", f"there is no activation `{activation}`", fix)


def _check_cycles(document: Document, groups: Groups) -> Iterator[Problem]:
    reported: set[frozenset[str]] = set()
    for name in groups:
        cycle = _way_back(name, groups)
        if cycle and frozenset(cycle) not in reported:
            reported.add(frozenset(cycle))
            position = [constraint.group for constraint in groups[name].constraints].index(cycle[1])
            at = document.value((name, "constraints", position, "group"))
            message = f"these groups wait for each other: {' -> '.join(cycle)}"
            yield document.problem(at, "cycle", message, "Take away one of these constraints.")


def _way_back(start: str, groups: Groups) -> list[str]:
    """The shortest way from a group over constraints back to itself, or nothing."""
    ways = [[start]]
    seen: set[str] = set()
    for way in ways:
        group = groups.get(way[-1])
        for constraint in group.constraints if group else ():
            if constraint.group == start:
                return [*way, start]
            if constraint.group not in seen:
                seen.add(constraint.group)
                ways.append([*way, constraint.group])
    return []


def resolve_groups(groups: Groups, fleets: Mapping[str, Fleet]) -> Mapping[str, CourierGroup]:
    """The groups by name, of a file without problems. fleets: those with `stores:`."""
    return {name: _group(name, group, fleets) for name, group in groups.items()}


def _couriers(model: GroupModel, fleets: Mapping[str, Fleet]) -> tuple[GroupCourier, ...]:
    """All stores' couriers in the place of their file's; one that is named besides has options of its own."""
    found = {}
    for written, options in model.couriers.items():
        for name in fleets[written].stores if written in fleets else [written]:
            if name == written or name not in model.couriers:
                found[name] = GroupCourier(name, options.offset, options.wait, options.required)
    return tuple(found.values())


def _group(name: str, model: GroupModel, fleets: Mapping[str, Fleet]) -> CourierGroup:
    return CourierGroup(
        name=name,
        schedule=model.schedule,
        timezone=model.timezone,
        enabled=model.enabled,
        run_type=model.run_type,
        couriers=_couriers(model, fleets),
        constraints=tuple(Constraint(c.group, c.offset, c.wait) for c in model.constraints),
        activations=model.activations,
        alert_after=model.alert_after,
        parallel=model.parallel,
    )
