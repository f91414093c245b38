"""People to try rules on, from the offline feature tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from endcap.core.errors import InvalidInput
from endcap.features.names import USER_FEATURES, USER_ITEM_FEATURES

SAMPLE_RANKS = (0.05, 0.5, 0.95)
"""Without names, people are taken at these places of the order by how much they buy: a lot, as usual, hardly anything."""


@dataclass(frozen=True)
class SampleUser:
    """One person; `row` is what `endcap.engine.retrieval.user_state.user_state` takes, None for somebody unknown."""

    name: str
    row: Mapping[str, Any] | None = None


ANYBODY = SampleUser("somebody unknown")


def sample_users(features_dir: Path, wanted: Sequence[str]) -> list[SampleUser]:
    """The people asked for, else a few that differ and one that nothing is known of.

    Args:
        features_dir: the offline feature tables; where there are none, only somebody unknown is known.
        wanted: user ids.

    Raises:
        InvalidInput: a wanted user has no features.
    """
    source = features_dir / f"{USER_FEATURES}.parquet"
    if not source.is_file():
        if wanted:
            raise InvalidInput("there are no feature tables to know users from", field="--user", value=wanted[0], fix="leave it out")
        return [ANYBODY]
    users = pl.scan_parquet(source)
    chosen = list(wanted) or _chosen(users)
    rows = _latest(users, chosen)
    missing = [name for name in chosen if name not in rows]
    if missing:
        raise InvalidInput("no features of this user", field="--user", value=missing[0], fix=f"name a user of {features_dir}")
    pairs_source = features_dir / f"{USER_ITEM_FEATURES}.parquet"
    pairs = _latest(pl.scan_parquet(pairs_source), chosen) if pairs_source.is_file() else {}
    known = [SampleUser(name, pairs.get(name, {}) | rows[name]) for name in chosen]
    return known if wanted else [*known, ANYBODY]


def _chosen(users: pl.LazyFrame) -> list[str]:
    newest = users.select(pl.col("event_timestamp").max()).collect().item()
    by_baskets = (
        users.filter(pl.col("event_timestamp") == newest)
        .select("user_id", "baskets_90d")
        .sort("baskets_90d", "user_id", descending=[True, False])
    ).collect()["user_id"]
    return list(dict.fromkeys(by_baskets[round(rank * (len(by_baskets) - 1))] for rank in SAMPLE_RANKS)) if len(by_baskets) else []


def _latest(table: pl.LazyFrame, users: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Each user's newest row."""
    newest = table.filter(pl.col("user_id").is_in(list(users))).sort("event_timestamp").group_by("user_id").last().collect()
    return {row["user_id"]: row for row in newest.iter_rows(named=True)}
