"""The page on quality is what the results say."""

from pathlib import Path

import pytest

from endcap.contracts.evaluation import Figure
from endcap_benchmarks.quality.quality_report import DataKind, Difference, ModelResult, QualityReport, TaskResult, TruthResult
from endcap_benchmarks.quality.tables import markdown_of
from endcap_benchmarks.record import RESULTS

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


def test_all_results_have_a_section_on_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [file.stem for file in RESULTS.glob("quality-*.json") if f'markdown_of("{file.stem}")' not in page] == []


def test_a_section_has_every_model(tmp_path: Path) -> None:
    (tmp_path / "quality-made-shop.json").write_text(made_report().as_json())
    section = markdown_of("quality-made-shop", tmp_path)
    assert "| `popular` | 0.2000 [0.1900, 0.2100] |  | 0.4000 |" in section
    assert "| `two_tower` (3 seeds, ±0.0040) | **0.3000** [0.2900, 0.3100] | +0.1000 [0.0900, 0.1100]* |" in section
    assert "`ncf` failed: too little memory" in section


def test_a_section_on_visits_has_hit_rates_against_the_baseline_and_what_could_be_known(tmp_path: Path) -> None:
    made = made_report()
    truth = made.tasks[0].truths["last item"]
    higher = Difference(mean=0.05, low=0.01, high=0.09, p_value=0.01)
    ours = truth.model_copy(update={"known_share": 0.287, "differences": {"two_tower": {"ndcg@10": higher, "hr@10": higher}}})
    task = made.tasks[0].model_copy(update={"truths": {"next event": ours}})
    visits = made.data.model_copy(update={"of_visits": True})
    report = made.model_copy(update={"days": 30, "data": visits, "tasks": [task]})
    (tmp_path / "quality-made-visits.json").write_text(report.as_json())
    section = markdown_of("quality-made-visits", tmp_path)
    assert "100 visits, 50 items seen, 900 events" in section
    assert "out of 60; 28.7% of them could be known" in section
    assert "| `two_tower` | 0.5000 [0.4900, 0.5100] | +0.0500 [0.0100, 0.0900] |" in section
    assert "less each baseline's" not in section


def test_results_that_are_not_there_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        markdown_of("quality-nothing", tmp_path)
