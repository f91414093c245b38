"""Popular: most bought of late, overall and in the user's segment; what is shown when nothing is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.catalogue.vocabulary import Vocabulary
from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.eligible import Eligible, first_eligible
from endcap.features.columns import USER_CATEGORICAL

OVERALL = "all"
"""The segment everybody is in."""
TABLE_SCHEMA = pl.Schema({"segment": pl.String(), "item_index": pl.Int32(), "score": pl.Float32()})
"""Columns of a table by segment, in order of the segments and, within one, best first; without an item it has no row."""


@dataclass(frozen=True)
class Popularity:
    """By segment, item indices with their score in (0, 1], best first. Where OVERALL is missing, nothing is for everybody.

    A segment is named `column=value` after a user category, for example `age_band=25-34`.
    """

    by_segment: Mapping[str, Candidates]

    def candidates(self, segments: list[str], quota: int) -> Candidates:
        """As `popular_candidates`, where everything may be shown."""
        mixed = self._mixed_of(segments)
        return Candidates(mixed.index[:quota], mixed.score[:quota])

    @cached_property
    def mixed(self) -> Mapping[str, Candidates]:
        """By segment, its items and those of OVERALL that it lacks, by score: what a request reads from."""
        overall = self.by_segment.get(OVERALL, Candidates.none())
        return {name: overall if name == OVERALL else _filled_up(table, overall) for name, table in self.by_segment.items()}

    def _mixed_of(self, segments: list[str]) -> Candidates:
        name = next((name for name in segments if name in self.by_segment), OVERALL)
        return self.mixed[name] if name in self.mixed else Candidates.none()

    def to_frame(self) -> pl.DataFrame:
        """Columns of TABLE_SCHEMA."""
        parts = [
            pl.DataFrame({"segment": [name] * len(table.index), "item_index": table.index, "score": table.score}, schema=TABLE_SCHEMA)
            for name, table in self.by_segment.items()
        ]
        return pl.concat([TABLE_SCHEMA.to_frame(), *parts])

    @classmethod
    def from_frame(cls, frame: pl.DataFrame) -> "Popularity":
        """From columns of TABLE_SCHEMA; no row at all is a table in which nobody finds anything."""
        typed = frame.select(pl.col(name).cast(kind) for name, kind in TABLE_SCHEMA.items())
        return cls(
            {OVERALL: Candidates.none()}  # a segment without items has no row
            | {
                str(name[0]): Candidates(part["item_index"].to_numpy(), part["score"].to_numpy())
                for name, part in typed.group_by("segment", maintain_order=True)
            }
        )


def popular_candidates(table: Popularity, segments: list[str], eligible: Eligible, quota: int) -> Candidates:
    """The best of the first segment that has a table, mixed with what everybody buys.

    Args:
        table: popular items by segment.
        segments: names by `segment_name`, the most telling first; the request's region stands before the person's.
        eligible: which items may be shown.
        quota: most candidates to give.
    """
    return first_eligible(table._mixed_of(segments), eligible, quota)


def _filled_up(segment: Candidates, overall: Candidates) -> Candidates:
    rest = ~np.isin(overall.index, segment.index)
    index = np.concatenate([segment.index, overall.index[rest]])
    score = np.concatenate([segment.score, overall.score[rest]])
    return Candidates.best(index, score, len(index))


def popular_of(item_index: NDArray[np.int32], item_count: int, size: int) -> Candidates:
    """The most frequent items of a purchase log, as `most_counted`.

    Args:
        item_index: int32 [p], one entry a purchase.
        item_count: items in the catalogue.
        size: items to keep.
    """
    return most_counted(np.bincount(item_index, minlength=item_count + 1).astype(np.float32), size)


def most_counted(counts: NDArray[np.float32], size: int) -> Candidates:
    """The items with the highest counts (float32 [n + 1], that of 0 left out), score = log(1 + count) over the highest."""
    counted = np.flatnonzero(counts[1:]).astype(np.int32) + np.int32(1)
    score = np.log1p(counts[counted])
    return Candidates.best(counted, score / score.max() if len(score) else score, size)


def segment_name(column: str, value: str) -> str:
    """For example `age_band=25-34`."""
    return f"{column}={value}"


def segments_of(categories: Sequence[int] | NDArray[np.int32], user_vocabularies: Mapping[str, Vocabulary]) -> list[str]:
    """The segments a user is in, in the order of USER_CATEGORICAL; unknown categories give none.

    Args:
        categories: codes by USER_CATEGORICAL.
        user_vocabularies: by USER_CATEGORICAL column.
    """
    return [
        segment_name(column, user_vocabularies[column].name(int(code)))
        for column, code in zip(USER_CATEGORICAL, categories, strict=True)
        if code > 0
    ]
