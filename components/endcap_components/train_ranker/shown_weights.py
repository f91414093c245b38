"""How much a candidate counts that the person was shown in a list.

What a shop's lists show is bought more often than the rest, and what stands high in them more often than what stands low, whatever people
want: a ranker that takes sales as they are learns to repeat the lists of before. So what was followed counts one over the chance that it
could be (Joachims, Swaminathan and Schnabel, WSDM 2017), and what was shown and left counts one over the chance that it was shown.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from endcap.engine.retrieval.candidates import CandidateSet

WEIGHT_MAX = 10.0
"""A single one never counts more than so many: what chance all but excluded would decide alone otherwise."""

_PAIR_SCHEMA = pl.Schema({"query": pl.UInt32(), "item_index": pl.Int32()})


@dataclass(frozen=True)
class ShownWeights:
    """Of m candidates.

    Attributes:
        is_shown: bool [m].
        weight: float32 [m], 1 for what was not shown.
    """

    is_shown: NDArray[np.bool_]
    weight: NDArray[np.float32]


def shown_within(shown: pl.DataFrame, moment: datetime, days: int) -> pl.DataFrame:
    """Columns user_id, item_index, put (chance that any list showed it), looked_at (that it was looked at in any) and followed.

    Args:
        shown: columns of SHOWN_SCHEMA.
        moment: from when on lists count.
        days: for how long.
    """
    within = shown.filter(pl.col("shown_at") >= moment, pl.col("shown_at") < moment + timedelta(days=days))
    propensity = pl.col("propensity").cast(pl.Float64)
    return within.group_by("user_id", "item_index").agg(
        put=_any_of(propensity), looked_at=_any_of(propensity * pl.col("look_chance")), followed=pl.col("followed").any()
    )


def _any_of(chance: pl.Expr) -> pl.Expr:
    return 1.0 - (1.0 - chance).product()


def weights_of_shown(
    user_ids: Sequence[str], found: Sequence[CandidateSet], labels: NDArray[np.float32], shown: pl.DataFrame
) -> ShownWeights:
    """What was shown of the candidates, and what each counts.

    Args:
        user_ids: q of them, of the candidate sets.
        found: m candidates in all.
        labels: float32 [m, objectives].
        shown: as `shown_within` gives it.
    """
    sizes = [len(candidates) for candidates in found]
    query = np.repeat(np.arange(len(found), dtype=np.uint32), sizes)
    index = np.concatenate([candidates.index for candidates in found])
    pairs = pl.DataFrame({"query": query, "item_index": index.astype(np.int32)}, schema=_PAIR_SCHEMA)
    users = pl.DataFrame({"user_id": list(user_ids)}, schema={"user_id": pl.String()}).with_row_index("query")
    known = pairs.join(shown.join(users, on="user_id").drop("user_id"), on=list(_PAIR_SCHEMA), how="left", maintain_order="left")
    is_shown = known["put"].is_not_null().to_numpy()
    counts = labels.any(axis=1) & known["followed"].fill_null(False).to_numpy()
    chance = np.where(counts, known["looked_at"].fill_null(1.0).to_numpy(), known["put"].fill_null(1.0).to_numpy())
    weight = np.minimum(1.0 / np.maximum(chance, 1.0 / WEIGHT_MAX), WEIGHT_MAX)
    return ShownWeights(is_shown, weight.astype(np.float32))
