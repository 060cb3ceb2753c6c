"""Customers that change while a bulk operation is at work: their filter knows whole days, so they are read by id."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from courier import clock
from courier.connectors.contract import Fetching, Waiting
from courier.connectors.shopify.bulk import parts
from courier.connectors.shopify.bulk.parts import CHANGED
from courier.connectors.shopify.paging import Limits
from courier.sandbox import change, open_shop, serve
from courier.sandbox.server import Sandbox
from tests.connectors.shopify.bulk_pulling import SHOP, Killed, pull_in_bulk, standing
from tests.connectors.shopify.pulling import lines, operations, pull

pytestmark = pytest.mark.usefixtures("moving_clock")


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    with serve(open_shop(options=SHOP)) as sandbox:
        yield sandbox


@dataclass
class Meanwhile:
    """Changes the shop once, as the result is read. `edited`: the customers that changed."""

    sandbox: Sandbox
    edited: list[str] = field(default_factory=list)

    def __call__(self, progress: Fetching | Waiting) -> None:
        if isinstance(progress, Fetching) and not self.edited:
            before = self._versions()
            clock.sleep(5)
            change(self.sandbox.shop, 25)
            after = self._versions()
            self.edited = sorted(f"gid://shopify/Customer/{key}" for key in after if after[key] != before.get(key))
            assert 2 < len(self.edited) < len(after)

    def _versions(self) -> dict[int, int]:
        return {key: family.customer.updated_at for key, family in self.sandbox.shop.history.customers.items()}


@pytest.fixture
def meanwhile(sandbox: Sandbox) -> Meanwhile:
    return Meanwhile(sandbox)


def changed(folder: Path) -> list[str]:
    return sorted(str(line["id"]) for line in lines(folder / "Customer" / CHANGED, "Customer"))


def test_those_are_read_by_id_and_no_others(sandbox: Sandbox, tmp_path: Path, meanwhile: Meanwhile) -> None:
    pull_in_bulk(sandbox, tmp_path, "Customer", progress=meanwhile)
    assert changed(tmp_path) == meanwhile.edited
    asked = operations(sandbox)
    assert (asked.count("CustomerNewest"), asked.count("CustomerList"), asked.count("CustomerPage")) == (1, 1, 0)
    assert standing(tmp_path / "Customer", "Customer") == standing(
        pull(sandbox, tmp_path / "now", "Customer"), "Customer"
    )


def test_where_none_changed_one_page_says_so(sandbox: Sandbox, tmp_path: Path) -> None:
    pull_in_bulk(sandbox, tmp_path, "Customer")
    asked = operations(sandbox)
    assert (asked.count("CustomerNewest"), asked.count("CustomerList"), asked.count("CustomerPage")) == (1, 0, 0)


def test_too_many_are_read_by_pages(sandbox: Sandbox, tmp_path: Path, meanwhile: Meanwhile) -> None:
    pull_in_bulk(sandbox, tmp_path, "Customer", limits=Limits(longest=2, sizes=(2, 1)), progress=meanwhile)
    assert changed(tmp_path) == meanwhile.edited
    assert "CustomerList" not in operations(sandbox) and "CustomerPage" in operations(sandbox)


def test_a_killed_process_goes_on_with_the_same_list(
    sandbox: Sandbox, tmp_path: Path, meanwhile: Meanwhile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "AT_ONCE", 1)

    def killing(progress: Fetching | Waiting) -> None:
        meanwhile(progress)
        if isinstance(progress, Fetching) and progress.request == f"Customer {CHANGED}":
            raise Killed

    kills = 0
    while not kills or kills < len(meanwhile.edited):
        with pytest.raises(Killed):
            pull_in_bulk(sandbox, tmp_path, "Customer", progress=killing)
        kills += 1
    pull_in_bulk(sandbox, tmp_path, "Customer", progress=killing)
    assert changed(tmp_path) == meanwhile.edited
    assert (operations(sandbox).count("CustomerNewest"), operations(sandbox).count("CustomerList")) == (1, kills)
