"""Lists in a dataset's events, joined with what followed: what the ranker's examples are weighed by."""

from datetime import datetime
from pathlib import Path

import polars as pl

from endcap.contracts.event_type import EventType
from endcap.events.log.reader import event_schema
from endcap.events.outcomes.examination import Examination, measured_examination
from endcap.events.outcomes.places import PLACE
from endcap.events.outcomes.resolution import outcomes_of
from endcap.events.outcomes.whole_log import journal_of_log
from endcap.events.outcomes.windows import FOLLOWS, Windows
from endcap.training.shown_lists import LIST_TYPES, SHOWN_SCHEMA, ShownLists, lists_of_some

_FOLLOWING = {kind for kinds in FOLLOWS.values() for kind in kinds}
_KINDS = sorted({*LIST_TYPES, EventType.RETURN, EventType.CANCELLATION, EventType.IDENTITY, *_FOLLOWING})


def write_shown_lists(
    dataset_dir: Path, item_index: pl.DataFrame, target: Path, *, since: datetime, until: datetime, windows: Windows | None = None
) -> ShownLists | None:
    """Write what persons who allow it were shown, and whether they followed it; None, and no file, where there are no lists.

    A place that nobody saw, on a surface whose pages say what is seen, was not shown.

    Args:
        dataset_dir: a canonical dataset.
        item_index: columns item_id, item_index.
        target: the file to write, columns of SHOWN_SCHEMA.
        since, until: of the lists, and of what followed.
        windows: how long is waited for what follows.
    """
    events = pl.scan_parquet(dataset_dir / "events.parquet")
    within = events.filter(pl.col("occurred_at") >= since, pl.col("occurred_at") < until, pl.col("event_type").is_in(_KINDS))
    served = within.filter(pl.col("event_type") == EventType.IMPRESSION.value, pl.col("request_id").is_not_null())
    if served.head(1).collect().is_empty():
        return None
    of_some, share = lists_of_some(within)
    journal = journal_of_log(of_some.select(event_schema().names()).cast(event_schema()).collect(), windows or Windows(), until)
    outcomes = outcomes_of(journal)
    examination = measured_examination(outcomes)
    shown = _shown(outcomes, journal.places, examination).join(item_index, on="item_id")
    shown.select(SHOWN_SCHEMA.names()).cast(SHOWN_SCHEMA).sort("shown_at", "user_id", "item_index").write_parquet(target)
    return ShownLists(
        places=len(shown),
        followed=int(shown["followed"].sum()),
        users=shown["user_id"].n_unique(),
        share=share,
        examination=examination.summary(),
    )


def _shown(outcomes: pl.DataFrame, places: pl.DataFrame, examination: Examination) -> pl.DataFrame:
    """A row a place of persons."""
    followed = outcomes.group_by(PLACE).agg(pl.col("followed").any())
    says_seen = pl.col("seen_at").is_not_null().any().over("surface")
    return (
        places.filter(~says_seen | pl.col("seen_at").is_not_null())
        .filter(pl.col("user_id").is_not_null(), pl.col("consent"))
        .join(followed, on=PLACE)
        .with_columns(look_chance=examination.chance(pl.col("position")), propensity=pl.col("propensity").fill_null(1.0))
    )
