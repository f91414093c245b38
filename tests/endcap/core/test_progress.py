import json
from pathlib import Path

import pytest

from endcap.core.progress import PROGRESS_FILE_VARIABLE, StepProgress


def test_a_step_reports_where_it_stands(tmp_path: Path) -> None:
    report = tmp_path / "progress.json"
    with StepProgress(report_file=report) as progress:
        task = progress.add_task("rows", total=40)
        progress.advance(task, 10)
    assert json.loads(report.read_text()) == {"text": "rows", "completed": 10, "total": 40}


def test_the_runner_names_the_file_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    report = tmp_path / "progress.json"
    monkeypatch.setenv(PROGRESS_FILE_VARIABLE, str(report))
    with StepProgress() as progress:
        progress.update(progress.add_task("rows", total=2), completed=1)
    assert json.loads(report.read_text())["completed"] == 1


def test_without_a_runner_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PROGRESS_FILE_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    with StepProgress() as progress:
        progress.advance(progress.add_task("rows", total=2))
    assert list(tmp_path.iterdir()) == []
