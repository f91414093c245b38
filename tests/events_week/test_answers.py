"""Lists follow what shoppers did: through collector, Kafka, stream and Redis into the answers of a trained bundle."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import polars as pl
import pytest

from endcap.core.ports import free_port
from endcap.core.settings import Settings
from endcap.release.bundle.promotion import served_bundle
from endcap.release.bundle.tables import read_tables
from tests.debian_programs import required_program
from tests.endcap.features.store.redis_server import RedisServer
from tests.events_week.served_shop import ServedShop, repository_on_redis, serving, serving_environment, trained
from tests.kafka_broker.broker import KafkaBroker
from tests.services.stream.kafka.stream_topics import make_topics
from tests.shared_milvus import kept_folder, share_unpacked_milvus
from tests.waiting import until

pytestmark = [pytest.mark.processes, pytest.mark.pipeline, pytest.mark.journeys, pytest.mark.timeout(1_800)]

WITHIN_SECONDS = 60
LISTS = 20
LONG = 50
"""Items of a list that has room for what a visit did, wherever the ranker puts it."""


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(required_program("redis-server"), tmp_path_factory.mktemp("redis"), free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def shop(redis: RedisServer, broker: KafkaBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedShop]:
    """One bundle of some households, served."""
    folder = tmp_path_factory.mktemp("answers")
    home = folder / "home"
    home.mkdir()
    share_unpacked_milvus(home, kept_folder(tmp_path_factory))
    kafka = {"ENDCAP_EVENTS__KAFKA_BOOTSTRAP": broker.bootstrap, "ENDCAP_EVENTS__TOPIC_PREFIX": make_topics(broker)}
    environment = serving_environment(home, repository_on_redis(folder), redis.port, kafka)
    trained(environment)
    with serving(environment) as running:
        yield running


@pytest.fixture(scope="module")
def popular(shop: ServedShop) -> list[str]:
    """Items that many households buy and that the bundle knows neighbours of, the most bought first."""
    bought = pl.read_parquet(shop.home / "data" / "events.parquet", columns=["item_id", "user_id"])
    counts = bought.group_by("item_id").agg(pl.col("user_id").n_unique().alias("buyers")).sort("buyers", "item_id", descending=True)
    neighbours = neighbours_of(shop)
    return [item for item in counts["item_id"].head(60) if neighbours(item)]


def neighbours_of(shop: ServedShop) -> Callable[[str], set[str]]:
    """The item-to-item table of the served bundle, by item."""
    tables = read_tables(served_bundle(Settings(home=shop.home).served_dir).path)
    ids = tables.items.ids

    def of(item: str) -> set[str]:
        """None of an item that the bundle does not know."""
        return {ids.name(int(each)) for each in tables.item_to_item.index[ids.code(item)] if each > 0}

    return of


def happened(kind: str, visit: str, item: str, **fields: Any) -> dict[str, Any]:
    """An event of now."""
    return {"event_id": str(uuid4()), "event_type": kind, "occurred_at": datetime.now(UTC), "session_id": visit, "item_id": item, **fields}


def of_source(answer: dict[str, Any], source: str) -> set[str]:
    return {each["item_id"] for each in answer["recommendations"] if each["source"] == source}


def test_what_a_visit_viewed_last_leads_to_its_neighbours(shop: ServedShop, popular: list[str]) -> None:
    visit, viewed = f"visit {uuid4()}", popular[7]
    assert of_source(shop.list_of(session_id=visit), "item_to_item") == set()
    shop.send(happened("product_view", visit, popular[11]), happened("product_view", visit, viewed))
    near = neighbours_of(shop)
    found = until(lambda: of_source(shop.list_of(session_id=visit), "item_to_item"), "neighbours in the visit's list", WITHIN_SECONDS)
    assert found <= near(viewed) | near(popular[11])
    assert found & near(viewed)


def test_what_was_looked_at_is_shown_as_such_until_it_is_bought(shop: ServedShop, popular: list[str]) -> None:
    visit, person, item = f"visit {uuid4()}", f"person {uuid4()}", popular[3]
    shop.send(happened("product_view", visit, item, user_id=person))

    def shown() -> set[str]:
        return of_source(shop.list_of(user_id=person, session_id=visit, k=LONG), "recently_viewed")

    until(lambda: item in shown(), "what was looked at is offered", WITHIN_SECONDS)
    shop.send(happened("purchase", visit, item, user_id=person, quantity=1.0, order_id=f"order {visit}"))
    until(lambda: item not in shown(), "what was bought is not offered as looked at", WITHIN_SECONDS)


@pytest.mark.parametrize("killed", ["collector", "stream", "broker", "redis"])
def test_no_list_is_empty_when_a_part_dies_and_lists_follow_what_was_accepted_meanwhile(
    shop: ServedShop, broker: KafkaBroker, redis: RedisServer, popular: list[str], killed: str
) -> None:
    visit, viewed = f"visit {uuid4()}", popular[7]
    kills = {"broker": broker.stop, "redis": redis.stop}
    kills.get(killed, lambda: shop.kill(f"endcap_{killed}"))()
    assert all(shop.list_of(session_id=visit)["recommendations"] for _ in range(LISTS))
    until(shop.takes_events, "the collector takes events", WITHIN_SECONDS)
    shop.send(happened("product_view", visit, viewed))
    starts = {"broker": broker.start, "redis": redis.start}
    starts.get(killed, lambda: None)()
    near = neighbours_of(shop)(viewed)
    found = until(lambda: of_source(shop.list_of(session_id=visit), "item_to_item"), "neighbours in the visit's list", WITHIN_SECONDS)
    assert found <= near


def test_what_a_visit_without_consent_did_is_in_no_list(shop: ServedShop, popular: list[str]) -> None:
    refused, allowed = f"visit {uuid4()}", f"visit {uuid4()}"
    shop.send(*(happened("product_view", refused, item, consent=False, consent_analytics=False) for item in popular[5:8]))
    # Sent after it, and in the list: what was before it is taken by then.
    shop.send(happened("product_view", allowed, popular[7]))
    until(lambda: of_source(shop.list_of(session_id=allowed), "item_to_item"), "the visit with consent is known", WITHIN_SECONDS)
    assert of_source(shop.list_of(session_id=refused), "item_to_item") == set()
