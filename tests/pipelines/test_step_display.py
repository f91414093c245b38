"""What a step reports of its progress is only drawn: a report that is not there, or not whole, draws nothing."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from endcap_pipelines.step_display import StepDisplay


@pytest.mark.parametrize(("content", "told"), [(None, {}), ("{", {}), ('{"text": "fits", "completed": 1, "total": 2}', {"total": 2})])
def test_a_report_that_is_not_whole_draws_nothing(tmp_path: Path, content: str | None, told: dict[str, int]) -> None:
    progress = tmp_path / "progress.json"
    if content is not None:
        progress.write_text(content)
    display = StepDisplay(Console(file=io.StringIO()), tmp_path / "run.log", progress)
    assert {name: value for name, value in display._told().items() if name == "total"} == told
