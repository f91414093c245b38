"""A week of a shop through all parts, each of which is killed: afterwards every number is that of a plain query over what was sent."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import polars as pl
import pytest

from endcap.core.polling import poll
from endcap.dataset.sources.complete_journey import CompleteJourneyOptions, import_complete_journey
from endcap.events.dead_letters.letters import letter_table
from tests.endcap.features.store.redis_server import RedisServer
from tests.events_week import observed
from tests.events_week.expected import Expected, expected_of
from tests.events_week.killing import kill_all, kills
from tests.events_week.made_week import UNREAD, UNTOLD, Sending, made_week, sent_table
from tests.events_week.purchases import SHORT_LINES, purchases
from tests.events_week.sending import Answers, sending
from tests.events_week.shop import Shop, running_shop
from tests.kafka_broker.broker import KafkaBroker
from tests.seeds import SEEDS
from tests.services.stream.made_features import made_features
from tests.services.stream.redis_home import KEY, SHOWN_KEY, home_on, running_charts_redis
from tests.waiting import until

IS_WHOLE = bool(os.environ.get("ENDCAP_TEST_WEEK"))
SAMPLE_HOUSEHOLDS = 120
WITHIN_SECONDS = 900 if IS_WHOLE else 120
KEYS = (KEY, SHOWN_KEY)

pytestmark = [pytest.mark.processes, pytest.mark.timeout(7_200)]


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """Purchases: the first of some households, or all of the week."""
    options = CompleteJourneyOptions(sample_households=None if IS_WHOLE else SAMPLE_HOUSEHOLDS)
    dataset, _ = import_complete_journey(tmp_path_factory.mktemp("journey") / "data", options, 0.02)
    return purchases(dataset, None if IS_WHOLE else SHORT_LINES)


@pytest.fixture(params=SEEDS)
def random(request: pytest.FixtureRequest) -> Random:
    return Random(request.param)


@pytest.fixture
def redis(random: Random, tmp_path: Path) -> Iterator[RedisServer]:
    """As the chart configures it; the seed chooses whether it keeps its rows over a kill."""
    with running_charts_redis(tmp_path / "redis", is_kept=random.random() < 0.5) as server:
        yield server


@pytest.fixture
def shop(redis: RedisServer, broker: KafkaBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """All parts, and features of a small shop in Redis."""
    with running_shop(home_on(redis, made_features(tmp_path), tmp_path, monkeypatch), broker, redis, tmp_path) as running:
        yield running


def test_a_week_counts_to_the_event_whoever_is_killed(lines: pl.DataFrame, shop: Shop, random: Random) -> None:
    week = made_week(lines, datetime.now(UTC), random.randrange(2**32))
    expected = expected_of(sent_table(week))
    answers = sent_while_killed(shop, week, random)
    assert answers.refused == []
    require_accepted(shop, expected)
    require_counted(shop, expected)
    require_consent_kept(shop, week)
    shop.parts.end()
    assert letter_table(shop.home.settings.dead_letter_dir).is_empty()


def sent_while_killed(shop: Shop, week: list[Sending], random: Random) -> Answers:
    """The first visit alone, so that it is known what is late; then the others, while each part is killed."""
    first, others = [each for each in week if not each.visit], [each for each in week if each.visit]
    with sending(first, lambda: shop.parts.collector.address, KEYS):
        pass
    ids = {event["event_id"] for each in first for event in each.events}
    until(lambda: ids <= observed.counted_ids(shop.parts.home), "the first visit is counted", WITHIN_SECONDS)
    with sending(others, lambda: shop.parts.collector.address, KEYS) as answers:
        kill_all(shop, kills(len(others), random), answers)
    return answers


def require_accepted(shop: Shop, expected: Expected) -> None:
    """Each event stands in the topic; it may stand there twice, with one content."""

    def missing() -> set[str]:
        return expected.accepted - set(observed.topic_events(shop)["event_id"])

    left = poll(missing, every_s=1, within_s=WITHIN_SECONDS, is_there=lambda ids: not ids)
    assert not left, f"{len(left)} events are not in the topic, such as {sorted(left)[:5]}"
    found = observed.topic_events(shop)
    types = found.group_by("event_type").len("events").sort("event_type").cast({"events": pl.Int64})
    assert types.to_dicts() == expected.types.to_dicts()


def require_counted(shop: Shop, expected: Expected) -> None:
    """What the stream counted, and each of its outputs."""
    home, settings = shop.parts.home, shop.home.settings

    def differing() -> str:
        ids = observed.counted_ids(home)
        if ids != expected.counted:
            return f"{len(expected.counted - ids)} events are not counted, {len(ids - expected.counted)} are that are too late"
        tables = (
            ("sessions", expected.sessions, lambda: observed.sessions(settings, expected.sessions["session_id"].to_list())),
            ("bought", expected.bought, lambda: observed.bought(settings, expected.bought["user_id"].to_list())),
            ("counters", expected.counters, lambda: observed.counters(home)),
            ("outcomes", expected.outcomes, lambda: observed.outcomes(home)),
        )
        return "; ".join(said for name, wanted, found in tables if (said := difference(name, wanted, found())))

    left = poll(differing, every_s=1, within_s=WITHIN_SECONDS, is_there=lambda said: not said, again_on=OSError)
    assert not left, left


def difference(name: str, wanted: pl.DataFrame, found: pl.DataFrame) -> str:
    """Rows that are missing and rows that should not be, a few of each; empty when there are none."""
    want, have = ({repr(row) for row in table.select(wanted.columns).rows()} for table in (wanted, found))
    missing, unexpected = sorted(want - have), sorted(have - want)
    if not missing and not unexpected and len(wanted) == len(found):
        return ""
    return f"{name}: {len(missing)} of {len(wanted)} rows are missing, such as {missing[:2]}; unexpected {unexpected[:2]}"


def require_consent_kept(shop: Shop, week: list[Sending]) -> None:
    """Ids that were not to be stored stand nowhere, and those that were not to be read reach no feature."""
    marked = {event["session_id"].split()[0] for each in week for event in each.events}
    assert {UNREAD, UNTOLD} <= marked
    assert list(observed.places_of(shop, UNTOLD.encode())) == []
    assert [place for place in observed.places_of(shop, UNREAD.encode()) if place.startswith("Redis")] == []
