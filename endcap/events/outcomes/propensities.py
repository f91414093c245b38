"""What the propensities of a list say about how its places were filled."""

import polars as pl

CERTAIN = 0.5
"""A place that the ranking filled has at least this propensity, one that explores less: what explores is drawn among many items and places.

It holds while less than half of the places that may explore do so in the mean, which is what a surface's share of up to 0.45 gives.
"""


def placement() -> pl.Expr:
    """`ranked`, `explored` or `swapped`, of rows with `request_id`, `position` and `propensity`, of whole lists.

    The first place never explores, so an unlikely item there is one of the second place, and the second place has the first's.
    """
    unlikely = (pl.col("propensity") < CERTAIN).fill_null(False)
    swapped = (unlikely & (pl.col("position") == 1)).any().over("request_id") & (pl.col("position") <= 2)
    explored = unlikely & (pl.col("position") > 1)
    return pl.when(swapped).then(pl.lit("swapped")).when(explored).then(pl.lit("explored")).otherwise(pl.lit("ranked")).alias("placement")
