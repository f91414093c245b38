"""Baselines follow their definition: baskets count, not lines of them, and old ones less."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from math import exp

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from endcap.algorithms.interactions import Interactions
from endcap_components.evaluate.evaluated_users import purchases_before
from endcap_components.evaluate.model_scores import own_items, popular
from tests.properties import examples

CUT = datetime(2024, 5, 1, tzinfo=UTC)
ITEMS = 6


def before(rows: list[tuple[str, int, str, float]]) -> pl.DataFrame:
    """From user, item, basket and days before the cut."""
    frame = pl.DataFrame(
        [(user, item, basket, CUT - timedelta(days=age)) for user, item, basket, age in rows],
        schema={"user_id": pl.String, "item_index": pl.Int32, "session_id": pl.String, "occurred_at": pl.Datetime("us", "UTC")},
        orient="row",
    )
    return purchases_before(frame.with_columns(taken_off_at=pl.lit(None, dtype=frame.schema["occurred_at"])).lazy(), CUT)


def test_baselines_count_baskets_and_decay() -> None:
    rows = [("a", 1, "s1", 100.0), ("a", 1, "s1", 100.0), ("a", 1, "s2", 90.0), ("a", 2, "s3", 1.0), ("b", 3, "s4", 5.0)]
    purchases = before(rows)
    users, everyone = (Interactions.of(purchases, ids, 3) for ids in (["a", "c"], ["a", "b"]))
    assert own_items(users, None).lists(2).items.tolist() == [[1, 2], [0, 0]]
    assert own_items(users, 60.0).lists(2).items.tolist() == [[2, 1], [0, 0]]
    assert popular(everyone, np.array([3, 3])).lists(3).items.tolist() == [[2, 3, 0], [2, 3, 0]]


def test_what_happens_from_the_cut_on_is_not_seen() -> None:
    assert before([("a", 1, "s1", 0.0), ("a", 2, "s2", -1.0), ("a", 3, "s3", 0.5)])["item_index"].to_list() == [3]


BASKETS = st.sampled_from(["s1", "s2", "s3"])
ROWS = st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, ITEMS), BASKETS, st.floats(0.1, 300)), max_size=40)


@given(rows=ROWS, decay_days=st.sampled_from([None, 60.0]))
@examples(60)
def test_own_items_are_sums_over_baskets(rows: list[tuple[str, int, str, float]], decay_days: float | None) -> None:
    newest: dict[tuple[str, str, int], float] = {}
    for user, item, basket, age in rows:
        newest[user, basket, item] = min(age, newest.get((user, basket, item), age))
    expected: dict[tuple[int, int], float] = defaultdict(float)
    for (user, _, item), age in newest.items():
        expected["abc".index(user), item] += 1.0 if decay_days is None else exp(-age / decay_days)
    found = own_items(Interactions.of(before(rows), list("abc"), ITEMS), decay_days)
    pairs = zip(found.pairs.user_row.tolist(), found.pairs.item_index.tolist(), strict=True)
    assert dict(zip(pairs, found.score.tolist(), strict=True)) == pytest.approx(expected, rel=1e-4)
