from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from endcap.catalogue.item_table import ItemTable
from endcap.core.errors import DataRejected
from endcap.engine.exploration.counting import write_evidence
from endcap.engine.exploration.evidence import BASE_RATE, EVIDENCE_SCHEMA, Evidence

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def counts(**rates: tuple[float, float]) -> pl.DataFrame:
    rows = [{"item_id": item_id, "impressions": shown, "clicks": clicked, "as_of": NOW} for item_id, (shown, clicked) in rates.items()]
    return pl.DataFrame(rows, schema=EVIDENCE_SCHEMA)


def test_evidence_stands_at_its_items_and_unknown_items_are_left_out(items: ItemTable) -> None:
    evidence = Evidence.of(items, counts(i002=(100, 7), gone=(50, 50)))
    at = items.ids.code("i002")
    assert (evidence.impressions[at], evidence.clicks[at]) == (100, 7)
    assert evidence.impressions.sum() == evidence.total == 100
    assert {array.dtype for array in (evidence.impressions, evidence.clicks, evidence.prior)} == {np.dtype(np.float32)}


def test_without_evidence_every_item_is_believed_the_same(items: ItemTable) -> None:
    assert Evidence.of(items).prior == pytest.approx(BASE_RATE)


def test_a_new_item_is_believed_to_be_as_its_brand_then_its_category_then_all(items: ItemTable) -> None:
    evidence = Evidence.of(items, counts(i000=(5_000, 1_000), i004=(5_000, 50), i001=(10_000, 300)), prior_strength=100)
    prior = {name: float(evidence.prior[items.ids.code(name)]) for name in ("i008", "i012", "i005", "i002")}
    overall, category = 1_350 / 20_000, 1_050 / 10_000
    assert prior["i008"] == pytest.approx(0.2, abs=0.01)
    assert prior["i012"] == pytest.approx(0.01, abs=0.01)
    assert 0.03 < prior["i005"] < overall < category
    assert prior["i002"] == pytest.approx(overall, rel=0.01)


def test_few_clicks_move_a_belief_little(items: ItemTable) -> None:
    evidence = Evidence.of(items, counts(i000=(2, 2), i001=(10_000, 200)), prior_strength=50)
    assert float(evidence.prior[items.ids.code("i008")]) < 0.12


def test_the_posterior_has_the_priors_strength_and_the_items_own_counts(items: ItemTable) -> None:
    evidence = Evidence.of(items, counts(i000=(100, 10)), prior_strength=20)
    arms = evidence.arms(np.array([items.ids.code("i000"), items.ids.code("i001")], np.int32))
    assert (arms.clicks + arms.misses).tolist() == pytest.approx([120, 20])
    assert arms.rate[0] == pytest.approx((20 * evidence.prior[items.ids.code("i000")] + 10) / 120)


def test_more_clicks_than_weighted_impressions_are_no_negative_misses(items: ItemTable) -> None:
    arms = Evidence.of(items, counts(i000=(0.3, 1.0))).arms(np.array([items.ids.code("i000")], np.int32))
    assert arms.misses[0] > 0
    assert 0 < arms.rate[0] < 1


def test_a_written_file_is_read_back(items: ItemTable, tmp_path: Path) -> None:
    file = tmp_path / "live" / "click_evidence.parquet"
    write_evidence(counts(i003=(10, 1)), file)
    assert Evidence.read(file, items).impressions[items.ids.code("i003")] == 10
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_missing_file_is_no_evidence(items: ItemTable, tmp_path: Path) -> None:
    assert Evidence.read(tmp_path / "none.parquet", items).total == 0


@pytest.mark.parametrize("content", [b"", b"PAR1", b"{}"])
def test_a_broken_file_is_refused(items: ItemTable, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "click_evidence.parquet").write_bytes(content)
    with pytest.raises(DataRejected, match="endcap evidence"):
        Evidence.read(tmp_path / "click_evidence.parquet", items)


def test_a_file_without_a_column_is_refused(items: ItemTable, tmp_path: Path) -> None:
    counts(i000=(1, 1)).drop("clicks").write_parquet(tmp_path / "e.parquet")
    with pytest.raises(DataRejected):
        Evidence.read(tmp_path / "e.parquet", items)


def test_counts_that_cannot_be_are_left_out(items: ItemTable, tmp_path: Path) -> None:
    write_evidence(counts(i000=(float("nan"), 1), i001=(-1, 0), i002=(5, 1)), tmp_path / "e.parquet")
    assert Evidence.read(tmp_path / "e.parquet", items).total == 5
