import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.contracts.event_type import EventType
from endcap.core.settings import ConsentSettings
from endcap.events.acceptance.acceptance import Acceptance, Accepted, Sender
from endcap.events.acceptance.custom_types import load_custom_types
from endcap.events.acceptance.scopes import TYPES_OF_SCOPE, Scope
from endcap.events.log.reader import event_schema
from endcap.events.stream.bots import BotRules, Bots
from endcap.events.stream.function import Instant
from endcap.events.stream.lines import read_lines
from endcap_benchmarks.events.made_events import LOG_MIX, MIX, Shop, Span, bodies, event_ids, json_lines, made_events, stored
from tests.properties import examples

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
SPAN = Span(NOW - timedelta(minutes=1), NOW)
SHOP = Shop([f"I{number}" for number in range(40)], "load")


def made(count: int, seed: int = 1, mix: dict = MIX) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    return made_events(SHOP, random.integers(0, 20, size=count), SPAN, random, mix)


@pytest.mark.properties
@given(seed=st.integers(0, 10**6))
@examples(20)
def test_the_collector_takes_every_event(seed: int) -> None:
    acceptance = Acceptance(ConsentSettings(), load_custom_types(None), lambda: "other")
    sender = Sender("own", Scope.SERVER, TYPES_OF_SCOPE[Scope.SERVER])
    verdicts = [acceptance.judge(line, sender, NOW) for line in json_lines(made(60, seed))]
    assert [verdict for verdict in verdicts if not isinstance(verdict, Accepted)] == []


def test_every_type_of_the_mix_is_there_and_no_other() -> None:
    assert set(made(2_000)["event_type"]) == {kind.value for kind in MIX}
    assert set(made(2_000, mix=LOG_MIX)["event_type"]) == {EventType.IMPRESSION.value, *(kind.value for kind in MIX)}
    assert sum(LOG_MIX.values()) == pytest.approx(1)


def test_events_lie_in_their_span_in_the_order_of_time_and_have_ids_of_their_own() -> None:
    events = made(500)
    assert events["occurred_at"].is_sorted()
    assert SPAN.first_at <= events["occurred_at"].min() and events["occurred_at"].max() < SPAN.last_at
    assert events["event_id"].n_unique() == 500
    assert set(event_ids(5, np.random.default_rng(1)).str.len_chars()) == {36}


def test_a_session_keeps_to_its_user_and_to_a_few_items() -> None:
    events = made(2_000).group_by("session_id").agg(pl.col("user_id").n_unique(), pl.col("item_id").drop_nulls().n_unique())
    assert events["user_id"].max() == 1
    assert events["item_id"].max() <= 8


def test_lines_leave_out_what_an_event_does_not_have() -> None:
    lines = [json.loads(line) for line in json_lines(made(200))]
    assert all(value is not None for line in lines for value in line.values())
    assert all("dwell_ms" in line for line in lines if line["event_type"] == "dwell")


def test_bodies_have_so_many_events_in_their_order() -> None:
    lines = json_lines(made(250))
    cut = bodies(lines, 100)
    assert [body.count(b"\n") + 1 for body in cut] == [100, 100, 50]
    assert b"\n".join(cut).decode().split("\n") == lines.to_list()


def test_the_stream_reads_columns_of_the_contract_and_takes_no_one_for_a_bot() -> None:
    events = stored(made(400, mix=LOG_MIX))
    assert events.schema == event_schema()
    assert events["consent"].all()
    bots = Bots(BotRules())
    is_bot, _ = bots.judge(bots.state_schema.to_frame(), events, Instant(NOW, NOW - timedelta(hours=2)))
    assert not is_bot.any()


@pytest.mark.properties
@given(seed=st.integers(0, 10**6))
@examples(20)
def test_the_stream_reads_every_stored_event_as_kafka_has_it(seed: int) -> None:
    events = stored(made(200, seed, LOG_MIX))
    read = read_lines([line.encode() for line in json_lines(events)], NOW)
    assert (len(read.events), read.broken) == (200, [])
    assert read.events["received_at"].equals(events["received_at"])
