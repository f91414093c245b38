"""Popular: most bought of late, overall and in the user's segment; what is shown when nothing is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.catalogue.vocabulary import Vocabulary
from endcap.features.columns import USER_CATEGORICAL
from endcap.retrieval.candidates import Candidates

OVERALL = "all"
"""The segment everybody is in."""


@dataclass(frozen=True)
class Popularity:
    """By segment, item indices with their score in (0, 1], best first. The segment OVERALL is always there.

    A segment is named `column=value` after a user category, for example `age_band=25-34`.
    """

    by_segment: Mapping[str, Candidates]

    def candidates(self, segments: list[str], quota: int) -> Candidates:
        """The best of the first segment that has a table, filled up from OVERALL."""
        overall = self.by_segment[OVERALL]
        segment = next((self.by_segment[name] for name in segments if name in self.by_segment), overall)
        if segment is overall:
            return Candidates(overall.index[:quota], overall.score[:quota])
        half = Candidates(segment.index[: (quota + 1) // 2], segment.score[: (quota + 1) // 2])
        rest = ~np.isin(overall.index, half.index)
        index = np.concatenate([half.index, overall.index[rest]])[:quota]
        score = np.concatenate([half.score, overall.score[rest]])[:quota]
        return Candidates.best(index, score, quota)

    def to_frame(self) -> pl.DataFrame:
        """Columns segment (text), item_index (int32), score (float32), in order."""
        return pl.concat(
            [
                pl.DataFrame({"segment": [name] * len(table.index), "item_index": table.index, "score": table.score})
                for name, table in self.by_segment.items()
            ]
        )

    @classmethod
    def from_frame(cls, frame: pl.DataFrame) -> "Popularity":
        return cls(
            {
                str(name[0]): Candidates(part["item_index"].to_numpy(), part["score"].to_numpy())
                for name, part in frame.group_by("segment", maintain_order=True)
            }
        )


def popular_of(item_index: NDArray[np.int32], item_count: int, size: int) -> Candidates:
    """The most frequent items of a purchase log, score = log(1 + count) over the highest.

    Args:
        item_index: int32 [p], one entry a purchase.
        item_count: items in the catalogue.
        size: items to keep.
    """
    counts = np.bincount(item_index, minlength=item_count + 1).astype(np.float32)
    counts[0] = 0
    bought = np.flatnonzero(counts).astype(np.int32)
    score = np.log1p(counts[bought])
    return Candidates.best(bought, score / score.max() if len(score) else score, size)


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
