"""What a step reports of its progress is only drawn: a report that is not there, or not whole, draws nothing."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from endcap.core.progress import SHOWN
from endcap_pipelines.step_display import StepDisplay, StepError


@pytest.mark.parametrize(("content", "shown"), [(None, {}), ("{", {}), ('{"text": "fits", "completed": 1, "total": 2}', {"total": 2})])
def test_a_report_that_is_not_whole_draws_nothing(tmp_path: Path, content: str | None, shown: dict[str, int]) -> None:
    progress = tmp_path / "progress.json"
    if content is not None:
        progress.write_text(content)
    display = StepDisplay(Console(file=io.StringIO()), tmp_path / "run.log", progress)
    assert {name: value for name, value in display._step_progress().items() if name == "total"} == shown


@pytest.fixture
def shown() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def display(tmp_path: Path, shown: io.StringIO) -> Iterator[StepDisplay]:
    with StepDisplay(Console(file=shown), tmp_path / "run.log", tmp_path / "progress.json") as opened:
        opened.write("Executing task 'train-ranker'\n")
        yield opened


TRACEBACK = """    Traceback (most recent call last):
      File "executor.py", line 1, in <module>
        fit()
    """


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("ZeroDivisionError: by nothing", StepError("ZeroDivisionError", "by nothing")),
        ("polars.exceptions.SchemaError: types differ", StepError("polars.exceptions.SchemaError", "types differ")),
        ("AssertionError", StepError("AssertionError", "")),
        ("ValueError: \n    \n    what it really was\n", StepError("ValueError", "what it really was")),
        ("package.Broken: no suffix tells", StepError("package.Broken", "no suffix tells")),
    ],
)
def test_what_a_step_raised_is_read_from_its_traceback(display: StepDisplay, said: str, expected: StepError) -> None:
    display.write(f"{TRACEBACK}{said}\n    \n\nTask 'train-ranker' finished with status FAILURE\n")
    assert display.error() == expected


def test_a_step_that_raised_nothing_leaves_its_last_line(display: StepDisplay) -> None:
    display.write("    reading the users\n    epoch 1 of 3\n\n\nTask 'train-ranker' finished with status FAILURE\n    Cleaned up\n")
    assert display.error() is None
    assert display.ending() == "its process ended; its last line: epoch 1 of 3"


def test_a_step_that_said_nothing_may_have_run_out_of_memory(display: StepDisplay) -> None:
    display.write("\n\nTask 'train-ranker' finished with status FAILURE\n")
    assert "memory" in display.ending()


def test_lines_that_a_step_wants_seen_are_shown_at_once(display: StepDisplay, shown: io.StringIO) -> None:
    display.write(f"    {SHOWN}two tower: left out\n    something for the log\n")
    assert "two tower: left out" in shown.getvalue()
    assert "something for the log" not in shown.getvalue()
