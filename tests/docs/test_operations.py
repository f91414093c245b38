import pytest

from tests.docs.page import ROOT, blocks

PAGES = ["operations.md", *(f"install/{path.name}" for path in sorted((ROOT / "docs" / "install").glob("*.md")))]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_an_operations_guide_is_run_or_says_why_not(page: str) -> None:
    commands = [block for block in blocks(page) if block.language == "console"]
    assert len(commands) >= 2
    assert not [block.text for block in commands if block.kind not in ("run", "shown")]
    assert all(block.name for block in commands if block.kind == "shown")


def test_the_operations_guide_goes_all_the_way() -> None:
    assert len([block for block in blocks("operations.md") if block.kind == "run"]) >= 9


def test_each_profile_has_a_page_with_a_values_file_of_its_own() -> None:
    profiles = {path.stem for path in (ROOT / "charts" / "endcap" / "profiles").glob("*.yaml")}
    assert {page.removeprefix("install/").removesuffix(".md") for page in PAGES[1:]} == profiles
    for page in PAGES[1:]:
        assert len([block for block in blocks(page) if block.kind == "file"]) == 1
