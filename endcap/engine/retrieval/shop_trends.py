"""What sells: the bundle's tables of what is popular and trending, with what is known since in their place."""

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.catalogue.vocabulary import Vocabulary
from endcap.engine.retrieval.candidates import Candidates
from endcap.engine.retrieval.popular import OVERALL, Popularity, segment_name
from endcap.engine.retrieval.trending import trending_of

TABLE_SIZE = 1_000

_BELOW = np.float32(0.9)
"""Score of the bundle's best item over that of the last live one."""


@dataclass(frozen=True)
class ShopTrends:
    """What the sources `popular` and `trending` read.

    Attributes:
        popular: most bought of late, by segment.
        trending: bought more of late than usual, by segment.
        live_segments: segments of `popular` that live counts stand in for.
    """

    popular: Popularity
    trending: Popularity
    live_segments: tuple[str, ...] = ()

    def with_live(self, live: pl.DataFrame, ids: Vocabulary, *, newer_than: datetime, purchases_min: float) -> "ShopTrends":
        """These with live counts, where there is enough of them.

        A region with fewer purchases in the last week keeps both of the bundle's tables; one with fewer in the four weeks before, which say
        what is usual, keeps the bundle's trends. Popular items end with the bundle's own, below all live ones.

        Args:
            live: `endcap.catalogue.changes.trend_file.LiveTrend`.
            ids: of the bundle's items; others are left out.
            newer_than: counts up to this moment are left out: the bundle knows better.
            purchases_min: see above.
        """
        popular, trending = dict(self.popular.by_segment), dict(self.trending.by_segment)
        known = live.filter(pl.col("updated_at") > newer_than, pl.col("region_purchases") >= purchases_min)
        segments: list[str] = []
        for (region,), rows in known.group_by("region", maintain_order=True):
            segment = segment_name("region", str(region)) if region else OVERALL
            index = ids.codes(rows["item_id"].to_list())
            is_known = index > 0
            recent, expected = (rows[name].to_numpy().astype(np.float32)[is_known] for name in ("purchases", "expected"))
            if not len(recent):
                continue
            popular[segment] = _continued(_most_bought(index[is_known], recent), popular.get(segment, Candidates.none()))
            segments.append(segment)
            if rows["region_usual"][0] >= purchases_min:
                trending[segment] = trending_of(index[is_known], recent, expected, TABLE_SIZE)
        return ShopTrends(Popularity(popular), Popularity(trending), tuple(segments))


def _most_bought(index: NDArray[np.int32], counts: NDArray[np.float32]) -> Candidates:
    score = np.log1p(counts)
    return Candidates.best(index, score / score.max(), TABLE_SIZE)


def _continued(live: Candidates, own: Candidates) -> Candidates:
    """The live items, then those of the bundle's table that are not among them."""
    rest = ~np.isin(own.index, live.index)
    below = own.score[rest] * live.score.min() * _BELOW
    index, score = np.concatenate([live.index, own.index[rest]]), np.concatenate([live.score, below])
    return Candidates.best(index, score, max(TABLE_SIZE, len(own.index)))
