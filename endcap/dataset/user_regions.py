"""Where customers are, as the dataset says."""

from pathlib import Path

import polars as pl

from endcap.core.parquet_file import read_parquet_checked

_FIX = "write it as the canonical table users has it"


def read_user_regions(path: Path) -> pl.DataFrame:
    """`user_id` and `region` of the customers whose region is known; none where there is no file, since a dataset may lack users.

    Args:
        path: a canonical table `users`.

    Raises:
        DataRejected: it is no such table.
    """
    try:
        users = read_parquet_checked(path, columns=["user_id", "region"], fix=_FIX)
    except FileNotFoundError:
        return pl.DataFrame(schema={"user_id": pl.String(), "region": pl.String()})
    return users.select(pl.col("user_id", "region").cast(pl.String())).filter(pl.col("region").is_not_null(), pl.col("region") != "")
