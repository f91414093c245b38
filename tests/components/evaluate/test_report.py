"""The report is one page that stands alone and shows every figure."""

import re
from html.parser import HTMLParser
from pathlib import Path

from endcap.contracts.evaluation import (
    ALL,
    NEW,
    Evaluation,
    Figure,
    Ordering,
    Reliability,
    ReliabilityBin,
    SegmentFigures,
    Shown,
    TruthFigures,
    VisitFigures,
)
from endcap.features.columns import OBJECTIVES
from endcap_components.evaluate.report import model_title, write_report


def evaluation() -> Evaluation:
    def figures(shift: float) -> dict[str, dict[str, Figure]]:
        return {
            model: {
                metric: Figure(mean=mean + shift, low=mean + shift - 0.01, high=mean + shift + 0.01)
                for metric in ("ndcg@10", "recall@100", "coverage@10")
            }
            for model, mean in (("popular", 0.1), ("own_most_bought", 0.2), ("two_tower", 0.3), ("full", 0.4))
        }

    truth = TruthFigures(
        users=1987,
        items_per_user=45.25,
        models=figures(0.0),
        differences={"full": {"ndcg@10": Figure(mean=0.2, low=0.19, high=0.21)}},
        segments={"age: <35 & up": SegmentFigures(users=60, models=figures(0.05))},
    )
    moment = "2017-12-04T00:00:00Z"
    return Evaluation.model_validate(
        {
            "dataset_fingerprint": "fingerprint-of-the-data",
            "data_start": "2017-01-01T11:53:26Z",
            "data_end": "2018-01-01T04:01:21Z",
            "cut": moment,
            "horizon_days": 28,
            "min_buyers": 5,
            "eligible_items": 24_472,
            "candidates_max": 1000,
            "baselines": {ALL: "own_most_bought", NEW: "popular"},
            "truths": {ALL: truth.model_dump(), NEW: truth.model_copy(update={"segments": {}}).model_dump()},
            "reliability": {"buy": Reliability(error=0.002, bins=[ReliabilityBin(predicted=0.01, observed=0.0, count=10)]).model_dump()},
        }
    )


class Outline(HTMLParser):
    """Counts tags and collects what the page would load from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loaded += [value for name, value in attrs if name in ("src", "href") and value and not value.startswith("#") and tag != "use"]


def test_the_page_stands_alone_and_shows_tables_and_plots(tmp_path: Path) -> None:
    write_report(tmp_path / "deep" / "report.html", evaluation())
    page = (tmp_path / "deep" / "report.html").read_text(encoding="utf-8")
    outline = Outline()
    outline.feed(page)
    assert outline.tags.count("svg") == 6
    assert outline.tags.count("table") == 2
    assert outline.loaded == []
    assert "0.400" in page
    assert "0.390 to 0.410" in page
    assert "1,987 users" in page
    assert "fingerprint-of-the-data" in page
    assert re.search(r"\+0\.200 \[\+0\.190, \+0\.210\] against own most bought", page)


def test_what_orders_the_list_is_said_and_small_catalogues_have_their_own_depths(tmp_path: Path) -> None:
    ordering = Ordering(ordered_by="own_decayed", reason="ordered by own_decayed in place of the ranker: 0.1 against 0.2")
    loss = Figure(mean=-0.2, low=-0.3, high=-0.1)
    shown = Shown(surface="home", loss=loss, steps={}, warning="the cap of 4 items takes 0.2")
    small = evaluation().model_copy(update={"ordering": ordering, "shown": shown, "main_k": 4, "deep_k": 4, "truths": {}})
    write_report(tmp_path / "report.html", small)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Ordered by own_decayed in place of the ranker: 0.1 against 0.2" in page
    assert "The cap of 4 items takes 0.2" in page


def test_the_page_says_what_the_lists_come_from(tmp_path: Path) -> None:
    shown = Shown(surface="home", loss=Figure(mean=0, low=0, high=0), steps={}, value={"buy": 1.0, "cart": 0.5}, ignored=["view"])
    typed = {
        "signals": {"purchase": 1.0, "add_to_cart": 0.5},
        "next_of": ["add_to_cart"],
        "objectives": ["buy", "cart"],
        "eligible_by": "interactions",
        "shown": shown,
        "notes": ["the next rating is no objective: 3 people and visits reach it; 20 are needed"],
    }
    write_report(tmp_path / "report.html", evaluation().model_copy(update=typed))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "the next rating is no objective: 3 people" in page
    for said in ("learned from purchase (1), add to cart (0.5)", "finds the next add to cart", "predicts buy, cart"):
        assert said in page
    assert "24,472 (all people and visits that did anything with an item make it a candidate; at least 5 of them)" in page
    assert "Surface home orders by buy x cart^0.5; its value names view, for which nothing was trained" in page


def test_every_objective_has_a_curve(tmp_path: Path) -> None:
    bins = [ReliabilityBin(predicted=0.01, observed=0.02, count=10)]
    all_four = {name: Reliability(error=0.001, bins=bins) for name in OBJECTIVES}
    write_report(tmp_path / "report.html", evaluation().model_copy(update={"reliability": all_four}))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert [name for name in OBJECTIVES if f"{model_title(name)} (error 0.0010)" not in page] == []


def test_what_comes_next_in_visits_has_a_table_of_its_own(tmp_path: Path) -> None:
    def figures(mean: float) -> dict[str, Figure]:
        return {"ndcg@10": Figure(mean=mean, low=mean - 0.01, high=mean + 0.01), "hr@20": Figure(mean=0.75, low=0.7, high=0.8)}

    visits = VisitFigures(visits=45, moments=1205, could_be_found=0.287, models={"full": figures(0.543), "popular": figures(0.004)})
    write_report(tmp_path / "report.html", evaluation().model_copy(update={"truths": {}, "visits": visits}))
    page = re.sub(r"\s+", " ", (tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "lists are judged by what came next in the visits from there on" in page
    assert "1,205 moments of 45 visits; of 29 % the next item could be in a list" in page
    assert "<td>whole pipeline</td>" in page
    assert page.count("0.543") == 2, "in the table and on a card"
    assert "no list could be judged" not in page


def test_names_from_the_data_are_escaped(tmp_path: Path) -> None:
    hostile = evaluation().model_copy(update={"dataset_fingerprint": "<script>alert(1)</script>"})
    write_report(tmp_path / "report.html", hostile)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "age: &lt;35 &amp; up" in page


def test_where_nobody_could_be_judged_the_page_says_so_and_draws_nothing(tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", evaluation().model_copy(update={"truths": {}, "reliability": {}}))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "no list could be judged" in page
    assert "<svg" not in page
    assert "Calibration" not in page
