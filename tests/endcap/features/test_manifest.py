"""The fingerprint of a dataset: its own, a digest where it has none, and never one of a description that cannot be read."""

from pathlib import Path

import pytest

from endcap.core.errors import DataRejected
from endcap.features.manifest import DATASET_NAME, dataset_fingerprint


def test_a_dataset_without_a_description_or_a_fingerprint_in_it_gets_a_digest_of_its_tables(tmp_path: Path) -> None:
    (tmp_path / "items.parquet").write_bytes(b"items")
    digest = dataset_fingerprint(tmp_path)
    (tmp_path / DATASET_NAME).write_text('{"source": "shop"}')
    assert dataset_fingerprint(tmp_path) == digest
    (tmp_path / "items.parquet").write_bytes(b"other items")
    assert dataset_fingerprint(tmp_path) != digest
    (tmp_path / DATASET_NAME).write_text('{"fingerprint": "f1"}')
    assert dataset_fingerprint(tmp_path) == "f1"


def test_a_description_that_is_no_json_is_refused_and_not_taken_for_one_without_a_fingerprint(tmp_path: Path) -> None:
    (tmp_path / DATASET_NAME).write_text('{"fingerprint": "f1"')
    with pytest.raises(DataRejected, match=r"dataset\.json: is no JSON"):
        dataset_fingerprint(tmp_path)
