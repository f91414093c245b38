from pathlib import Path

import polars as pl
import pytest

from endcap.core.errors import DataRejected
from endcap.dataset.user_regions import read_user_regions


def test_customers_with_a_region_are_read(tmp_path: Path) -> None:
    users = pl.DataFrame({"user_id": ["a", "b", "c"], "region": ["north", None, ""], "age_band": ["1", "2", "3"]})
    users.write_parquet(tmp_path / "users.parquet")
    assert read_user_regions(tmp_path / "users.parquet").rows() == [("a", "north")]


def test_a_dataset_without_users_knows_no_region(tmp_path: Path) -> None:
    assert read_user_regions(tmp_path / "users.parquet").rows() == []


def test_another_table_is_refused(tmp_path: Path) -> None:
    pl.DataFrame({"user_id": ["a"]}).write_parquet(tmp_path / "users.parquet")
    with pytest.raises(DataRejected, match="region"):
        read_user_regions(tmp_path / "users.parquet")
