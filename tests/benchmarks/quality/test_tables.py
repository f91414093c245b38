"""The page on quality is what the results say."""

from pathlib import Path

import pytest

from endcap.contracts.evaluation import Figure
from endcap_benchmarks.quality.quality_report import DataKind, Difference, ModelResult, QualityReport, TaskResult, TruthResult
from endcap_benchmarks.quality.tables import SECTION, with_tables

PAGE = Path(__file__).parents[3] / "docs" / "quality.md"


def made_report() -> QualityReport:
    def figure(mean: float) -> Figure:
        return Figure(mean=mean, low=mean - 0.01, high=mean + 0.01)

    def model(*, is_baseline: bool, seeds: list[int], failure: str | None = None) -> ModelResult:
        return ModelResult(
            settings={}, is_baseline=is_baseline, seeds=seeds, fit_s=1.5, score_ms_per_user=0.1, peak_memory_mib=200.0, failure=failure
        )

    better = Difference(mean=0.1, low=0.09, high=0.11, p_value=0.001)
    truth = TruthResult(
        users=100,
        items_per_user=1.0,
        baseline="popular",
        models={
            "popular": {"ndcg@10": figure(0.2), "hr@10": figure(0.4)},
            "two_tower": {"ndcg@10": figure(0.3), "hr@10": figure(0.5)},
        },
        seed_spread={"two_tower": {"ndcg@10": 0.004}},
        differences={"two_tower": {"ndcg@10": better}},
        against={"two_tower": {"popular": better}},
        segments={},
    )
    return QualityReport(
        endcap_version="1",
        command="endcap benchmark quality",
        protocol="leave-one-out",
        k=10,
        weeks=None,
        min_buyers=None,
        data=DataKind(
            source="made",
            fingerprint="f",
            users=100,
            items=50,
            catalogue_items=60,
            purchases=900,
            purchases_per_user=9.0,
            density=0.1,
            repeat_share=0.0,
            knows_times=False,
            says="nothing is bought twice.",
        ),
        cores=2,
        threads="not limited",
        models={
            "popular": model(is_baseline=True, seeds=[1]),
            "two_tower": model(is_baseline=False, seeds=[1, 2, 3]),
            "ncf": model(is_baseline=True, seeds=[], failure="too little memory"),
        },
        tasks=[TaskResult(name="test", users=100, items=60, truths={"last item": truth})],
        pooled=None,
    )


def test_the_page_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_tables(page), "renew it: python -m endcap_benchmarks.quality.tables docs/quality.md"


def test_results_without_a_section_get_one_with_every_model(tmp_path: Path) -> None:
    (tmp_path / "quality-made-shop.json").write_text(made_report().as_json())
    page = with_tables("# Quality\n", tmp_path)
    assert [found[1] for found in SECTION.findall(page)] == ["quality-made-shop"]
    assert "## Made shop" in page
    assert "| `popular` | 0.2000 [0.1900, 0.2100] |  | 0.4000 |" in page
    assert "| `two_tower` (3 seeds, ±0.0040) | **0.3000** [0.2900, 0.3100] | +0.1000 [0.0900, 0.1100]* |" in page
    assert "`ncf` failed: too little memory" in page
    assert with_tables(page, tmp_path) == page


def test_results_that_are_not_there_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        with_tables("<!-- begin quality-nothing -->\n<!-- end quality-nothing -->\n", tmp_path)
