"""Tables kept as JSON lines: their moments are texts there."""

import polars as pl

_FORMAT = "%Y-%m-%dT%H:%M:%S%.fZ"
"""As `endcap.contracts.moment.utc_text` writes them."""


def as_written(schema: pl.Schema) -> pl.Schema:
    """The columns as they stand in lines."""
    return pl.Schema({name: pl.String() if isinstance(kind, pl.Datetime) else kind for name, kind in schema.items()})


def read_moments(schema: pl.Schema, *, strict: bool = True) -> pl.Expr:
    """The moments of a table that was read `as_written`.

    Args:
        schema: as they are to be.
        strict: whether a text that is none is an error; null otherwise.
    """
    moments = [name for name, kind in schema.items() if isinstance(kind, pl.Datetime)]
    return pl.col(moments).str.to_datetime(_FORMAT, time_unit="us", time_zone="UTC", strict=strict)
