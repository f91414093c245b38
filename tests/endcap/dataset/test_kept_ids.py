from pathlib import Path

import polars as pl
import pytest

from endcap.core.errors import DataRejected
from endcap.core.person_ids import AS_GIVEN, PersonIds
from endcap.dataset.kept_ids import require_kept, with_kept_ids
from endcap.dataset.layout import Dataset, open_dataset, reusable_dataset
from endcap.dataset.sources.sequences import SequenceFiles, SequenceReading, import_sequences

HASHED = PersonIds(bytes(32))


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    lines, carts, holdout = tmp_path / "train.txt", tmp_path / "cart.txt", tmp_path / "test.txt"
    lines.write_text("U1 1 2 3\nU2 2 3\n", encoding="ascii")
    carts.write_text("U2 1\n", encoding="ascii")
    holdout.write_text("U1 4\n", encoding="ascii")
    lines.write_text("U1 1 2 3\nU2 2 3 4\n", encoding="ascii")
    files = SequenceFiles(lines, None, carts, holdout)
    return import_sequences(files, tmp_path / "dataset", 0.5, reading=SequenceReading(unordered=True))[0]


def columns(dataset: Dataset, file: str, name: str) -> list[str]:
    return pl.read_parquet(dataset.path / file)[name].to_list()


def test_people_visits_and_orders_are_renamed_and_nothing_else(dataset: Dataset) -> None:
    before = pl.read_parquet(dataset.table("events"))
    kept = with_kept_ids(dataset, HASHED)
    after = pl.read_parquet(kept.table("events"))
    for name in ("user_id", "session_id"):
        assert after[name].to_list() == [HASHED.kept(given) for given in before[name]]
    assert after["order_id"].null_count() == before["order_id"].null_count()
    assert after.drop("user_id", "session_id", "order_id").equals(before.drop("user_id", "session_id", "order_id"))
    assert set(columns(kept, "users.parquet", "user_id")) == {HASHED.kept("U1"), HASHED.kept("U2")}
    assert columns(kept, "holdout.parquet", "user_id") == [HASHED.kept("U1")]
    assert not kept.rejected_file.exists()


def test_it_is_another_dataset_from_the_same_source(dataset: Dataset) -> None:
    kept = with_kept_ids(dataset, HASHED)
    assert open_dataset(dataset.path) == kept
    assert kept.fingerprint != dataset.fingerprint
    assert reusable_dataset(dataset.path, dataset.fingerprint) == kept
    assert with_kept_ids(kept, HASHED) == kept


def test_a_dataset_kept_in_another_way_is_refused_with_the_fix(dataset: Dataset) -> None:
    require_kept(dataset, AS_GIVEN)
    with pytest.raises(DataRejected, match="endcap ids hash"):
        require_kept(dataset, HASHED)
    kept = with_kept_ids(dataset, HASHED)
    require_kept(kept, HASHED)
    with pytest.raises(DataRejected, match="HASHED=true"):
        require_kept(kept, AS_GIVEN)
    for other in (PersonIds(bytes(range(32))), AS_GIVEN):
        with pytest.raises(DataRejected, match="--force"):
            with_kept_ids(kept, other)
