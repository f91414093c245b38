"""The command from a dataset to its table, JSON and page."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from endcap.core.errors import InvalidInput
from endcap_benchmarks.commands import app
from endcap_benchmarks.quality.quality_report import QualityReport

pytestmark = pytest.mark.processes

FAILING = """
class Failing:
    def fit(self, data, seed):
        raise RuntimeError("out of ideas")


class Killed:
    def fit(self, data, seed):
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)


class Coin:
    def fit(self, data, seed):
        import numpy as np
        self.random = np.random.default_rng(seed)
        return self

    def scores(self, histories):
        import numpy as np
        return self.random.random((histories.users, histories.item_count + 1), dtype=np.float32)

    probabilities = scores
"""


@pytest.fixture
def own_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "made_models.py").write_text(FAILING)
    monkeypatch.syspath_prepend(tmp_path)


def run(*arguments: object):
    return CliRunner().invoke(app, ["quality", *map(str, arguments)])


def test_temporal_end_to_end_with_a_model_that_fails(shop: Path, tmp_path: Path, own_models: None) -> None:
    arguments = (
        *("--data", shop, "--k", 5, "--windows", 2, "--weeks", 2, "--min-buyers", 3, "--work-dir", tmp_path / "work"),
        *("--out", tmp_path / "quality.json", "--models"),
    )
    models = "popular,own_most_bought,oracle,made_models:Coin,made_models:Failing,made_models:Killed"
    result = run(*arguments, models)
    assert result.exit_code == 1, result.output
    report = QualityReport.model_validate_json((tmp_path / "quality.json").read_bytes())
    assert set(report.failures) == {"made_models:Failing", "made_models:Killed"}
    assert "RuntimeError: out of ideas (made_models.py, line 4)" in report.failures["made_models:Failing"]
    assert "ended by SIGKILL" in report.failures["made_models:Killed"]
    assert "out of ideas" in result.stdout
    assert max(len(line.rstrip()) for line in result.stdout.splitlines()) <= 140

    assert [task.name for task in report.tasks] == ["2026-04-26", "2026-05-10"]
    assert report.pooled is not None
    everything, new = report.pooled.truths["all"], report.pooled.truths["new"]
    assert everything.baseline == "own_most_bought"
    assert everything.models["own_most_bought"]["ndcg@5"].mean > everything.models["popular"]["ndcg@5"].mean
    for truth in (everything, new):
        assert truth.models["oracle"]["ndcg@5"].mean == truth.models["oracle"]["mrr@5"].mean == 1.0
        assert truth.models["popular"].keys() >= {
            "recall@5",
            "precision@5",
            "hr@5",
            "coverage@5",
            "diversity@5",
            "novelty@5",
            "new_share@5",
        }
    assert new.models["popular"]["new_share@5"].mean == 1.0
    assert everything.differences["popular"]["ndcg@5"].p_value < 0.05
    assert everything.against["made_models:Coin"].keys() == {"popular", "own_most_bought"}

    coin, popular = report.models["made_models:Coin"], report.models["popular"]
    assert coin.reliability is not None
    assert popular.reliability is None
    assert popular.peak_memory_mib and popular.peak_memory_mib > 20
    page = (tmp_path / "quality.html").read_text()
    assert "best baseline" in page
    assert "out of ideas" in page
    assert "<svg" in page
    assert "http" not in page.replace("http://www.w3.org", "").replace("http://purl.org", "").replace("http://creativecommons.org", "")

    records = sorted((tmp_path / "work" / "runs").glob("*/record/run.json"))
    written = [record.stat().st_mtime_ns for record in records]
    assert run(*arguments, "popular,own_most_bought").exit_code == 0
    assert [record.stat().st_mtime_ns for record in records] == written


def test_leave_one_out_prints_json(sequences, tmp_path: Path) -> None:
    result = run(
        *("--data", sequences.dataset.path, "--protocol", "leave-one-out", "--models", "random,oracle", "--seeds", "1,2"),
        *("--work-dir", tmp_path, "--json"),
    )
    assert result.exit_code == 0, result.output
    report = QualityReport.model_validate_json(result.stdout[result.stdout.index("{\n") :])
    truth = report.main.truths["last item"]
    assert [report.models[name].seeds for name in ("random", "oracle")] == [[1, 2], [1]]
    assert truth.seed_spread.keys() == {"random"}
    assert truth.models["oracle"]["hr@10"].mean == truth.models["oracle"]["ndcg@10"].mean == 1.0
    # A list of 10 out of the items that a user does not have, 48 to 58 of 60, finds the one item that often.
    hit_rate = truth.models["random"]["hr@10"]
    assert hit_rate.low < 10 / 53 < hit_rate.high
    assert not report.data.knows_times
    assert report.data.repeat_share == 0
    assert json.loads(report.as_json())["k"] == 10


def test_mistakes_name_the_option(shop: Path, tmp_path: Path) -> None:
    for arguments, told in (
        (("--models", "nothing"), "--models: no model has this name"),
        (("--models", "own_decayed?half_life=3"), "own_decayed: half_life"),
        (("--models", "nowhere:Nobody"), "cannot be imported"),
        (("--seeds", "one"), "--seeds: not whole numbers"),
        (("--cut", "2030-01-01", "--models", "popular"), "--cut: the data ends at"),
    ):
        result = run("--data", shop, "--work-dir", tmp_path, *arguments)
        assert isinstance(result.exception, InvalidInput), result.output
        assert told in str(result.exception)


def test_help_shows_an_example() -> None:
    assert "Example: endcap benchmark quality" in run("--help").stdout
