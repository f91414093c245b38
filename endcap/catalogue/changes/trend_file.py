"""The live trending table: what sells of late, in the shop and by region, which the stream writes and transformers read."""

from pathlib import Path

import polars as pl
from pydantic import BaseModel, ConfigDict, Field

from endcap.contracts.moment import UtcMoment
from endcap.contracts.tables import arrow_schema
from endcap.core.errors import DataRejected
from endcap.core.files import replacing_file
from endcap.core.parquet_file import read_parquet_checked

TRENDS_FILE = "trends.parquet"
ITEMS_MAX = 1_000
"""Of a region: the most bought, and as many whose sales stand out most."""

_RECENT, _ALL = "purchases_7d", "purchases_35d"
_STABILISER = 0.375
_FIX = "remove the file; the stream writes it again"


class LiveTrend(BaseModel):
    """How one item sells in one region."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    region: str = Field(max_length=64, description="The customers' region; empty for the whole shop.")
    item_id: str = Field(min_length=1, max_length=128, description="The item.")
    updated_at: UtcMoment = Field(description="As of when, UTC.")
    purchases: float = Field(ge=0, allow_inf_nan=False, description="Baskets with the item in the last seven days.")
    expected: float = Field(
        ge=0, allow_inf_nan=False, description="As many at its rate of the four weeks before, if it sold as the region does."
    )
    region_purchases: float = Field(ge=0, allow_inf_nan=False, description="`purchases` of all items of the region.")
    region_usual: float = Field(ge=0, allow_inf_nan=False, description="The same of the four weeks before.")


def trend_schema() -> pl.Schema:
    """Columns of the file."""
    return pl.DataFrame(arrow_schema(LiveTrend).empty_table()).schema


def write_trends(path: Path, trends: pl.DataFrame) -> None:
    """Write the file aside and put it in place at once.

    Args:
        path: `trends.parquet` in the live folder; the folder is made.
        trends: the columns of the contract.
    """
    with replacing_file(path) as aside:
        trends.select(pl.col(name).cast(kind) for name, kind in trend_schema().items()).write_parquet(aside)


def read_trends(path: Path) -> pl.DataFrame:
    """Read the file; what breaks the contract refuses the whole of it.

    Raises:
        FileNotFoundError: there is none.
        DataRejected: it is not readable, or a column or a value is not of the contract.
    """
    found = read_parquet_checked(path, fix=_FIX)
    schema = trend_schema()
    if dict(found.schema) != dict(schema):
        wrong = sorted({*found.columns} ^ {*schema}) or [name for name, kind in schema.items() if found.schema[name] != kind]
        raise DataRejected(f"the columns do not fit the contract: {', '.join(wrong)}", field=str(path), fix=_FIX)
    numbers = [name for name, kind in schema.items() if kind.is_float()]
    broken = pl.any_horizontal(
        *(pl.col(name).is_null() for name in schema),
        *((pl.col(name) < 0) | ~pl.col(name).is_finite() for name in numbers),
        pl.struct("region", "item_id").is_duplicated(),
    )
    bad = found.filter(broken)
    if not bad.is_empty():
        raise DataRejected(f"{len(bad):,} rows are empty, negative, not finite or there twice", field=str(path), fix=_FIX)
    return found


def trends_of(counts: pl.DataFrame) -> pl.DataFrame:
    """The file's rows from item counters: what is expected grows and shrinks with what the region sells, so that a holiday is no trend.

    Args:
        counts: `endcap.events.stream.item_counters.COUNTS_SCHEMA`.

    Returns:
        Columns of the contract, by region, most bought first.
    """
    usual = pl.col(_ALL) - pl.col(_RECENT)
    totals = counts.with_columns(
        purchases=pl.col(_RECENT).cast(pl.Float64()),
        region_purchases=pl.col(_RECENT).sum().over("region").cast(pl.Float64()),
        region_usual=usual.sum().over("region").cast(pl.Float64()),
    )
    rows = totals.with_columns(
        updated_at=pl.col("as_of").max().over("region"),
        expected=usual * pl.col("region_purchases") / pl.max_horizontal("region_usual", pl.lit(1.0)),
    ).filter(pl.col("purchases") > 0)
    rise = (pl.col("purchases") + _STABILISER).sqrt() - (pl.col("expected") + _STABILISER).sqrt()
    is_first = [order.rank("ordinal", descending=True).over("region") <= ITEMS_MAX for order in (pl.col("purchases"), rise)]
    return (
        rows.filter(pl.any_horizontal(is_first))
        .sort("region", "purchases", "item_id", descending=[False, True, False])
        .select(trend_schema().names())
    )
