from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from polars.testing import assert_frame_equal

from endcap.engine.exploration.counting import EvidenceRule, evidence_of_outcomes
from endcap.engine.exploration.daily_evidence import DailyEvidence
from endcap.events.outcomes.whole_log import journal_of_log
from endcap.events.outcomes.windows import Windows
from tests.endcap.events.outcomes.made_events import END, START, event, frame, logs
from tests.properties import examples

RULE = EvidenceRule(half_life_days=7)


def put_days(evidence: DailyEvidence, rows: list[dict[str, Any]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    journal = journal_of_log(frame(rows), Windows(), END)
    day, hour = pl.col("shown_at").dt.date(), pl.col("shown_at").dt.hour()
    for number in range(12):
        of = day == (START + timedelta(days=number)).date()
        hours = [(journal.places.filter(of, hour == each), journal.touches.filter(of, hour == each)) for each in range(24)]
        evidence.put((START + timedelta(days=number)).date(), hours)
    return journal.places, journal.touches


@examples(10)
@given(logs())
def test_days_add_up_to_the_whole(rows: list[dict[str, Any]]) -> None:
    evidence = DailyEvidence(RULE)
    places, touches = put_days(evidence, rows)
    assert_frame_equal(evidence.total(END), evidence_of_outcomes(places, touches, END, RULE))


def test_a_day_counted_again_takes_the_place_of_what_it_was() -> None:
    evidence = DailyEvidence(RULE)
    put_days(evidence, [event("impression", 1, 0)])
    put_days(evidence, [event("impression", 1, 0), event("click", 2, 1, request_id="r1")])
    assert evidence.total(START)["clicks"].to_list() == pytest.approx([1])


def test_days_from_before_are_forgotten() -> None:
    evidence = DailyEvidence(RULE)
    put_days(evidence, [event("impression", 1, 0)])
    evidence.forget(date(2026, 11, 3))
    assert evidence.total(END).filter(pl.col("impressions") > 0).is_empty()
