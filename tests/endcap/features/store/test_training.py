import random
from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import Settings
from endcap.features.columns import ITEM_NUMERIC, PAIR_LISTS, USER_AFFINITY, USER_CATEGORICAL, USER_HISTORY, USER_NUMERIC
from endcap.features.store.open import open_store
from endcap.features.store.training import items_at, pairs_at, users_at


def as_of(table, key, ids, moments, columns):
    """The newest row at or before each moment, at most eight days old, by polars instead of Feast."""
    asked = pl.DataFrame({key: ids, "event_timestamp": moments}).with_row_index("row").sort("event_timestamp")
    asked = asked.with_columns(pl.col("event_timestamp").cast(pl.Datetime("us", "UTC")))
    joined = asked.join_asof(
        pl.read_parquet(table).sort("event_timestamp"),
        on="event_timestamp",
        by=key,
        strategy="backward",
        tolerance=timedelta(days=8),
        check_sortedness=False,
    )
    return joined.sort("row").select(columns)


@pytest.fixture
def asked(filled):
    """Users, items and moments, some of them unknown or too early."""
    rng = random.Random(5)
    first = filled.manifest.snapshot_times[0] - timedelta(days=3)
    span = int((filled.manifest.data_end - first).total_seconds())
    moments = [first + timedelta(seconds=rng.randrange(span)) for _ in range(200)] + list(filled.manifest.snapshot_times)
    return [f"u{rng.randrange(10)}" for _ in moments], [f"i{rng.randrange(19)}" for _ in moments], moments


def test_users_come_as_they_stood_in_the_order_asked_for(filled, asked):
    users, _, moments = asked
    columns = [*USER_NUMERIC, *USER_CATEGORICAL, *USER_AFFINITY, *USER_HISTORY]
    rows = users_at(filled.store, users, moments)
    assert rows["user_id"].to_list() == users
    assert rows["event_timestamp"].to_list() == moments
    assert rows.select(columns).equals(as_of(filled.features / "user_features.parquet", "user_id", users, moments, columns))


def test_items_come_as_they_stood(filled, asked):
    _, items, moments = asked
    rows = items_at(filled.store, items, moments)
    expected = as_of(filled.features / "item_features.parquet", "item_id", items, moments, list(ITEM_NUMERIC))
    assert rows.select(ITEM_NUMERIC).equals(expected)


def test_pairs_exist_at_the_times_ranking_needs(filled):
    users = [f"u{number}" for number in range(8)]
    rows = pairs_at(filled.store, users, [filled.manifest.cut] * 8)
    expected = as_of(filled.features / "user_item_features.parquet", "user_id", users, [filled.manifest.cut] * 8, list(PAIR_LISTS))
    assert rows.select(PAIR_LISTS).equals(expected)
    assert rows["pair_item_ids"].null_count() < 8


def test_a_moment_at_a_snapshot_takes_that_snapshot(filled):
    moment = filled.manifest.snapshot_times[3]
    table = pl.read_parquet(filled.features / "user_features.parquet").filter(pl.col("event_timestamp") == moment).sort("user_id")
    rows = users_at(filled.store, table["user_id"].to_list(), [moment] * table.height)
    assert rows["spend_90d"].equals(table["spend_90d"])


def test_an_unknown_user_has_nulls(filled):
    assert users_at(filled.store, ["nobody"], [filled.manifest.cut]).row(0, named=True)["spend_90d"] is None


def test_moments_may_be_numpy_and_repeat(filled):
    moment = np.datetime64(filled.manifest.cut.replace(tzinfo=None))
    rows = users_at(filled.store, ["u1", "u1"], np.array([moment, moment]))
    assert rows.height == 2
    assert rows["event_timestamp"].to_list() == [filled.manifest.cut] * 2


def test_nothing_asked_gives_the_columns_and_no_rows(filled):
    rows = users_at(filled.store, [], [])
    assert rows.height == 0
    assert set(USER_NUMERIC) <= set(rows.columns)


def test_missing_tables_are_an_error_with_a_fix(filled, tmp_path):
    settings = Settings(home=tmp_path, feature_repo_dir=filled.settings.feature_repo_dir)
    with pytest.raises(DependencyUnavailable, match="endcap features"):
        open_store(settings)
