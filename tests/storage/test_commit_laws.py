"""What always holds of the contest, whatever is loaded in whatever order."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from courier.config.project import DomainTable
from courier.storage.load import Counters, FeedLoad
from tests.storage.conftest import NewShop
from tests.storage.loads import ALLOCATION, LINE, ORDER, PLACE, Set, Shop, at, shop_in_memory

few = settings(max_examples=15, deadline=None)

KEYS = st.integers(1, 2)
TIMES = st.integers(1, 3)


def order(key: int, updated: int, fetched: int) -> dict[str, Any]:
    """A version of an order; no two versions look alike."""
    return {
        "id": key,
        "email": f"{updated}-{fetched}@example.com",
        "labels": ["a", str(fetched)] if fetched % 2 else None,
        "updated_at": at(updated),
        "_fetched_at": at(fetched),
    }


def identity_holds(counters: Counters) -> bool:
    settled = counters.inserted + counters.updated + counters.unchanged + counters.rejected
    return counters.read == settled + counters.errors


VERSIONS = st.lists(st.tuples(KEYS, TIMES, TIMES), min_size=1, max_size=6)


@few
@given(st.lists(VERSIONS, min_size=1, max_size=3))
def test_the_newest_version_wins_in_whatever_order_versions_arrive(
    new_shop: NewShop, loads: list[list[tuple[int, int, int]]]
) -> None:
    """Per key, the greatest last_updated stays; among equals the one fetched last."""
    with new_shop() as here:
        for versions in loads:
            assert identity_holds(here.one(here.rows_load(ORDER, [order(*version) for version in versions])))
        newest: dict[int, tuple[int, int, int]] = {}
        for version in chain(*loads):
            newest[version[0]] = max(version, newest.get(version[0], version))
        expected = [(key, f"{updated}-{fetched}@example.com") for key, updated, fetched in newest.values()]
        assert here.rows(ORDER, "id, email") == sorted(expected)


@few
@given(VERSIONS, st.data())
def test_two_halves_are_one_load(
    lasting_shop: NewShop, versions: list[tuple[int, int, int]], data: st.DataObject
) -> None:
    """Loading some records and then the others leaves what loading them together leaves.

    So it does in a database in memory, and whether a file is closed and opened in between or not.
    """
    cut = data.draw(st.integers(0, len(versions)))
    with shop_in_memory() as whole, lasting_shop() as halves:
        whole.load(whole.rows_load(ORDER, [order(*version) for version in versions]))
        for half in (versions[:cut], versions[cut:]):
            halves.load(halves.rows_load(ORDER, [order(*version) for version in half]))
        assert halves.rows(ORDER, "id, email, total, labels, updated_at, _fetched_at") == whole.rows(
            ORDER, "id, email, total, labels, updated_at, _fetched_at"
        )


@few
@given(
    st.lists(
        st.one_of(st.tuples(st.just("row"), KEYS, TIMES), st.tuples(st.just("delete"), KEYS, TIMES)),
        min_size=2,
        max_size=6,
    )
)
def test_deletes_and_revivals_commute(new_shop: NewShop, events: list[tuple[str, int, int]]) -> None:
    """A key is there exactly if a version newer than its last delete ever arrived, and then as its newest version."""
    with new_shop() as here:
        here.load(here.rows_load(ORDER, []))
        for kind, key, time in events:
            rows = [order(key, time, time)] if kind == "row" else []
            deletes = here.deletes({key: time}) if kind == "delete" else ""
            here.load(here.rows_load(ORDER, rows, deletes=deletes))
        last: dict[str, dict[int, int]] = {"row": {}, "delete": {}}
        for kind, key, time in events:
            last[kind][key] = max(time, last[kind].get(key, 0))
        there = {key: time for key, time in last["row"].items() if time > last["delete"].get(key, 0)}
        assert here.rows(ORDER, "id, updated_at") == sorted((key, at(time)) for key, time in there.items())
        buried = here.ask("SELECT key, deleted_at FROM private.courier.deleted_record")
        assert buried == sorted((str(key), at(time)) for key, time in last["delete"].items() if key not in there)


def line_row(parent: int, number: int, version: int, fetched: int) -> dict[str, Any]:
    return {"id": parent * 10 + number, "order_id": parent, "title": f"{version}-{fetched}"}


def allocation_row(parent: int, number: int, version: int, fetched: int) -> dict[str, Any]:
    return {"line_id": parent * 10, "index": number, "amount": f"{version}.{fetched}"}


# Small and dense, so that nearly every example has sets that meet: parent, version, fetched, rows, held.
SET = st.tuples(
    st.integers(1, 2),
    st.integers(1, 2),
    st.integers(1, 3),
    st.sampled_from([frozenset[int](), frozenset({0}), frozenset({1}), frozenset({0, 1})]),
    st.sampled_from([False, False, False, True]),
)
LOADS = st.lists(st.lists(SET, min_size=1, max_size=3), min_size=2, max_size=4)
CHILDREN = pytest.mark.parametrize(("table", "row"), [(LINE, line_row), (ALLOCATION, allocation_row)])


@CHILDREN
@few
@given(loads=LOADS)
def test_two_sets_of_one_parent_never_mix(new_shop: NewShop, table: DomainTable, row: Any, loads: list[Any]) -> None:
    """Each parent's rows are those of one set: the newest that was whole, in whatever order sets arrive."""
    loads = [[(p, v, f, frozenset(range(v)) | rows, held) for p, v, f, rows, held in load] for load in loads]
    best: dict[int, tuple[int, int, Any]] = {}
    with new_shop() as here:
        here.load(here.sets_load(table, []))
        for load in loads:
            distinct = list({(p, v, f): (p, v, f, rows, held) for p, v, f, rows, held in load}.values())
            sets = [Set(p, v, [row(p, n, v, f) for n in sorted(rows)], f, held) for p, v, f, rows, held in distinct]
            assert identity_holds(here.one(here.sets_load(table, sets)))
            for parent, version, fetched, rows, held in distinct:
                if not held and (version, fetched) > best.get(parent, (0, 0))[:2]:
                    best[parent] = (version, fetched, rows)
        wanted = [row(p, n, v, f) for p, (v, f, rows) in best.items() for n in rows]
        expected = sorted(tuple(one[c.name] for c in table.columns) for one in wanted)
        assert [tuple(map(str, found)) for found in here.rows(table)] == [
            tuple(f"{v}000" if c.type.name == "decimal" else str(v) for c, v in zip(table.columns, one, strict=True))
            for one in expected
        ]


