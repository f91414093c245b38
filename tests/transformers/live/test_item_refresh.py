"""Live updates reach the table that answers, and nothing that is wrong with a file does."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.exceptions import PanicException
from structlog.testing import capture_logs

from endcap.catalogue.item_table import ItemTable
from endcap.catalogue.item_updates import write_updates
from endcap_transformer.live.item_refresh import ItemRefresh, ServedItems
from tests.transformers.two_items import two_items

AS_OF = datetime(2026, 11, 26, tzinfo=UTC)


def table(price: float) -> ItemTable:
    return two_items(price, price, AS_OF)


class Shelf:
    """What a transformer holds."""

    def __init__(self, folder: Path) -> None:
        self.items = table(1.0)
        self.taken: list[ItemTable] = []
        self.file = folder / "item_updates.parquet"
        self.refresh = ItemRefresh(self.file, lambda: ServedItems(self.items, AS_OF), self.take, pause=self.between)
        self.swap_to: ItemTable | None = None

    def take(self, items: ItemTable) -> None:
        self.items = items
        self.taken.append(items)

    def between(self) -> None:
        """Another bundle may come while updates are applied."""
        if self.swap_to is not None:
            self.items, self.swap_to = self.swap_to, None

    def write(self, **prices: float) -> None:
        moment = AS_OF + timedelta(hours=1)
        write_updates(self.file, pl.DataFrame({"item_id": list(prices), "price": list(prices.values()), "updated_at": moment}))

    def prices(self) -> list[float]:
        return np.nan_to_num(self.items.price, nan=-1).tolist()


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


async def test_without_a_file_there_is_nothing_to_do(shelf: Shelf) -> None:
    assert await shelf.refresh.look() is None
    assert not shelf.taken


async def test_each_new_file_is_applied_once_from_the_bundles_own_values(shelf: Shelf) -> None:
    shelf.write(a=5.0)
    assert (await shelf.refresh.look()) is not None
    assert shelf.prices() == [-1, 5, 1]
    assert await shelf.refresh.look() is None
    shelf.write(b=7.0)
    await shelf.refresh.look()
    assert shelf.prices() == [-1, 1, 7], "a left the file, so the bundle's price holds again"
    assert [items.revision for items in shelf.taken] == [1, 2]


async def test_a_bad_file_is_said_once_and_the_last_good_one_stays(shelf: Shelf) -> None:
    shelf.write(a=5.0)
    await shelf.refresh.look()
    shelf.file.write_bytes(b"half a fi")
    with capture_logs() as lines:
        assert await shelf.refresh.look() is None
        assert await shelf.refresh.look() is None
    assert [line["log_level"] for line in lines] == ["error"]
    assert shelf.prices() == [-1, 5, 1]
    shelf.write(a=6.0)
    await shelf.refresh.look()
    assert shelf.prices() == [-1, 6, 1]


async def test_a_bad_first_file_is_said_once(shelf: Shelf) -> None:
    shelf.file.write_bytes(b"half a fi")
    with capture_logs() as lines:
        await shelf.refresh.look()
        await shelf.refresh.look()
    assert len(lines) == 1


async def test_a_file_that_goes_away_changes_nothing(shelf: Shelf) -> None:
    shelf.write(a=5.0)
    await shelf.refresh.look()
    shelf.file.unlink()
    assert await shelf.refresh.look() is None
    assert shelf.prices() == [-1, 5, 1]


async def test_refused_rows_are_counted_in_the_log(shelf: Shelf) -> None:
    shelf.write(a=5.0, b=-2.0)
    with capture_logs() as lines:
        report = await shelf.refresh.look()
    assert report is not None
    assert dict(report.refused) == {"price: must be 0 or more": 1}
    assert lines[0]["log_level"] == "warning"
    assert shelf.prices() == [-1, 5, 1]


async def test_another_bundle_gets_the_updates_too(shelf: Shelf) -> None:
    shelf.write(a=5.0)
    await shelf.refresh.look()
    shelf.items = table(2.0)
    await shelf.refresh.look()
    assert shelf.prices() == [-1, 5, 2]


async def test_a_table_of_a_bundle_that_was_replaced_meanwhile_is_dropped(shelf: Shelf) -> None:
    shelf.write(a=5.0)
    shelf.swap_to = table(3.0)
    assert await shelf.refresh.look() is None
    assert shelf.prices() == [-1, 3, 3]
    await shelf.refresh.look()
    assert shelf.prices() == [-1, 5, 3]


def loaded(shelf: Shelf, price: float) -> None:
    """Another bundle is loaded and begins to answer."""
    shelf.items = shelf.refresh.applied_to(ServedItems(table(price), AS_OF))


async def test_a_bundle_begins_with_the_updates_which_are_not_applied_to_it_again(shelf: Shelf) -> None:
    shelf.write(a=5.0)
    loaded(shelf, 2.0)
    assert shelf.prices() == [-1, 5, 2]
    assert await shelf.refresh.look() is None and not shelf.taken


async def test_a_swap_beside_a_broken_file_carries_on_with_the_last_good_updates(shelf: Shelf) -> None:
    shelf.write(a=5.0)
    await shelf.refresh.look()
    shelf.file.write_bytes(b"half a fi")
    loaded(shelf, 2.0)
    assert shelf.prices() == [-1, 5, 2]
    assert await shelf.refresh.look() is None
    assert shelf.prices() == [-1, 5, 2], "the refused file changed nothing"
    shelf.write(b=7.0)
    await shelf.refresh.look()
    assert shelf.prices() == [-1, 2, 7], "a left the file, so the new bundle's price holds"


async def test_a_swap_after_the_file_went_away_carries_on_with_the_last_good_updates(shelf: Shelf) -> None:
    shelf.write(a=5.0)
    loaded(shelf, 1.0)
    shelf.file.unlink()
    loaded(shelf, 2.0)
    assert shelf.prices() == [-1, 5, 2]


async def test_updates_from_before_a_bundle_do_not_come_back_with_it(shelf: Shelf) -> None:
    shelf.write(a=5.0)
    await shelf.refresh.look()
    shelf.file.unlink()
    later = ServedItems(table(2.0), AS_OF + timedelta(days=1))
    assert np.nan_to_num(shelf.refresh.applied_to(later).price, nan=-1).tolist() == [-1, 2, 2]


def test_a_bundle_beside_a_file_that_was_never_good_begins_with_its_own_values(shelf: Shelf) -> None:
    shelf.file.write_bytes(b"half a fi")
    loaded(shelf, 2.0)
    assert shelf.prices() == [-1, 2, 2]


async def test_updates_that_failed_for_another_reason_are_tried_again(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.write(a=5.0)
    with monkeypatch.context() as patched:
        patched.setattr(shelf.refresh, "_pause", lambda: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await shelf.refresh.look()
    await shelf.refresh.look()
    assert shelf.prices() == [-1, 5, 1]


async def test_a_file_that_polars_panics_over_is_refused(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def panic(path: Path) -> pl.DataFrame:
        raise PanicException("assertion failed: range.end <= self.size")

    shelf.write(a=5.0)
    monkeypatch.setattr("endcap_transformer.live.item_refresh.read_updates", panic)
    loaded(shelf, 2.0)
    with capture_logs() as lines:
        assert await shelf.refresh.look() is None
        assert await shelf.refresh.look() is None
    assert len(lines) == 1 and shelf.prices() == [-1, 2, 2]


async def test_a_file_that_cannot_be_looked_at_is_said_once_and_is_not_taken_for_none(shelf: Shelf) -> None:
    shelf.write(a=5.0)
    await shelf.refresh.look()
    shelf.file.unlink()
    shelf.file.symlink_to(shelf.file)
    with capture_logs() as lines:
        await shelf.refresh.look()
        await shelf.refresh.look()
    assert [line["log_level"] for line in lines] == ["error"]
    assert shelf.prices() == [-1, 5, 1]
