"""What is sent to a collector reaches the servers' files, by processes as a shop runs them."""

import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import polars as pl
import pytest

from endcap.catalogue.item_updates import UPDATES_FILE, read_updates
from endcap.contracts.event_type import EventType
from tests.endcap.events.sent_events import sent
from tests.services.collector.collector_process import CollectorProcess
from tests.services.stream.stream_process import StreamProcess
from tests.waiting import until

pytestmark = pytest.mark.processes


class Shop:
    """A home with its processes."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.collector, self.stream = CollectorProcess(home), StreamProcess(home)

    def values(self, item: str) -> dict[str, float | str]:
        path = self.home / "live" / UPDATES_FILE
        rows = read_updates(path).filter(pl.col("item_id") == item).sort("updated_at").to_dicts() if path.exists() else []
        return {name: value for row in rows for name, value in row.items() if value is not None and name not in ("item_id", "updated_at")}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(tmp_path / "home")
    yield made
    made.collector.end(signal.SIGTERM)
    made.stream.end(signal.SIGTERM)


def test_prices_and_purchases_meet_in_the_servers_file_and_outlive_a_kill(shop: Shop) -> None:
    now = datetime.now(UTC)
    bought = [
        sent(EventType.PURCHASE, now, str(number)) | {"item_id": "tea", "session_id": f"s{number}", "order_id": f"o{number}"}
        for number in range(4)
    ]
    back = sent(EventType.RETURN, now, "back") | {"session_id": "s9", "order_id": "o1", "user_id": bought[1]["user_id"]}
    back = {name: value for name, value in back.items() if name not in ("item_id", "quantity")}
    with httpx.Client(base_url=shop.collector.address, trust_env=False) as client:
        assert client.put("/v1/items", json={"item_id": "tea", "price": 3.5}).status_code == 200
        assert client.post("/v1/events", json=bought[:2]).json()["accepted"] == 2
        until(lambda: shop.values("tea").items() >= {"price": 3.5, "purchases_7d": 2.0}.items(), "price and counts", 60)
        shop.stream.end(signal.SIGKILL)
        assert client.post("/v1/events", json=[*bought[2:], back]).json()["accepted"] == 3
        assert client.put("/v1/items", json={"item_id": "tea", "availability": "out_of_stock"}).status_code == 200
    shop.stream = StreamProcess(shop.home)
    expected = {"price": 3.5, "availability": "out_of_stock", "purchases_7d": 3.0}
    until(lambda: shop.values("tea").items() >= expected.items(), "four bought, one order back", 60)
    until(lambda: pl.read_parquet(shop.home / "live" / "trends.parquet")["purchases"].to_list() == [3.0], "the trends")