@CHILDREN
@few
@given(loads=LOADS)
def test_a_key_that_moves_between_parents_never_doubles(
    new_shop: NewShop, table: DomainTable, row: Any, loads: list[Any]
) -> None:
    """Keys are unique in the table, and rows and side table agree, even if parents pass rows on to each other."""
    with new_shop() as here:
        here.load(here.sets_load(table, []))
        for load in loads:
            rows = [
                Set(p, v, [{**row(1, n, v, f), "order_id": p} for n in sorted(numbers)], f, held)
                for p, v, f, numbers, held in load
            ]
            assert identity_holds(here.one(here.sets_load(table, rows)))
        keys = here.rows(table, ", ".join(f'"{name}"' for name in table.primary_key))
        assert len(keys) == len(set(keys))
        if table is ALLOCATION:
            assert here.ask('SELECT line_id, "index" FROM private.courier_family.shop__allocation') == keys


@few
@given(VERSIONS, st.lists(SET, max_size=4), st.dictionaries(KEYS, TIMES), st.integers(0, 2))
def test_loading_twice_is_loading_once(
    new_shop: NewShop, versions: Any, sets: Any, deletes: dict[int, int], errors: int
) -> None:
    """The second time no row changes, nothing is to be published, and each row keeps its run."""

    def loads(here: Shop) -> list[FeedLoad]:
        lines = [Set(p, v, [line_row(p, n, v, f) for n in sorted(rows)], f, held) for p, v, f, rows, held in sets]
        return [
            here.rows_load(
                ORDER, [order(*version) for version in versions], deletes=here.deletes(deletes), errors=errors
            ),
            here.sets_load(LINE, lines),
            here.rows_load(PLACE, [{"id": 1, "name": "here", "default": True}], load="truncate"),
        ]

    with new_shop() as here:
        first = here.load(*loads(here))
        before = [here.rows(table, "*, _fetched_at, _run") for table in (ORDER, LINE, PLACE)]
        second = here.load(*loads(here))
        assert [here.rows(table, "*, _fetched_at, _run") for table in (ORDER, LINE, PLACE)] == before
        assert all(identity_holds(counters) for counters in [*first.counters.values(), *second.counters.values()])
        assert not second.changed


@few
@given(st.lists(st.tuples(st.sampled_from(["set", "delete"]), TIMES), min_size=2, max_size=4))
def test_a_parents_delete_takes_its_sets_in_whatever_order(new_shop: NewShop, events: list[tuple[str, int]]) -> None:
    """A set is there exactly if its version is newer than its parent's last delete."""
    with new_shop() as here:
        here.load(here.rows_load(ORDER, []), here.sets_load(ALLOCATION, []), here.sets_load(LINE, []))
        for kind, time in events:
            deletes = here.deletes({1: time}) if kind == "delete" else ""
            rows = [order(1, time, time)] if kind == "set" else []
            sets = [
                [Set(1, time, [row(1, 0, time, time)], time)] if kind == "set" else []
                for row in (line_row, allocation_row)
            ]
            # The children's feeds run only with sets: a delete reaches tables that are not part of the run.
            children = [here.sets_load(LINE, sets[0]), here.sets_load(ALLOCATION, sets[1])] if kind == "set" else []
            here.load(here.rows_load(ORDER, rows, deletes=deletes), *children)
        newest, deleted = (max((t for k, t in events if k == kind), default=0) for kind in ("set", "delete"))
        expected = 1 if newest > deleted else 0
        assert (len(here.rows(ORDER)), len(here.rows(LINE)), len(here.rows(ALLOCATION))) == (expected,) * 3
