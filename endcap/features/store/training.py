"""Training sets by Feast's point-in-time join: for each entity and moment, the features as they stood then."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from endcap.core.errors import DependencyUnavailable
from endcap.features.columns import ITEM_NUMERIC, PAIR_LISTS, USER_AFFINITY, USER_CATEGORICAL, USER_HISTORY, USER_NUMERIC
from endcap.features.store.names import ITEM_STATS, USER_HISTORY_VIEW, USER_ITEM, USER_PROFILE
from endcap.features.store.quick_import import quiet_feast

if TYPE_CHECKING:
    from feast import FeatureStore

Moments = Sequence[datetime] | pl.Series | npt.NDArray[np.datetime64]

ROWS_A_JOIN = 25_000
"""Rows joined at once: bounds memory when rows carry long lists."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""A moment before all data: asking for it gives the columns when nothing else is asked for."""
MEMORY_LIMIT = "1500MB"
"""What DuckDB may take for one join before it spills to disk."""


def users_at(store: "FeatureStore", user_ids: Sequence[str], moments: Moments) -> pl.DataFrame:
    """User features as of moments.

    Args:
        store: the feature store.
        user_ids: [n].
        moments: UTC, [n].

    Returns:
        n rows in the order asked for: `user_id`, `event_timestamp` (the moment asked for), USER_NUMERIC, USER_CATEGORICAL, USER_AFFINITY,
        USER_HISTORY; nulls where the user had bought nothing in time.
    """
    profile = (*USER_NUMERIC, *USER_CATEGORICAL, *USER_AFFINITY)
    return _join(store, "user_id", user_ids, moments, {USER_PROFILE: profile, USER_HISTORY_VIEW: USER_HISTORY})


def pairs_at(store: "FeatureStore", user_ids: Sequence[str], moments: Moments) -> pl.DataFrame:
    """User x item features as of moments: as `users_at`, with PAIR_LISTS. They exist at the ranking times, the cut and the data's end."""
    return _join(store, "user_id", user_ids, moments, {USER_ITEM: PAIR_LISTS})


def items_at(store: "FeatureStore", item_ids: Sequence[str], moments: Moments) -> pl.DataFrame:
    """Item features as of moments.

    Returns:
        n rows in the order asked for: `item_id`, `event_timestamp` (the moment asked for), ITEM_NUMERIC; nulls where the item was unknown.
    """
    return _join(store, "item_id", item_ids, moments, {ITEM_STATS: ITEM_NUMERIC})


def _join(store: "FeatureStore", entity: str, ids: Sequence[str], moments: Moments, views: dict[str, tuple[str, ...]]) -> pl.DataFrame:
    asked = pl.DataFrame({entity: pl.Series(ids, dtype=pl.String), "event_timestamp": _in_utc(moments)}).with_row_index("row")
    distinct = asked.select(entity, "event_timestamp").unique(maintain_order=True).sort("event_timestamp", entity)
    columns = [name for names in views.values() for name in names]
    references = [f"{view}:{name}" for view, names in views.items() for name in names]
    _bound_memory()
    if distinct.is_empty():
        distinct = distinct.clear(1).with_columns(pl.lit("").alias(entity), pl.lit(EPOCH).alias("event_timestamp"))
    joined = pl.concat([_joined(store, part, references) for part in distinct.iter_slices(ROWS_A_JOIN)])
    rows = asked.join(joined, on=[entity, "event_timestamp"], how="left", maintain_order="left")
    return rows.select(entity, "event_timestamp", *columns)


def _joined(store: "FeatureStore", part: pl.DataFrame, references: list[str]) -> pl.DataFrame:
    try:
        with quiet_feast():
            table = store.get_historical_features(entity_df=part.to_pandas(), features=references).to_arrow()
    except Exception as error:
        raise DependencyUnavailable(
            f"the point-in-time join failed: {error}", field="feature store", fix="publish the features: endcap features"
        ) from error
    frame = pl.DataFrame(pl.from_arrow(table))
    return frame.with_columns(pl.col("event_timestamp").cast(pl.Datetime("us", "UTC")))


def _in_utc(moments: Moments) -> pl.Series:
    """Moments as UTC in microseconds; naive ones, as numpy's are, are taken as UTC."""
    series = pl.Series(moments)
    if series.is_empty():
        return pl.Series([], dtype=pl.Datetime("us", "UTC"))
    if isinstance(series.dtype, pl.Datetime) and series.dtype.time_zone is None:
        series = series.dt.replace_time_zone("UTC")
    return series.cast(pl.Datetime("us", "UTC"))


def _bound_memory() -> None:
    """Feast's DuckDB store computes on Ibis's default connection, which takes most of the machine unless told otherwise."""
    import ibis

    ibis.get_backend().raw_sql(f"SET memory_limit = '{MEMORY_LIMIT}'")
