"""What was measured before an error is shown and kept."""

import json
from pathlib import Path

import pytest

from endcap.core.errors import DependencyUnavailable
from endcap.core.settings import Settings
from endcap_benchmarks.program import Benchmark, OutputOptions, Rows, run_program, unfinished
from endcap_benchmarks.report_table import print_table
from endcap_benchmarks.verdict import at_most

pytestmark = pytest.mark.processes
"""Git is asked for the commit."""

ROWS = [{"scenario": "first", "of": "a", "took": 1}, {"scenario": "second", "of": "a", "took": 3}]


def rows_then(failure: BaseException | None) -> Rows:
    yield from ROWS
    if failure is not None:
        raise failure


def benchmark(failure: BaseException | None = None) -> Benchmark:
    def measure(_settings: Settings) -> Rows:
        return rows_then(failure)

    return Benchmark(
        measure,
        lambda runs: [at_most("took", row["scenario"], row["took"], 2) for row in runs],
        lambda console, runs, verdicts: print_table(console, "Made", runs, verdicts, {"took": "took"}, lambda row: str(row["of"])),
    )


def test_a_whole_run_writes_its_document_and_leaves_nothing_beside_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "made.json"
    assert run_program(benchmark(), OutputOptions(out)) == 0
    assert json.loads(out.read_text())["runs"] == ROWS
    assert [each.name for each in tmp_path.iterdir()] == ["made.json"]
    assert "second" in capsys.readouterr().out


def test_strict_ends_with_one_when_a_goal_is_missed(tmp_path: Path) -> None:
    assert run_program(benchmark(), OutputOptions(tmp_path / "made.json", strict=True)) == 1


def test_an_error_shows_and_keeps_what_was_measured_and_leaves_the_former_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made.json"
    out.write_text("former")
    failure = DependencyUnavailable("the part ended", field="part")
    assert run_program(benchmark(failure), OutputOptions(out)) == failure.exit_code != 0
    assert out.read_text() == "former"
    assert json.loads(unfinished(out).read_text())["runs"] == ROWS
    said = capsys.readouterr()
    assert "second" in said.out
    assert "the part ended" in said.err


def test_an_interruption_keeps_what_was_measured(tmp_path: Path) -> None:
    out = tmp_path / "made.json"
    with pytest.raises(KeyboardInterrupt):
        run_program(benchmark(KeyboardInterrupt()), OutputOptions(out))
    assert json.loads(unfinished(out).read_text())["runs"] == ROWS


def test_an_error_before_the_first_row_shows_no_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def nothing(_settings: Settings) -> Rows:
        raise DependencyUnavailable("nothing runs", field="part")
        yield {}

    failing = Benchmark(nothing, benchmark().judge, benchmark().show)
    assert run_program(failing, OutputOptions(tmp_path / "made.json")) != 0
    assert capsys.readouterr().out == ""
    assert list(tmp_path.iterdir()) == []
