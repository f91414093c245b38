"""The documentation as a site: all of it is reached, nothing is loaded from elsewhere, and it looks as it does on a code host."""

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.exceptions import Abort

from tests.docs.page import ROOT

LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src"}
TEXT_FREE = {"pre", "code", "script", "style"}


class Page(HTMLParser):
    """What a browser loads for a page, and the text of its article outside of code.

    Attributes:
        loads: addresses.
        text: of the article.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get(LOADING.get(tag, ""))
        if address:
            self.loads.append(address)
        if tag in TEXT_FREE or tag == "article":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            self._open.remove(tag)

    def handle_data(self, data: str) -> None:
        if self._open == ["article"]:
            self.text += data


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    _build(ROOT, folder)
    return folder


def _build(root: Path, site: Path) -> None:
    build(load_config(str(root / "mkdocs.yml"), site_dir=str(site)))


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    found = {path.relative_to(site).as_posix(): Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    assert len(found) > 40
    return found


def test_a_page_of_docs_and_one_beside_the_code_are_built(site: Path) -> None:
    assert (site / "quickstart.html").exists()
    assert (site / "charts" / "endcap" / "index.html").exists()
    assert (site / "architecture.svg").read_bytes() == (ROOT / "docs" / "architecture.svg").read_bytes()


def test_pages_load_nothing_from_elsewhere(site: Path, pages: dict[str, Page]) -> None:
    loads = {address for page in pages.values() for address in page.loads}
    assert loads
    assert [address for address in loads if re.match(r"(\w+:)?//", address)] == []
    styles = [path.read_text(encoding="utf-8") for path in site.rglob("*.css")]
    assert [style[:80] for style in styles if re.search(r"@import|url\([\"']?(https?:)?//", style)] == []


def test_no_markdown_is_left_in_the_text(pages: dict[str, Page]) -> None:
    """A list or a fence needs an empty line above it here, and none on a code host."""
    left = [(name, line) for name, page in pages.items() for line in page.text.splitlines() if re.match(r"\s*([-*] |```|\|.*\|$)", line)]
    assert left == []


def test_what_leads_nowhere_and_what_nothing_leads_to_fail_the_build(tmp_path: Path) -> None:
    for path in ("mkdocs.yml", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "charts/endcap/README.md"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    faults = {
        "docs/rules.md": "[a page](missing.md), [an anchor](serving.md#missing), [a file that is no page](../README.md)",
        "CHANGELOG.md": "[a page](docs/missing.md)",
        "docs/unreached.md": "A page without a way to it.",
    }
    for path, text in faults.items():
        with (tmp_path / path).open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")
    with pytest.raises(Abort, match="5 warnings"):
        _build(tmp_path, tmp_path / "site")
