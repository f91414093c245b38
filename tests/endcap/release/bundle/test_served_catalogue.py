from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from endcap.core.settings import Settings
from endcap.release.bundle.manifest import Bundle
from endcap.release.bundle.served_catalogue import ServedCatalogue

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def test_it_follows_the_promoted_bundle(tmp_path: Path, make_bundle: Callable[..., Bundle]) -> None:
    settings = Settings(home=tmp_path)
    catalogue = ServedCatalogue(settings, lambda: NOW)
    assert catalogue.counts() is None
    assert catalogue.known().is_empty()
    made = make_bundle(1, folder=settings.served_dir / "endcap")
    counts = catalogue.counts()
    assert counts is not None
    assert counts.answers_at == made.manifest.data_end == counts.data_end, "recorded data: it answers as of its end"
    stored = pl.read_parquet(made.path / "tables" / "items.parquet")
    assert counts.items["purchases_7d"].to_list() == stored["feature_purchases_7d"].to_list()
    assert catalogue.known().to_list() == stored["item_id"].to_list()
    assert catalogue.counts() is counts, "read once a version"
    make_bundle(2, folder=settings.served_dir / "endcap", data_end=NOW)
    later = catalogue.counts()
    assert later is not None and later.answers_at is None
