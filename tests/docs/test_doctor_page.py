"""The page of the doctor shows what the command prints, and names every part and exit code."""

import io
import re
from pathlib import Path

from rich.console import Console

from endcap.core.errors import ClusterUnfit, DependencyUnavailable, InvalidInput
from endcap.doctor.examination import PARTS
from endcap.doctor.finding import Report, State, counted, print_report
from tests.docs.page import ROOT, blocks

PAGE = "doctor.md"


def _text() -> str:
    return Path(ROOT / "docs" / PAGE).read_text(encoding="utf-8")


def _block(language: str) -> str:
    (block,) = [each for each in blocks(PAGE) if each.language == language]
    return block.text


def test_the_document_of_the_page_is_one_of_the_command() -> None:
    report = Report.model_validate_json(_block("json"))
    assert report.counts == counted(report.findings) == dict.fromkeys(State, 1)


def test_the_table_of_the_page_is_that_document_as_printed() -> None:
    written = io.StringIO()
    print_report(Report.model_validate_json(_block("json")), Console(file=written, width=100))
    assert [line.rstrip() for line in written.getvalue().splitlines()] == _block("text").splitlines()


def test_every_part_has_its_line() -> None:
    section = _text().partition("## What is looked at")[2].partition("\n## ")[0]
    lines = re.findall(r"^\| ([^|]+) \|", section, re.MULTILINE)
    assert [part for part in PARTS if part not in ", ".join(lines).split(", ")] == []


def test_exit_codes_are_those_of_the_errors() -> None:
    section = _text().partition("## Exit codes")[2].partition("\n## ")[0]
    codes = {int(code) for code in re.findall(r"^\| (\d) \|", section, re.MULTILINE)}
    assert codes == {0, InvalidInput.exit_code, DependencyUnavailable.exit_code, ClusterUnfit.exit_code}
