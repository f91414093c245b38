"""The client of a program with an event loop, against a collector process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from endcap_client.async_event_client import AsyncEventClient
from endcap_client.builders import page_view
from endcap_client.errors import ClientClosed
from endcap_client.exchange import RefusedEvent
from endcap_client.sending_options import SendingOptions
from tests.clients.keyed_collector import SERVER_KEY, KeyedCollector, keyed_collector

pytestmark = pytest.mark.processes

QUICK = SendingOptions(linger_s=0.02, retry_s=0.05, retry_most_s=0.2, timeout_s=5)


@pytest.fixture(scope="module")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyedCollector]:
    with keyed_collector(tmp_path_factory.mktemp("async-client") / "home") as running:
        yield running


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_what_was_sent_is_stored_when_the_client_is_closed(collector: KeyedCollector) -> None:
    async with AsyncEventClient(collector.endpoint, SERVER_KEY) as client:
        ids = [await client.send(page_view("s-1", store_id="closed")) for _ in range(3)]
        ids += await client.send_all(page_view("s-1", store_id="closed") for _ in range(1_500))
    assert sorted(collector.stored("closed")["event_id"]) == sorted(ids)
    assert (client.counts.accepted, client.counts.waiting) == (1_503, 0)


async def test_refused_events_are_reported(collector: KeyedCollector) -> None:
    refused: list[RefusedEvent] = []
    async with AsyncEventClient(collector.endpoint, SERVER_KEY, options=QUICK, on_refused=refused.append) as client:
        await client.send(page_view("guest"))
        assert await client.flush(10)
    assert [one.field for one in refused] == ["session_id"]


async def test_events_of_an_outage_arrive_once_when_the_collector_is_back(collector: KeyedCollector, tmp_path: Path) -> None:
    collector.kill()
    async with AsyncEventClient(collector.endpoint, SERVER_KEY, folder=tmp_path, options=QUICK) as client:
        ids = [await client.send(page_view("s-1", store_id="outage")) for _ in range(20)]
        assert not await client.flush(0.3)
        collector.start()
        assert await client.flush(30)
    assert sorted(collector.stored("outage")["event_id"]) == sorted(ids)
    assert files(tmp_path) == []


async def test_closing_gives_up_in_time_and_leaves_the_events_in_the_folder(tmp_path: Path) -> None:
    hasty = SendingOptions(linger_s=0.01, retry_s=0.05, retry_most_s=0.1, close_s=0.2, timeout_s=1)
    async with AsyncEventClient("http://127.0.0.1:9/v1/events", folder=tmp_path, options=hasty) as client:
        await client.send(page_view("s-1"))
    assert client.counts.waiting == len(files(tmp_path)) == 1
    with pytest.raises(ClientClosed, match="send within `async with"):
        await client.send(page_view("s-1"))
