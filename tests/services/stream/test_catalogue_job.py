"""Changes of items from the collector's log to the servers' files."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import polars as pl
import pytest
from prometheus_client import CollectorRegistry

from endcap.catalogue.changes.judging import AcceptedChange, judged_change
from endcap.catalogue.changes.sink import ItemChangesSink
from endcap.catalogue.changes.waiting_items import WAITING_FILE, WaitingItems
from endcap.catalogue.item_updates import UPDATES_FILE, read_updates
from endcap.core.clock import system_clock
from endcap.core.settings import CounterSettings, Settings
from endcap.events.log.writer import LogFile, Rotation
from endcap_stream.catalogue_job import CatalogueJob
from endcap_stream.metrics import StreamMetrics
from tests.waiting import until


def line(number: int, text: str) -> bytes:
    judged = judged_change(text, UUID(int=number), datetime.now(UTC))
    assert isinstance(judged, AcceptedChange)
    return judged.line.encode()


class Shop:
    """A home whose catalogue changes."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home, counters=CounterSettings(deliver_seconds=0))
        self.registry = CollectorRegistry()
        self.metrics = StreamMetrics(self.registry, system_clock, (), ())
        self.log = LogFile(self.settings.catalogue_log_dir, system_clock, Rotation())

    @contextmanager
    def running(self) -> Iterator[None]:
        known = pl.Series(["tea"], dtype=pl.String())
        sink = ItemChangesSink(self.settings.live_dir, lambda: known, self.metrics.waiting_items.set)
        job, stop = CatalogueJob(self.settings, sink, self.metrics), threading.Event()
        thread = threading.Thread(target=job.run, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(60)

    def prices(self) -> dict[str, float]:
        path = self.settings.live_dir / UPDATES_FILE
        return dict(read_updates(path).select("item_id", "price").drop_nulls().rows()) if path.exists() else {}

    def value(self, name: str) -> float | None:
        return self.registry.get_sample_value(name)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_changes_reach_the_servers_and_are_not_taken_again_after_a_restart(shop: Shop) -> None:
    with shop.running():
        shop.log.append_synced(line(1, '{"item_id": "tea", "price": 2}') + b"broken\n" + b'{"item_id": "tea", "price": 9}\n')
        shop.log.append_synced(line(2, '{"item_id": "cup", "title": "Cup", "category_path": ["Kitchen"], "price": 7}'))
        until(lambda: shop.prices() == {"tea": 2.0, "cup": 7.0}, "prices in the servers' file")
        until(lambda: shop.value("endcap_catalogue_waiting_items") == 1, "the new item waits")
    assert WaitingItems(shop.settings.live_dir / WAITING_FILE).read()["item_id"].to_list() == ["cup"]
    assert (shop.value("endcap_stream_item_changes_taken_total"), shop.value("endcap_stream_item_changes_rejected_total")) == (2, 2)
    shop.log.append_synced(line(3, '{"item_id": "tea", "availability": "out_of_stock"}'))
    with shop.running():
        until(lambda: shop.value("endcap_stream_item_changes_taken_total") == 3, "the third change is taken")
    updates = read_updates(shop.settings.live_dir / UPDATES_FILE).filter(pl.col("item_id") == "tea")
    assert updates.select(pl.col("price", "availability").drop_nulls().first()).row(0) == (2.0, "out_of_stock")
    shop.log.close()


def test_a_damaged_file_makes_changes_wait_until_it_is_gone(shop: Shop) -> None:
    path = shop.settings.live_dir / UPDATES_FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(b"damaged")
    with shop.running():
        shop.log.append_synced(line(1, '{"item_id": "tea", "price": 2}'))
        name = "endcap_stream_delivery_failures_total"
        until(lambda: shop.registry.get_sample_value(name, {"sink": "item_changes"}) or 0, "a delivery fails")
        path.unlink()
        until(lambda: shop.prices() == {"tea": 2.0}, "the price in the servers' file")
    shop.log.close()
