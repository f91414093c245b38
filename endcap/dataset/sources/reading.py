"""One column as it was read, and the rows whose value could not be."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True)
class Reading:
    """One column's values and its faults: each a mask of rows and the reason they are refused, the same for all or worked out a row."""

    values: pl.Expr
    faults: tuple[tuple[pl.Expr, str | pl.Expr], ...] = ()
