"""Purchases that a data set holds out to judge lists by: kept beside its tables, where no model looks."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from endcap.contracts.event import EventType
from endcap.core.errors import DataRejected
from endcap.dataset.layout import Dataset

HOLDOUT_FILE = "holdout.parquet"


@dataclass(frozen=True)
class Holdout:
    """What is held out.

    Attributes:
        purchases: columns user_id and item_id (String), distinct.
        cart_additions: how many cart additions of the same items by the same people were left out of the events.
    """

    purchases: pl.DataFrame
    cart_additions: int

    @classmethod
    def of(cls, held_out: pl.DataFrame, happened: pl.DataFrame, known_items: Iterable[str], file: Path) -> "Holdout":
        """What is held out, where it can be judged.

        Args:
            held_out: columns user_id, item_id.
            happened: columns user_id, item_id, event_type: all that may be learned from.
            known_items: items of the catalogue besides.
            file: where it is from, for messages.

        Raises:
            DataRejected: people or items that stand nowhere else, or purchases that are learned from too.
        """
        pairs = held_out.unique(maintain_order=True)
        users = happened["user_id"].unique().implode()
        items = pl.Series([*happened["item_id"].unique(), *known_items], dtype=pl.String).implode()
        bought = happened.filter(pl.col("event_type") == EventType.PURCHASE.value)
        _refuse(pairs.filter(~pl.col("user_id").is_in(users)), "are of people without interactions", file)
        _refuse(pairs.filter(~pl.col("item_id").is_in(items)), "are of items that stand nowhere else", file)
        _refuse(pairs.join(bought, on=["user_id", "item_id"], how="semi"), "are among the same person's interactions", file)
        return cls(pairs, len(happened.join(pairs, on=["user_id", "item_id"], how="semi")))

    def write(self, folder: Path) -> None:
        self.purchases.write_parquet(folder / HOLDOUT_FILE)


def _refuse(bad: pl.DataFrame, reason: str, file: Path) -> None:
    if not bad.is_empty():
        user_id, item_id = bad.select("user_id", "item_id").row(0)
        raise DataRejected(
            f"{len(bad):,} purchases held out {reason}, first item {item_id!r} of user {user_id!r}",
            field="--holdout",
            value=str(file),
            fix="take them out of the file, or name the files that belong together",
        )


def read_holdout(dataset: Dataset) -> pl.DataFrame:
    """The purchases held out: columns user_id and item_id.

    Raises:
        DataRejected: the dataset has none, or the file is damaged.
    """
    if not dataset.held_out:
        raise DataRejected("the dataset holds no purchases out", field=str(dataset.path), fix="import it with --holdout")
    file = dataset.path / HOLDOUT_FILE
    try:
        return pl.read_parquet(file)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataRejected(f"not a readable Parquet file ({error})", field=str(file), fix="import the data again") from error
