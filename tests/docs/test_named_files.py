"""Files that pages name are there under that name; decisions and the changelog tell of their own time."""

import re
from pathlib import Path

import pytest

from tests.docs.page import ROOT

PAGES = [
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "docs" / "install").glob("*.md"),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "charts/endcap/README.md")),
]
FOLDERS = (
    "benchmarks|charts|clients|components|docs|endcap|feature_repo|images|manifests|monitoring|pipelines|requirements|services|tests"
    "|transformers"
)
NAMED = re.compile(rf"(?<![\w./-])((?:{FOLDERS})/[\w./-]*(?:\.(?:py|yaml|json|md|toml|txt|svg)\b|/(?![\w.])))")
MADE = {
    "benchmarks/results/quality-NAME.json",
    "endcap/algorithms/distinct_buyers.py",
    "transformers/endcap_transformer/path/sources/recent_history.py",
}
"""What a command or a recipe makes."""


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    named = set(NAMED.findall(page.read_text(encoding="utf-8")))
    assert sorted(path for path in named - MADE if not (ROOT / path).exists()) == []
