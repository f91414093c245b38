"""Items that came after the bundle was trained: kept until one knows them."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from endcap.catalogue.item_updates import alone
from endcap.core.files import replacing_file
from endcap.core.parquet_file import read_rows_checked

WAITING_FILE = "waiting_items.parquet"
WAITING_SCHEMA = pl.Schema({"item_id": pl.String(), "updated_at": pl.Datetime("us", "UTC"), "item": pl.String()})
"""The newest whole item of each id, a JSON object of the contract `Item` as text."""

_FIX = "remove the file; items that are sent again wait again"


@dataclass(frozen=True)
class WaitingItems:
    """The file of them.

    Attributes:
        path: `waiting_items.parquet` in the live folder.
    """

    path: Path

    def read(self) -> pl.DataFrame:
        """All of them, by id; none where there is no file.

        Raises:
            DataRejected: it cannot be read, or holds something else.
        """
        return read_rows_checked(self.path, WAITING_SCHEMA, fix=_FIX)

    def join(self, items: pl.DataFrame, known: pl.Series) -> int:
        """Take whole items up; those that the bundle knows wait no longer.

        Args:
            items: columns of WAITING_SCHEMA.
            known: ids of the bundle's items, text.

        Returns:
            How many wait now.
        """
        with alone(self.path):
            earlier = self.read()
            both = pl.concat([earlier, items.select(WAITING_SCHEMA.names())]).sort("updated_at", maintain_order=True)
            newest = both.unique("item_id", keep="last").filter(~pl.col("item_id").is_in(known.implode())).sort("item_id")
            if not newest.equals(earlier):
                with replacing_file(self.path) as aside:
                    newest.write_parquet(aside)
        return len(newest)
