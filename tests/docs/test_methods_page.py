"""The page on methods has every method with the settings it has now."""

from pathlib import Path

import pytest

from endcap.algorithms.documentation import settings_table
from endcap.algorithms.registry import METHODS

PAGE = Path(__file__).parents[2] / "docs" / "methods.md"


@pytest.mark.parametrize("name", METHODS)
def test_every_method_stands_on_the_page_with_its_settings(name: str) -> None:
    assert f"\n## {name}\n" in PAGE.read_text()
    assert settings_table(name) in PAGE.read_text()
