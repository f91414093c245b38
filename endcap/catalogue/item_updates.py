"""What changes of items between two bundles: the contract of `item_updates.parquet`, which other processes replace and transformers read.

The file holds the present state of every item that differs from the bundle, not only what changed since the last file, so that a
transformer which missed a file or starts late comes to the same catalogue as all others.
"""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import annotated_types
import polars as pl
from pydantic import AfterValidator

from endcap.contracts.amount import AMOUNT_MAX, require_amount
from endcap.contracts.item import Availability
from endcap.contracts.item_update import ItemUpdate
from endcap.contracts.tables import arrow_schema
from endcap.core.errors import DataRejected
from endcap.core.files import replacing_file
from endcap.core.parquet_file import read_parquet_checked

UPDATES_FILE = "item_updates.parquet"
REASON = "reason"
_FIX = "remove the file, or write it with `endcap items update --replace`"


VALUES = tuple(name for name in ItemUpdate.model_fields if name not in ("item_id", "updated_at"))
"""Columns of what may change."""


def update_schema() -> pl.Schema:
    """Columns of the file."""
    return pl.DataFrame(arrow_schema(ItemUpdate).empty_table()).schema


def write_updates(path: Path, updates: pl.DataFrame) -> None:
    """Write the file aside and put it in place at once.

    Args:
        path: `item_updates.parquet` in the live folder; the folder is made.
        updates: `item_id`, `updated_at` and any other columns of the contract.

    Raises:
        DataRejected: a column is missing, unknown or of another type.
    """
    rows = conformed(updates)
    with replacing_file(path) as aside:
        rows.write_parquet(aside)


def read_updates(path: Path) -> pl.DataFrame:
    """Read the file, with all columns of the contract.

    Raises:
        DataRejected: it is not readable, or its columns are not those of the contract.
    """
    try:
        return conformed(read_parquet_checked(path, fix=_FIX))
    except FileNotFoundError as error:
        raise DataRejected("there is no such file", field=str(path), fix=_FIX) from error


def merged_updates(earlier: pl.DataFrame, later: pl.DataFrame) -> pl.DataFrame:
    """Both, each value of an item once: that of the row with the latest `updated_at`, of equal ones the one that stands last.

    A value keeps the moment of its row, since a bundle with newer data knows better than old values and not than new ones: an item whose
    price and stock came at different times has a row for each. What applying all rows in order would give stays the same.

    Args:
        earlier: columns of the contract; rows that break it are left out.
        later: the same, good rows.
    """
    sound = with_reasons(conformed(earlier)).filter(pl.col(REASON).is_null()).drop(REASON)
    rows = pl.concat([sound, conformed(later)]).sort("updated_at", maintain_order=True)
    return latest_values(rows, VALUES, "item_id")


def latest_values(rows: pl.DataFrame, values: Sequence[str], item: str) -> pl.DataFrame:
    """The rows with each value of an item in its newest row only; those that have none left are gone.

    Args:
        rows: from old to new.
        values: columns that are looked at.
        item: column of the item.
    """
    numbered = rows.with_row_index("row").with_columns(
        pl.when(pl.col(name).is_not_null()).then("row").max().over(item).alias(f"latest_{name}") for name in values
    )
    kept = numbered.with_columns(pl.when(pl.col("row") == pl.col(f"latest_{name}")).then(name).alias(name) for name in values)
    return kept.filter(pl.any_horizontal(pl.col(name).is_not_null() for name in values)).select(rows.columns)


def joined_updates(path: Path, later: pl.DataFrame) -> pl.DataFrame:
    """The file with later rows, as `merged_updates`, for whoever holds `alone`; no file has no rows.

    Returns:
        What the file holds now.

    Raises:
        DataRejected: what is there cannot be read.
    """
    earlier = read_updates(path) if path.exists() else update_schema().to_frame()
    present = merged_updates(earlier, later)
    write_updates(path, present)
    return present


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """One writer at a time, in any process: each reads what the one before it wrote.

    Args:
        path: the file; its folder is made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with (path.parent / f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def conformed(updates: pl.DataFrame) -> pl.DataFrame:
    """The contract's columns in their types; those that are not there are null.

    Raises:
        DataRejected: `item_id` or `updated_at` is missing, or a column is unknown or of another type.
    """
    schema = update_schema()
    unknown = [name for name in updates.columns if name not in schema]
    missing = [name for name in ("item_id", "updated_at") if name not in updates.columns]
    wrong = [name for name, kind in updates.schema.items() if name in schema and not _is_like(kind, schema[name])]
    if unknown or missing or wrong:
        raise DataRejected(
            f"the columns do not fit the contract (missing: {missing}; unknown: {unknown}; of another type: {wrong})",
            field=UPDATES_FILE,
            fix=_FIX,
        )
    absent = [pl.lit(None, dtype=kind).alias(name) for name, kind in schema.items() if name not in updates.columns]
    return updates.with_columns(absent).select(pl.col(name).cast(kind) for name, kind in schema.items())


def with_reasons(updates: pl.DataFrame) -> pl.DataFrame:
    """The rows with a column `reason`: the first thing that is wrong with each, null when nothing is."""
    reasons = [
        pl.when(wrong).then(pl.lit(f"{name}: {text}"))
        for name, field in ItemUpdate.model_fields.items()
        for wrong, text in _checks(name, field)
    ]
    return updates.with_columns(pl.coalesce(reasons).alias(REASON))


def _is_like(found: pl.DataType, expected: pl.DataType) -> bool:
    if expected == pl.String:
        return found in (pl.String, pl.Categorical, pl.Enum, pl.Null)
    if isinstance(expected, pl.Datetime):
        return isinstance(found, pl.Datetime) and found.time_zone == "UTC"
    return found.is_numeric() or found == pl.Null


def _checks(name: str, field: Any) -> Iterator[tuple[pl.Expr, str]]:
    """What is wrong, as an expression that is true or null, and how it is said."""
    column = pl.col(name)
    if field.is_required():
        yield column.is_null(), "missing"
    if Availability in get_args(field.annotation):
        known = [kind.value for kind in Availability]
        yield ~column.is_in(known), f"must be one of {', '.join(known)}"
    for constraint in field.metadata:
        match constraint:
            case annotated_types.Ge():
                yield column < pl.lit(constraint.ge), f"must be {constraint.ge} or more"
            case annotated_types.Le():
                yield column > pl.lit(constraint.le), f"must be {constraint.le} or less"
            case annotated_types.MinLen():
                yield column.str.len_chars() < constraint.min_length, f"must have {constraint.min_length} or more characters"
            case annotated_types.MaxLen():
                yield column.str.len_chars() > constraint.max_length, f"must have {constraint.max_length} or fewer characters"
            case AfterValidator() if constraint.func is require_amount:
                yield column.is_finite() & (column.abs() > AMOUNT_MAX), f"must lie within {AMOUNT_MAX:g} either way"
            case _ if getattr(constraint, "allow_inf_nan", None) is False:
                yield ~column.is_finite(), "must be a finite number"


def known_after(moment: datetime) -> pl.Expr:
    """Rows that became so after the bundle's data."""
    return pl.col("updated_at") > moment
