"""The client of a program with threads, against a collector process."""

from collections.abc import Iterator
from pathlib import Path
from uuid import NAMESPACE_OID, UUID, uuid5

import pytest

from endcap_client.builders import add_to_cart, click, page_view, purchase
from endcap_client.errors import ClientClosed, InvalidSetting
from endcap_client.event import Event
from endcap_client.event_client import EventClient
from endcap_client.exchange import RefusedEvent
from endcap_client.sending_options import SendingOptions
from tests.clients.keyed_collector import SERVER_KEY, KeyedCollector, keyed_collector
from tests.waiting import until

pytestmark = pytest.mark.processes

QUICK = SendingOptions(linger_s=0.02, retry_s=0.05, retry_most_s=0.2, timeout_s=5)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyedCollector]:
    with keyed_collector(tmp_path_factory.mktemp("client") / "home") as collector:
        yield collector


@pytest.fixture
def collector(running: KeyedCollector) -> Iterator[KeyedCollector]:
    """One that may be killed: it is up again for the next test."""
    yield running
    running.start()


def stored_ids(collector: KeyedCollector, store_id: str) -> list[str]:
    return collector.stored(store_id)["event_id"].to_list()


def test_what_was_sent_is_stored_when_the_client_is_closed(running: KeyedCollector) -> None:
    with EventClient(running.endpoint, SERVER_KEY) as client:
        ids = [
            client.send(purchase("s-1", "tea", 2, "o-1", user_id="u-1", unit_price=4.5, currency="EUR", store_id="closed")),
            *client.send_all(
                [add_to_cart("s-1", "cup", quantity=1, store_id="closed"), click("s-1", "tea", position=3, store_id="closed")]
            ),
        ]
    assert sorted(stored_ids(running, "closed")) == sorted(ids)
    assert (client.counts.accepted, client.counts.waiting) == (3, 0)
    assert running.stored("closed")["sent_at"].null_count() == 0


def test_more_than_a_request_takes_goes_in_several(running: KeyedCollector) -> None:
    with EventClient(running.endpoint, SERVER_KEY, options=QUICK) as client:
        ids = client.send_all(page_view("s-1", store_id="many") for _ in range(2_500))
        assert client.flush(30)
    assert sorted(stored_ids(running, "many")) == sorted(ids)


def test_bodies_of_more_than_a_mebibyte_go_in_several(running: KeyedCollector) -> None:
    long = {"table": "x" * 10_000}
    with EventClient(running.endpoint, SERVER_KEY, options=QUICK) as client:
        events = [Event("custom", {"session_id": "s-1", "custom_type": "size_guide_opened", "properties": long, "store_id": "long"})] * 150
        client.send_all(events)
    assert (len(stored_ids(running, "long")), client.counts.refused) == (150, 0)


def test_the_same_id_counts_once(running: KeyedCollector) -> None:
    def line(number: int) -> Event:
        return purchase("s-1", "tea", number, "o-2", event_id=uuid5(NAMESPACE_OID, f"o-2 {number}"), store_id="again")

    with EventClient(running.endpoint, SERVER_KEY) as client:
        client.send_all([line(1), line(2), line(1)])
    assert len(stored_ids(running, "again")) == 2
    assert (client.counts.accepted, client.counts.duplicates) == (2, 1)


def test_refused_events_are_reported_and_the_others_stored(running: KeyedCollector) -> None:
    refused: list[RefusedEvent] = []

    def report(one: RefusedEvent) -> None:
        refused.append(one)
        raise ValueError("a fault of the shop's own")

    with EventClient(running.endpoint, SERVER_KEY, on_refused=report) as client:
        client.send_all([page_view("undefined", store_id="refused"), page_view("s-1", store_id="refused")])
    assert [(one.field, one.kind, one.event["session_id"]) for one in refused] == [("session_id", "field_refused", "undefined")]
    assert len(stored_ids(running, "refused")) == 1
    assert client.counts.refused == 1


