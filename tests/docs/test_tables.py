"""The tables that pages get from code, values and results are current."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
(PAGES,) = re.findall(r"^PAGES_WITH_TABLES := (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def cog(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cogapp", "-I", "charts", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_every_page_with_a_block_is_renewed_and_checked() -> None:
    listed = subprocess.run(["git", "grep", "-l", "-F", "[[[cog", "--", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert listed.stdout.split() == sorted(PAGES.split())


@pytest.mark.parametrize("page", PAGES.split())
def test_the_tables_of_the_page_are_current(page: str) -> None:
    checked = cog("--check", page)
    assert checked.returncode == 0, f"renew it with `make docs-tables`:\n{checked.stdout}{checked.stderr}"


def test_a_table_that_was_edited_is_not_current(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "algorithms.md").read_text(encoding="utf-8")
    (tmp_path / "algorithms.md").write_text(text.replace("| setting | default |", "| setting | edited |", 1), encoding="utf-8")
    assert cog("--check", str(tmp_path / "algorithms.md")).returncode == 5
