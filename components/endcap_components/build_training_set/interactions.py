"""What people and visits did with items, typed and in the order of time: what models learn from where there is more than purchases."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import polars as pl

from endcap.contracts.signals import VISIT_PREFIX, Signals
from endcap.core.errors import DataRejected
from endcap.features.net_purchases import taken_off_in
from endcap.training.bounded_duckdb import bounded_duckdb
from endcap.training.owned_interactions import has_other_signals, owned_interactions

HISTORY_MAX = 2_000
"""Interactions of one person or visit that stay between two of the moments that somebody looks from, the newest: as of each moment as many
are whole, and nothing that happens later decides which they are."""

_STANDING = """
    WITH ends AS (SELECT user_id, item_id, occurred_at AS ended_at FROM owned WHERE signal = 0),
    taken AS (
        SELECT event_id, min(ended_at) AS taken_off_at FROM (
            SELECT event_id, ended_at FROM owned JOIN ends USING (user_id, item_id) WHERE signal > 0 AND ended_at >= occurred_at
            UNION ALL SELECT event_id, taken_off_at FROM taken_off)
        GROUP BY event_id)
    SELECT user_id, item_index, occurred_at, session_id, signal, taken_off_at, {stretch} AS stretch
    FROM owned JOIN item_indices USING (item_id) LEFT JOIN taken USING (event_id) WHERE signal > 0
"""
_BUSY = "SELECT user_id, stretch FROM standing GROUP BY user_id, stretch HAVING count(*) > {most}"
_BOUNDED = """
    SELECT * EXCLUDE (stretch) FROM (
        FROM standing ANTI JOIN busy USING (user_id, stretch) UNION ALL
        FROM standing SEMI JOIN busy USING (user_id, stretch)
        QUALIFY row_number() OVER (PARTITION BY user_id, stretch ORDER BY occurred_at DESC, item_index DESC, signal) <= {most})
    ORDER BY occurred_at, user_id, item_index, signal DESC, session_id
"""

_COUNTS = """
    SELECT count(*), count(DISTINCT user_id) FILTER (starts_with(user_id, $visit)), (SELECT count(DISTINCT user_id) FROM busy)
    FROM read_parquet($file)
"""
_ENOUGH = """
    SELECT item_index FROM interactions WHERE occurred_at < $moment AND (taken_off_at IS NULL OR taken_off_at >= $moment)
    GROUP BY item_index HAVING count(DISTINCT user_id) >= $least ORDER BY item_index
"""


@dataclass(frozen=True)
class Written:
    """What `write_interactions` wrote; `shortened` counts people and visits of whom only the newest were kept."""

    interactions: int = 0
    visits: int = 0
    shortened: int = 0


def write_interactions(
    dataset_dir: Path,
    item_index: pl.DataFrame,
    signals: Signals,
    moments: Sequence[datetime],
    out_file: Path,
    *,
    history_max: int = HISTORY_MAX,
) -> Written | None:
    """Write every interaction with consent with an item of the catalogue, of people and of visits of nobody known.

    Sorting spills to disk: memory does not grow with the events. A low rating takes off what the person did with the item before it.

    Args:
        dataset_dir: a canonical dataset.
        item_index: columns item_id, item_index.
        signals: which types teach.
        moments: that somebody looks from.
        out_file: Parquet with user_id, item_index, occurred_at, session_id, signal (uint8), taken_off_at; oldest first.
        history_max: interactions of one person or visit that are kept between two of the moments.

    Returns:
        None where purchases are all there is: then nothing is written.

    Raises:
        DataRejected: the events cannot be read.
    """
    events = dataset_dir / "events.parquet"
    stretch = " + ".join(f"(occurred_at >= '{moment.isoformat()}'::TIMESTAMPTZ)::INTEGER" for moment in sorted(set(moments))) or "0"
    with bounded_duckdb(out_file.parent / "spill") as connection:
        connection.register("item_indices", item_index.to_arrow())
        try:
            connection.read_parquet(str(events)).create_view("events")
            if not has_other_signals(connection, signals):
                return None
            connection.execute("CREATE VIEW items AS SELECT item_id FROM item_indices")
            connection.register("taken_off", taken_off_in(events).moments.to_arrow())
            for name, query in (
                ("owned", owned_interactions(signals)),
                ("standing", _STANDING.format(stretch=stretch)),
                ("busy", _BUSY.format(most=history_max)),
            ):
                connection.sql(query).create(name)
            connection.sql(_BOUNDED.format(most=history_max)).write_parquet(str(out_file), compression="zstd")
            interactions, visits, shortened = connection.execute(_COUNTS, {"file": str(out_file), "visit": VISIT_PREFIX}).fetchone() or (
                0,
                0,
                0,
            )
        except (duckdb.Error, pl.exceptions.PolarsError, OSError) as error:
            raise DataRejected(f"cannot be read: {error}", field=str(events), fix="import the dataset again") from error
    return Written(interactions, visits, shortened)


def eligible_by_interactions(interactions_file: Path, moments: Sequence[datetime], least: int) -> pl.DataFrame:
    """Columns event_timestamp, item_index (int32): by moment, the items with which `least` people and visits did anything before it."""
    with bounded_duckdb(interactions_file.parent / "spill") as connection:
        connection.read_parquet(str(interactions_file)).create_view("interactions")
        frames = [
            pl.DataFrame(connection.execute(_ENOUGH, {"moment": moment, "least": least}).to_arrow_table()).select(
                pl.lit(moment).dt.cast_time_unit("us").alias("event_timestamp"), pl.col("item_index").cast(pl.Int32)
            )
            for moment in moments
        ]
    return pl.concat(frames)