def test_a_key_that_does_not_hold_is_reported_and_not_tried_again(running: KeyedCollector) -> None:
    refused: list[RefusedEvent] = []
    with EventClient(running.endpoint, "wrong", on_refused=refused.append) as client:
        client.send(page_view("s-1"))
    assert [(one.kind, one.reason.partition(":")[0]) for one in refused] == [("request", "no key that holds")]


def test_events_of_an_outage_arrive_once_when_the_collector_is_back(collector: KeyedCollector, tmp_path: Path) -> None:
    collector.kill()
    with EventClient(collector.endpoint, SERVER_KEY, folder=tmp_path, options=QUICK) as client:
        ids = [client.send(page_view("s-1", store_id="outage")) for _ in range(20)]
        assert not client.flush(0.3)
        collector.start()
        assert client.flush(30)
    assert sorted(stored_ids(collector, "outage")) == sorted(ids)
    assert list(tmp_path.iterdir()) == []


def test_what_could_not_be_sent_is_sent_by_the_next_client(collector: KeyedCollector, tmp_path: Path) -> None:
    collector.kill()
    hasty = SendingOptions(linger_s=0.02, retry_s=0.05, retry_most_s=0.2, close_s=0.2)
    with EventClient(collector.endpoint, SERVER_KEY, folder=tmp_path, options=hasty) as client:
        ids = [client.send(page_view("s-1", store_id="next")) for _ in range(5)]
    assert client.counts.waiting == 5
    collector.start()
    with EventClient(collector.endpoint, SERVER_KEY, folder=tmp_path, options=QUICK) as client:
        until(lambda: not client.counts.waiting, "the events of before were not sent")
    assert sorted(stored_ids(collector, "next")) == sorted(ids)


def test_the_oldest_are_dropped_and_reported_when_too_many_wait(tmp_path: Path) -> None:
    dropped: list[int] = []
    few = SendingOptions(queue_events=3, close_s=0.05, retry_s=0.05, timeout_s=1)
    with EventClient("http://127.0.0.1:9/v1/events", None, folder=tmp_path, options=few, on_dropped=dropped.append) as client:
        for number in range(5):
            client.send(page_view("s-1", event_id=UUID(int=number + 1)))
    assert (dropped, client.counts.dropped, client.counts.waiting) == ([1, 1], 2, 3)


def test_outside_of_its_block_a_client_takes_nothing(running: KeyedCollector) -> None:
    client = EventClient(running.endpoint, SERVER_KEY)
    with pytest.raises(ClientClosed, match="send within `with EventClient"):
        client.send(page_view("s-1"))
    with client:
        client.send(page_view("s-1"))
    with pytest.raises(ClientClosed):
        client.send(page_view("s-1"))


def test_an_event_that_no_request_holds_is_refused_at_once(running: KeyedCollector) -> None:
    with EventClient(running.endpoint, SERVER_KEY, options=SendingOptions(batch_bytes=1_000)) as client:
        with pytest.raises(InvalidSetting, match="longer than a request may be"):
            client.send(Event("custom", {"session_id": "s-1", "custom_type": "size_guide_opened", "properties": {"table": "x" * 1_000}}))
        assert client.counts.waiting == 0


@pytest.mark.parametrize("field", ["batch_events", "linger_s", "close_s"])
def test_an_option_that_is_not_above_zero_names_itself(field: str) -> None:
    with pytest.raises(InvalidSetting, match=f"{field}: is not above zero; got 0"):
        SendingOptions(**{field: 0})


@pytest.mark.parametrize("endpoint", ["", "events.shop.example/v1/events", "ftp://events.shop.example"])
def test_an_endpoint_that_is_no_address_says_so(endpoint: str) -> None:
    with pytest.raises(InvalidSetting, match="endpoint: is no http address"):
        EventClient(endpoint, SERVER_KEY)
