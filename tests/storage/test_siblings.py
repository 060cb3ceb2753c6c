"""Child tables whose sets come together: they end as if each were alone, and their versions are kept once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from courier.config.project import DomainTable, RowPath
from courier.storage.load import Counters, FeedLoad
from courier.storage.target import Target
from tests.storage.conftest import NewShop
from tests.storage.loads import ALLOCATION, LINE, ORDER, SCHEMA, Set, Shop, column

NOTE = DomainTable(
    "note",
    "domain_tables/shop/note.yaml",
    RowPath("Order", (("customAttributes",),)),
    ("order_id", "name"),
    (column("order_id", "integer", "legacyResourceId", climb=1), column("name"), column("value")),
    parent="order",
)
CHILDREN = (LINE, ALLOCATION, NOTE)
NAMES = tuple(table.name for table in CHILDREN)
KEPT = "SELECT table_name, parent FROM private.courier.parent_version"
SHARED = "SELECT table_name, kept_by FROM private.courier.shared_version"


def row(table: DomainTable, parent: int, number: int, version: int, fetched: int) -> dict[str, Any]:
    """A record of an order's; the same key at every version."""
    value = f"{version}-{fetched}"
    return {
        LINE.name: {"id": parent * 10 + number, "order_id": parent, "title": value},
        ALLOCATION.name: {"line_id": parent * 10, "index": number, "amount": f"{version}.{fetched}"},
        NOTE.name: {"order_id": parent, "name": str(number), "value": value},
    }[table.name]


def sets_of(table: DomainTable, answers: Iterable[tuple[int, int, int, frozenset[int]]], held: bool) -> list[Set]:
    return [Set(p, v, [row(table, p, n, v, f) for n in sorted(rows)], f, held) for p, v, f, rows in answers]


def own(load: FeedLoad, place: int) -> FeedLoad:
    """The load, its sets written as no sibling's are: what courier does with a child table that is alone."""
    return replace(load, sets=load.sets and f"{load.sets[:-1]}{' ' * (place + 1)})")


def load(here: Shop, step: Step, alone: bool = False) -> dict[str, Counters]:
    """answers: parent, version, fetched, rows. held: whose sets are. names: which child tables the run loads."""
    answers, held, names, deletes, whole = step
    loads = [here.rows_load(ORDER, [], deletes=here.deletes(deletes))]
    for place, table in enumerate(CHILDREN):
        if table.name in names:
            made = here.sets_load(table, sets_of(table, answers, table.name in held), whole=whole)
            loads.append(own(made, place) if alone else made)
    return dict(here.load(*loads).counters)


Step = tuple[Sequence[tuple[int, int, int, frozenset[int]]], frozenset[str], frozenset[str], dict[int, int], bool]
ROWS = st.sampled_from([frozenset[int](), frozenset({0}), frozenset({1}), frozenset({0, 1})])
ANSWER = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), ROWS)
MOSTLY_ALL = st.sampled_from(
    [frozenset(NAMES)] * 3 + [frozenset(NAMES[:2]), frozenset(NAMES[1:]), frozenset(NAMES[:1])]
)
STEP = st.tuples(
    st.lists(ANSWER, max_size=3, unique_by=lambda one: one[:3]),
    st.sampled_from([frozenset[str]()] * 4 + [frozenset({name}) for name in NAMES]),
    MOSTLY_ALL,
    st.sampled_from([{}, {}, {1: 2}, {2: 3}]),
    st.sampled_from([False, False, False, True]),
)


@settings(max_examples=8, deadline=None)
@given(st.lists(STEP, min_size=2, max_size=4))
def test_siblings_end_as_if_each_were_alone(new_shop: NewShop, steps: list[Step]) -> None:
    """Whatever comes, is held, is deleted, or is left out of a run: the same rows, and the same counts on the way."""
    found = []
    for alone in (False, True):
        with new_shop() as here:
            counters = [load(here, step, alone) for step in steps]
            found.append((counters, [here.rows(t, "*") if here.columns(t.name) else [] for t in CHILDREN]))
            assert not alone or here.ask(SHARED) == []
    assert found[0] == found[1]


ALL = frozenset(NAMES)
FIRST: Step = ([(1, 1, 1, frozenset({0, 1})), (2, 1, 1, frozenset({0}))], frozenset(), ALL, {}, False)
NEXT: Step = ([(2, 2, 2, frozenset({1})), (3, 2, 2, frozenset())], frozenset(), ALL, {}, False)


def test_versions_are_kept_once_for_all_that_come_together(new_shop: NewShop) -> None:
    with new_shop() as here:
        load(here, FIRST)
        load(here, NEXT)
        assert here.ask(KEPT) == [("order_line", "1"), ("order_line", "2"), ("order_line", "3")]
        assert here.ask(SHARED) == [("allocation", "order_line"), ("note", "order_line")]


def test_a_table_that_comes_alone_takes_its_versions_along(new_shop: NewShop) -> None:
    """The others stay together; nothing that was known of any is lost, so an older set stays out everywhere."""
    with new_shop() as here:
        load(here, FIRST)
        load(here, (NEXT[0], frozenset(), frozenset({"order_line"}), {}, False))
        assert here.ask(SHARED) == [("note", "allocation")]
        assert here.ask(KEPT) == [
            *(("allocation", key) for key in "12"),
            *(("order_line", key) for key in "123"),
        ]
        older = [(key, 0, 0, frozenset({0, 1})) for key in (1, 2)]
        assert {
            one.rejected for name, one in load(here, (older, frozenset(), ALL, {}, False)).items() if name != "order"
        } == {4}


def test_a_deleted_parent_leaves_every_table_also_those_not_loaded(new_shop: NewShop) -> None:
    with new_shop() as here:
        load(here, FIRST)
        counters = load(here, ([], frozenset(), frozenset({"note"}), {1: 5}, False))
        assert counters["note"].deleted == 2
        assert [len(here.rows(table, "*")) for table in CHILDREN] == [1, 1, 1]
        assert here.ask("SELECT DISTINCT parent, deleted FROM private.courier.parent_version") == [
            ("1", True),
            ("2", False),
        ]


def test_a_table_that_begins_anew_leaves_what_it_kept_to_the_others(new_shop: NewShop) -> None:
    """An empty table whose key changes is made anew: its own past is forgotten, and nobody else's."""
    changed = replace(LINE, primary_key=("order_id", "id"))
    nothing = [(1, 1, 1, frozenset[int]())]
    with new_shop() as here:
        loads = [here.sets_load(table, sets_of(table, nothing, held=False)) for table in CHILDREN]
        here.load(*loads)
        assert {keeper for _, keeper in here.ask(SHARED)} == {"order_line"}
        again = here.load(here.sets_load(changed, sets_of(LINE, [(1, 1, 1, frozenset({0}))], held=False)))
        assert again.counters["order_line"].inserted == 1
        assert here.ask(KEPT) == [("allocation", "1"), ("order_line", "1")]
        assert here.ask(SHARED) == [("note", "allocation")]
        assert here.columns(Target(SCHEMA, changed).table.name)
