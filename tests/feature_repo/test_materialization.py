"""Where incremental materialisation starts: nowhere before the first features, and never from a manifest that cannot be read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from endcap.core.errors import DataRejected
from endcap.features.manifest import MANIFEST_NAME, FeatureManifest

END = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("endcap_feature_repo.materialization.features_dir", lambda: tmp_path)
    return tmp_path


def test_it_starts_just_before_the_end_of_the_data(folder: Path) -> None:
    from endcap_feature_repo.materialization import since_newest_snapshot

    FeatureManifest(
        fingerprint="f",
        dataset_fingerprint="d",
        first_event_at=END - timedelta(days=9),
        last_event_at=END,
        data_end=END,
        cut=END,
        ranking_times=(),
        pair_times=(),
        snapshot_times=(),
        rows={},
    ).write(folder)
    start = END - timedelta(seconds=1)
    assert since_newest_snapshot() == [(start, start)]


def test_before_the_first_features_there_is_no_interval(folder: Path) -> None:
    from endcap_feature_repo.materialization import since_newest_snapshot

    assert since_newest_snapshot() == []


def test_a_damaged_manifest_is_refused_and_not_taken_for_none(folder: Path) -> None:
    from endcap_feature_repo.materialization import since_newest_snapshot

    (folder / MANIFEST_NAME).write_text("{")
    with pytest.raises(DataRejected, match=r"features\.json"):
        since_newest_snapshot()
