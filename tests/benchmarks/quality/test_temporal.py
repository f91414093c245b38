"""The temporal split never lets a model see what it is judged by."""

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from endcap.contracts.evaluation import ALL, NEW
from endcap.core.errors import InvalidInput
from endcap_benchmarks.quality.protocols.temporal import last_cuts, temporal_task
from endcap_benchmarks.quality.recorded_purchases import RecordedPurchases
from endcap_benchmarks.quality.task import RankingTask
from tests.properties import examples

FIRST_CUT = datetime(2026, 2, 2, tzinfo=UTC)


def names(task: RankingTask, index: np.ndarray) -> list[str]:
    return [task.items.ids.name(int(code)) for code in index]


@given(days=st.integers(0, 80), weeks=st.integers(1, 4), min_buyers=st.integers(1, 12))
@examples(12, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_training_ends_at_the_cut_and_truth_begins_there(recorded_shop: RecordedPurchases, days: int, weeks: int, min_buyers: int) -> None:
    cut = FIRST_CUT + timedelta(days=days)
    task = temporal_task(recorded_shop, cut, weeks=weeks, min_buyers=min_buyers)
    purchases = recorded_shop.purchases
    before = purchases.filter(pl.col("at") < cut)
    after = purchases.filter(pl.col("at") >= cut, pl.col("at") < cut + timedelta(weeks=weeks))
    assert (task.training.interactions.age_days > 0).all()
    assert (task.histories.age_days > 0).all()
    for row in (0, task.users // 2, task.users - 1):
        user_id = task.user_ids[row]
        history = task.histories.of_users(np.array([row]))
        seen = before.filter(pl.col("user_id") == user_id)["item_id"].to_list()
        truth = task.truths[ALL].items
        later = set(after.filter(pl.col("user_id") == user_id)["item_id"]) & set(names(task, np.arange(1, task.item_count + 1)))
        assert names(task, history.item_index) == [item for item in seen if item in set(names(task, np.arange(1, task.item_count + 1)))]
        assert set(names(task, truth.item_index[truth.user_row == row])) == later
        new = task.truths[NEW].items
        assert set(names(task, new.item_index[new.user_row == row])) == later - set(seen)


@given(min_buyers=st.integers(1, 15))
@examples(8, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_catalogue_holds_items_with_enough_buyers_before_the_cut(recorded_shop: RecordedPurchases, min_buyers: int) -> None:
    cut = FIRST_CUT + timedelta(weeks=4)
    task = temporal_task(recorded_shop, cut, weeks=4, min_buyers=min_buyers)
    before = recorded_shop.purchases.filter(pl.col("at") < cut)
    buyers = before.group_by("item_id").agg(pl.col("user_id").n_unique().alias("buyers"))
    expected = buyers.filter(pl.col("buyers") >= min_buyers)["item_id"].sort().to_list()
    assert names(task, np.arange(1, task.item_count + 1)) == expected


def test_people_who_did_not_consent_are_not_there(recorded_shop: RecordedPurchases) -> None:
    assert "p01" not in recorded_shop.purchases["user_id"].to_list()


def test_lists_for_new_items_hide_what_was_bought(recorded_shop: RecordedPurchases) -> None:
    task = temporal_task(recorded_shop, FIRST_CUT, weeks=4, min_buyers=1)
    assert task.truths[ALL].hidden is None
    hidden = task.truths[NEW].hidden
    assert hidden is not None
    assert np.array_equal(hidden.keys, task.bought.keys)
    assert len(np.intersect1d(hidden.keys, task.truths[NEW].items.keys)) == 0


def test_windows_follow_each_other_and_end_with_the_last_whole_day(recorded_shop: RecordedPurchases) -> None:
    cuts = last_cuts(recorded_shop, 3, 2)
    end = recorded_shop.last_at.replace(hour=0)
    assert cuts == [end - timedelta(weeks=weeks) for weeks in (6, 4, 2)]


def test_a_cut_without_a_whole_window_is_refused(recorded_shop: RecordedPurchases) -> None:
    with pytest.raises(InvalidInput, match="no whole window"):
        temporal_task(recorded_shop, recorded_shop.last_at - timedelta(days=3), weeks=4, min_buyers=1)


def test_data_without_times_is_refused(sequences: RecordedPurchases) -> None:
    with pytest.raises(InvalidInput, match="carry an order only"):
        temporal_task(sequences, FIRST_CUT, weeks=1, min_buyers=1)
