"""How likely somebody looks at a place of a list."""

import polars as pl

EXAMINATION_POWER = 0.5
"""Of the power law of places (Joachims, Swaminathan and Schnabel, WSDM 2017), until a shop's own places say otherwise."""


def examined(position: pl.Expr, power: float = EXAMINATION_POWER) -> pl.Expr:
    """Chance that a place is looked at, the first one's being 1.

    Args:
        position: from 1.
        power: 0 for places that are all looked at alike.
    """
    return position.cast(pl.Float64).pow(-power)
