"""docs/features.md has a row for every column, and for no other."""

import re
from pathlib import Path

import pytest

from endcap.features import columns

TEXT = (Path(__file__).parents[3] / "docs" / "features.md").read_text()
SECTIONS = {
    "User, numbers": columns.USER_NUMERIC,
    "User, attributes": columns.USER_CATEGORICAL,
    "User, history": columns.USER_HISTORY,
    "User, affinity": columns.USER_AFFINITY,
    "User x item": columns.PAIR_LISTS,
    "User, lately": columns.USER_RECENT,
    "Item": columns.ITEM_NUMERIC,
    "Context": columns.CONTEXT,
}


@pytest.mark.parametrize("title", SECTIONS)
def test_section_describes_the_columns_in_their_order(title):
    section = TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)) == SECTIONS[title]
